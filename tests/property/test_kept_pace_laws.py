"""What is kept of a pace, whoever kept it and whatever the calendar does: never early, never longer than was asked."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.clock import ManualClock
from data_source_orchestrator.core.policies import RateLimitPolicy
from data_source_orchestrator.resilience.rate_document import Kept, later, read, written
from data_source_orchestrator.resilience.rate_limiter import SAME_MOMENT, RateLimiter

NOON = datetime(2026, 5, 7, 12, tzinfo=UTC)
ROUNDED = 2e-6

seconds = st.floats(0, 7200) | st.sampled_from([0.0, 3600.0])
documents = st.builds(
    lambda back, held, ago: written(Kept(back_in=back, held_for=held), NOON - timedelta(seconds=ago)),
    seconds,
    seconds,
    st.floats(0, 9000),
)
anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
    lambda inner: st.dictionaries(st.sampled_from(["back", "held", "at", "in"]), inner, max_size=3),
    max_leaves=6,
)


def lasts(state: Json, now: datetime = NOON) -> tuple[float, float]:
    kept = read(state, now)
    return kept.back_in, kept.held_for


def longest(state: Any) -> float:
    return max((moment["in"] for moment in state.values() if moment is not None), default=0.0)


@given(documents, documents)
def test_of_two_states_whatever_lasts_longer_counts_whichever_comes_first(one: Json, other: Json):
    for both in (later(one, other, NOON), later(other, one, NOON)):
        for told, *each in zip(lasts(both), lasts(one), lasts(other), strict=True):
            assert max(each) <= told <= max(each) + ROUNDED


@given(documents, documents)
def test_joining_again_changes_nothing_and_what_is_over_is_nothing(one: Json, other: Json):
    both = later(one, other, NOON)
    for again in (later(both, one, NOON), later(other, both, NOON), later(both, None, NOON)):
        assert all(abs(a - b) <= ROUNDED for a, b in zip(lasts(again), lasts(both), strict=True))
    assert (both is None) == (max(lasts(both)) == 0)
    assert later(both, both, NOON + timedelta(days=1)) is None


@given(documents, st.floats(-1e8, 1e8), st.floats(0, 8000))
def test_however_the_wall_clock_was_set_a_wait_is_never_negative_and_ends_when_it_was_to_last(
    state: Json, jump: float, after: float
):
    now = NOON + timedelta(seconds=jump)
    assert all(0 <= left <= longest(state) for left in lasts(state, now))
    rewritten = later(state, None, now)  # as the next process keeps it
    for left, then in zip(lasts(state, now), lasts(rewritten, now + timedelta(seconds=after)), strict=True):
        assert max(0.0, left - after) - ROUNDED <= then <= max(0.0, left - after) + ROUNDED


@given(anything, anything)
def test_what_cannot_be_read_is_over(one: Json, other: Json):
    joined = later(one, other, NOON)
    assert joined is None or max(lasts(joined)) > 0
    assert all(left >= 0 for left in lasts(one))


@given(
    st.lists(st.tuples(st.integers(0, 3), st.floats(0, 100)), max_size=5),
    st.lists(st.tuples(st.integers(0, 3), st.floats(0, 100)), max_size=5),
    st.floats(0, 50),
)
def test_a_limiter_that_catches_up_lets_nothing_through_before_either_would_have(
    mine: list[tuple[int, float]], others: list[tuple[int, float]], apart: float
):
    policy = RateLimitPolicy(limit=1, per=10, burst=3)
    clock = ManualClock()
    limiter, other = RateLimiter(policy, clock=clock), RateLimiter(policy, clock=clock)
    for each, steps in ((limiter, mine), (other, others)):
        for calls, hold in steps:
            for _ in range(calls):
                each.take()
            each.hold(hold)
    state = other.to_state()
    clock.advance(apart)
    limits = limiter.wait_for(), other.wait_for(), limiter.wait_for(3), other.wait_for(3)
    limiter.catch_up(state)
    assert limiter.wait_for() >= max(limits[:2]) - SAME_MOMENT
    assert limiter.wait_for() <= max(limits[:2]) + SAME_MOMENT
    assert limiter.wait_for(3) >= max(limits[2:]) - SAME_MOMENT
    before = limiter.to_state()
    limiter.catch_up(state)
    assert limiter.to_state() == before
