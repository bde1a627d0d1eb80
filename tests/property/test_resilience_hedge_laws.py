"""A hedged call beside a model of it that only compares moments, for any two calls and any cancellation."""

import asyncio
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from test_resilience_hedge_rig import FATAL, PUSHED_BACK, SUCCESS, TRANSIENT, Line, Result, Rig, nothing_is_left

from data_source_orchestrator.core.policies import HedgePolicy
from data_source_orchestrator.testing import run_virtual

RESULTS: st.SearchStrategy[Result] = st.sampled_from([SUCCESS, TRANSIENT, FATAL, PUSHED_BACK])
DELAY = 5.0


@dataclass(frozen=True)
class Expected:
    """When the race ends, whose result counts, and who has lost after how long."""

    at: float
    winner: int
    calls: int
    lost: tuple[int, float] | None = None


def final(result: Result) -> bool:
    return result in (SUCCESS, FATAL)


def better(first: Result, second: Result) -> int:
    order = [SUCCESS, FATAL, PUSHED_BACK, TRANSIENT]
    return 1 if order.index(first) <= order.index(second) else 2


def model(first: Line, second: Line, *, paid: bool) -> Expected:
    one, two = first.result, second.result
    assert not isinstance(one, BaseException)
    assert not isinstance(two, BaseException)
    if not paid or (first.seconds < DELAY and one is not TRANSIENT):
        return Expected(first.seconds, 1, 1)
    if first.seconds < DELAY:
        return Expected(first.seconds + second.seconds, better(one, two), 2)
    end = DELAY + second.seconds
    if first.seconds < end:
        if final(one):
            return Expected(first.seconds, 1, 2, (2, first.seconds - DELAY))
        return Expected(end, better(one, two), 2)
    if final(two):
        return Expected(end, 2, 2, (1, end))
    return Expected(first.seconds, better(one, two), 2)


@st.composite
def races(draw: st.DrawFn) -> tuple[Line, Line, bool]:
    """Draw two calls that end at no common moment, nor with the delay."""
    first = Line(draw(st.integers(0, 12)) + 0.5, draw(RESULTS))
    second = Line(draw(st.integers(0, 12)) + 0.25, draw(RESULTS))
    return first, second, draw(st.booleans())


def rig_for(first: Line, second: Line, *, paid: bool) -> Rig:
    return Rig(first, second, policy=HedgePolicy(delay=DELAY), tokens=500 if paid else 0)


@given(races())
def test_every_race_ends_as_its_moments_say(race: tuple[Line, Line, bool]):
    first, second, paid = race

    async def main() -> None:
        rig = rig_for(first, second, paid=paid)
        expected = model(first, second, paid=paid)
        ended = await rig.run()
        assert (rig.now, ended.number, len(rig.calls)) == (expected.at, expected.winner, expected.calls)
        assert ended.result is rig.lines[expected.winner - 1].result
        assert rig.lost == ([expected.lost[0]] if expected.lost else [])
        assert rig.cancelled == rig.lost
        assert [each for each, _ in rig.latencies._censored] == ([expected.lost[1]] if expected.lost else [])
        assert rig.budget.tokens == (500 - 5 * (expected.calls - 1) if paid else 0)
        assert nothing_is_left(rig)

    run_virtual(main())


@given(races(), st.integers(0, 25), st.sampled_from([0.0, 1.0, 4.0]))
def test_cancelled_at_any_moment_it_ends_both_and_leaves_nothing(
    race: tuple[Line, Line, bool], moment: int, stubborn: float
):
    first, second, paid = race

    async def main() -> None:
        lines = [Line(line.seconds, line.result, stubborn=stubborn) for line in (first, second)]
        rig = rig_for(*lines, paid=paid)
        expected = model(first, second, paid=paid)
        task = asyncio.create_task(rig.run())
        await asyncio.sleep(moment + 0.125)
        cancelled = task.cancel()
        await asyncio.wait([task])
        over = expected.at + (stubborn if expected.lost else 0.0)
        assert cancelled is (moment + 0.125 < over)
        assert task.cancelled() is cancelled
        assert nothing_is_left(rig)

    run_virtual(main())
