from datetime import UTC, datetime, timedelta

import pytest

from data_source_orchestrator.core.age import Age, age_at, span

NOON = datetime(2026, 5, 7, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 s"),
        (0.9, "0 s"),
        (119.9, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (172_799, "47 h"),
        (172_800, "2 days"),
        (1_000_000, "11 days"),
    ],
)
def test_an_age_is_said_as_people_say_it_and_never_made_older(seconds: float, told: str):
    assert span(seconds) == told


def test_a_label_tells_age_and_reason_in_one_line():
    age = Age(checked_at=NOON, seconds=10_800, reason="its circuit breaker is open")
    assert str(age) == "3 h old, because its circuit breaker is open"


def test_an_age_is_counted_from_the_last_check_and_below_zero_from_the_future():
    assert age_at(NOON, NOON - timedelta(hours=1)) == 3600
    assert age_at(NOON, NOON + timedelta(seconds=5)) == -5
