"""Rolling windows against lists that remember everything."""

import json

from hypothesis import given
from hypothesis import strategies as st

from data_source_orchestrator.resilience.windows import SLOTS, CountWindow, TimeWindow, Window

ATTEMPTS = st.lists(st.integers(0, 1), max_size=60)
STEPS = st.lists(st.tuples(st.sampled_from([0.0, 0.25, 1.0, 2.5, 9.75, 10.0, 1e6]), st.integers(0, 1)), max_size=60)


@given(st.integers(1, 12), ATTEMPTS)
def test_a_window_by_count_holds_the_last_attempts_and_no_other(size: int, attempts: list[int]):
    window = CountWindow(size)
    for number, bad in enumerate(attempts, 1):
        window.add(bad, 0.0)
        held = attempts[:number][-size:]
        assert (window.total, window.bad) == window.tally(0.0) == (len(held), sum(held))


@given(st.sampled_from([-1e9, -3.0, 0.0, 1767225600.0]), STEPS)
def test_a_window_by_time_holds_the_attempts_of_its_last_ten_slots_and_no_other(
    began: float, steps: list[tuple[float, int]]
):
    window = TimeWindow(10.0)
    now, heard = began, list[tuple[int, int]]()
    for step, bad in steps:
        now += step
        present = int(now // 1.0)
        before = [each for slot, each in heard if slot > present - SLOTS]
        assert window.tally(now) == (len(before), sum(before))
        window.add(bad, now)
        heard.append((present, bad))
        held = [each for slot, each in heard if slot > present - SLOTS]
        assert (window.total, window.bad) == window.tally(now) == (len(held), sum(held))


@given(st.integers(1, 12), ATTEMPTS, ATTEMPTS)
def test_a_window_by_count_goes_on_after_a_restart_as_if_there_had_been_none(
    size: int, before: list[int], after: list[int]
):
    goes_on(CountWindow(size), CountWindow(size), [(0.0, bad) for bad in before], [(0.0, bad) for bad in after])


@given(STEPS, STEPS)
def test_a_window_by_time_goes_on_after_a_restart_as_if_there_had_been_none(
    before: list[tuple[float, int]], after: list[tuple[float, int]]
):
    goes_on(TimeWindow(10.0), TimeWindow(10.0), before, after)


def goes_on(window: Window, again: Window, before: list[tuple[float, int]], after: list[tuple[float, int]]) -> None:
    now = 1767225600.0
    for step, bad in before:
        now += step
        window.add(bad, now)
    kept = window.to_state()
    again.restore(json.loads(json.dumps(kept)), now)
    assert again.to_state() == kept
    for step, bad in after:
        now += step
        window.add(bad, now)
        again.add(bad, now)
        assert again.tally(now) == window.tally(now)
        assert again.to_state() == window.to_state()


@given(STEPS)
def test_an_attempt_that_ends_in_the_past_is_counted_as_one_of_now(steps: list[tuple[float, int]]):
    window = TimeWindow(10.0)
    window.add(1, 1000.0)
    for before, (back, bad) in enumerate(steps, 1):
        window.add(bad, 1000.0 - back)
        assert window.total == before + 1


@given(STEPS)
def test_a_cleared_window_is_as_good_as_new(steps: list[tuple[float, int]]):
    used, fresh = TimeWindow(10.0), TimeWindow(10.0)
    now = 0.0
    for step, bad in steps:
        now += step
        used.add(bad, now)
    used.clear()
    assert used.to_state() is None
    for step, bad in steps:
        now += step
        used.add(bad, now)
        fresh.add(bad, now)
        assert used.to_state() == fresh.to_state()
