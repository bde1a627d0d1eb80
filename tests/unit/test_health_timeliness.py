"""When a source was not fresh, and how that compares with its objective."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import FreshnessPolicy
from data_source_orchestrator.health.freshness import Freshness, freshness_of, freshness_of_several
from data_source_orchestrator.health.timeliness import Timeliness, from_json, objective_of, read_at, to_json

START = datetime(2026, 5, 1, tzinfo=UTC)
HOUR = 3600.0
DAY = 24 * HOUR
POLICY = FreshnessPolicy(objective=0.9, days=30)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def read(*moments: float, interval: float = HOUR) -> Timeliness:
    """Return the record of a source that was read at these seconds."""
    record = None
    for moment in moments:
        record = read_at(record, at(moment), interval)
    assert record is not None
    return record


def test_a_source_that_is_read_in_time_loses_nothing():
    record = read(0, HOUR, 2 * HOUR, 3.25 * HOUR)
    assert record.lost == {}
    assert objective_of(record, HOUR, POLICY, at(4 * HOUR)).achieved == 1


def test_what_lies_beyond_a_quarter_more_than_the_interval_is_not_fresh():
    record = read(0, 2 * HOUR)  # fresh until 1:15
    assert sum(record.lost.values()) == 0.75 * HOUR
    found = objective_of(record, HOUR, POLICY, at(2 * HOUR))
    assert found.achieved == pytest.approx(1 - 0.75 / 2)
    assert found.used == pytest.approx(0.75 * HOUR / (0.1 * 30 * DAY))
    assert found.burn == pytest.approx(0.75 / 2 / 0.1)


def test_the_time_since_the_last_answer_counts_too():
    found = objective_of(read(0), HOUR, POLICY, at(2 * HOUR))
    assert found.achieved == pytest.approx(1 - 0.75 / 2)


def test_a_budget_that_is_gone_is_used_more_than_wholly():
    assert objective_of(read(0), HOUR, POLICY, at(30 * DAY)).used == pytest.approx(10, rel=0.01)


def test_an_outage_that_is_over_burns_no_longer_after_a_day_and_is_forgotten_after_the_days_of_the_objective():
    hours = [0, 10 * HOUR, *(10 * HOUR + n * HOUR for n in range(1, 40 * 24))]
    record = read(*hours)
    later = objective_of(record, HOUR, POLICY, at(3 * DAY))
    assert (later.burn, later.used > 0) == (0, True)
    assert objective_of(record, HOUR, POLICY, at(32 * DAY)).used == 0


def test_an_answer_that_is_no_newer_changes_nothing():
    record = read(0, 5 * HOUR)
    assert read_at(record, at(5 * HOUR), HOUR) is record
    assert read_at(record, at(HOUR), HOUR) is record


def test_a_source_read_just_now_has_its_whole_budget():
    found = objective_of(read(0), HOUR, POLICY, at(0))
    assert (found.achieved, found.used, found.burn) == (1, 0, 0)


def test_a_clock_that_was_set_back_before_the_first_answer_measures_nothing():
    found = objective_of(read(0), HOUR, POLICY, at(-DAY))
    assert (found.achieved, found.used, found.burn) == (1, 0, 0)


def test_a_record_stays_small_however_long_a_source_is_away():
    assert len(read(0, 3650 * DAY).lost) <= 90 * 24 + 1


@given(
    st.lists(st.integers(0, 200 * 24), min_size=1, max_size=60), st.integers(0, 40), st.sampled_from([60.0, HOUR, DAY])
)
def test_hours_add_up_to_what_a_plain_sum_says(moments: list[int], wait: int, interval: float):
    """Over the days of the objective, in seconds, and never more than there are."""
    seconds = sorted({moment * 900.0 for moment in moments})
    now = seconds[-1] + wait * 900.0
    found = objective_of(read(*seconds, interval=interval), interval, POLICY, at(now))
    window = max(seconds[0], (now // HOUR - 30 * 24 + 1) * HOUR)
    gaps = zip(seconds, [*seconds[1:], now], strict=True)
    lost = sum(max(0.0, end - max(window, start + 1.25 * interval)) for start, end in gaps)
    assert found.used == pytest.approx(lost / (0.1 * 30 * DAY), abs=1e-6)
    assert 0 <= found.achieved <= 1


def test_a_record_comes_back_from_its_document_as_it_was():
    record = read(0, 2 * HOUR, 9 * HOUR + 0.125)
    assert from_json(to_json(record)) == record


@pytest.mark.parametrize("document", [None, {}, [], {"schema": "dso.timeliness/1"}, {**to_json(read(0)), "last": "x"}])
def test_a_document_that_is_not_one_of_ours_is_no_record(document: Json):
    assert from_json(document) is None


@pytest.mark.parametrize(
    ("sources", "together"),
    [
        (["fresh", "fresh"], "fresh"),
        (["fresh", "late"], "late"),
        (["late", "stale", "fresh"], "stale"),
        (["fresh", "expired"], "fresh"),
        (["expired", "never"], "expired"),
        (["never", "late"], "late"),
        (["never"], "never"),
        ([], "never"),
    ],
)
def test_several_are_as_fresh_as_the_least_fresh_that_still_counts(sources: list[str], together: str):
    assert freshness_of_several(map(Freshness, sources)) == together


@given(st.floats(0, 10))
def test_freshness_never_gets_better_by_waiting(intervals: float):
    order = [Freshness.FRESH, Freshness.LATE, Freshness.STALE, Freshness.EXPIRED]
    now, later = (freshness_of(START, HOUR, at(each * HOUR)) for each in (intervals, intervals + 0.1))
    assert order.index(now) <= order.index(later)


@pytest.mark.parametrize(
    "members", [{"objective": 1}, {"objective": 0}, {"objective": True}, {"days": 0}, {"days": 91}]
)
def test_an_objective_that_cannot_be_meant_is_refused(members: dict[str, float]):
    with pytest.raises(ConfigurationError, match="give"):
        FreshnessPolicy(**members)  # type: ignore[arg-type]  # that is the subject
