"""How old an answer is, in update intervals, each threshold at its boundary."""

from datetime import UTC, datetime, timedelta

import pytest

from data_source_orchestrator.core.source import UPDATE_INTERVALS
from data_source_orchestrator.health.freshness import Freshness, freshness_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize("interval", UPDATE_INTERVALS.values(), ids=UPDATE_INTERVALS)
@pytest.mark.parametrize(
    ("intervals", "until", "beyond"),
    [
        (1.25, Freshness.FRESH, Freshness.LATE),
        (2.0, Freshness.LATE, Freshness.STALE),
        (4.0, Freshness.STALE, Freshness.EXPIRED),
    ],
)
def test_a21_each_freshness_holds_up_to_its_boundary_and_ends_beyond_it(
    interval: float, intervals: float, until: Freshness, beyond: Freshness
):
    now = NOON + timedelta(seconds=intervals * interval)
    assert freshness_of(NOON, interval, now) is until
    assert freshness_of(NOON, interval, now + TICK) is beyond


def test_a21_an_answer_of_this_moment_is_fresh():
    assert freshness_of(NOON, 60.0, NOON) is Freshness.FRESH


def test_a21_an_age_that_runs_backwards_counts_as_zero():
    assert freshness_of(NOON + timedelta(days=365), 60.0, NOON) is Freshness.FRESH


def test_a_source_that_never_answered_is_never_fresh_nor_late():
    assert freshness_of(None, 60.0, NOON) is Freshness.NEVER
