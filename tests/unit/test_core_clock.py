"""The clock that is moved by hand."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from data_source_orchestrator import ManualClock


def test_it_stands_still_until_it_is_moved_and_both_hands_move_together():
    clock = ManualClock(datetime(2026, 3, 1, tzinfo=UTC))
    assert (clock.monotonic(), clock.now()) == (0.0, datetime(2026, 3, 1, tzinfo=UTC))
    clock.advance(90)
    assert (clock.monotonic(), clock.now()) == (90.0, datetime(2026, 3, 1, 0, 1, 30, tzinfo=UTC))


def test_it_is_not_moved_back():
    with pytest.raises(ValueError, match=r"advance\(-1\); give 0 or more seconds"):
        ManualClock().advance(-1)


def test_calls_come_in_order_each_at_its_own_moment_also_those_that_are_set_meanwhile():
    clock = ManualClock()
    came: list[tuple[str, float]] = []

    def noting(name: str, then: Callable[[], object] = lambda: None) -> Callable[[], None]:
        def note() -> None:
            came.append((name, clock.monotonic()))
            then()

        return note

    clock.call_later(5, noting("late"))
    clock.call_later(1, noting("early", lambda: clock.call_later(2, noting("between"))))
    called_off = clock.call_later(4, noting("never"))
    called_off.cancel()
    clock.advance(10)
    assert came == [("early", 1.0), ("between", 3.0), ("late", 5.0)]
    assert clock.monotonic() == 10.0


async def test_what_is_due_at_once_comes_in_the_loops_next_turn():
    clock = ManualClock()
    came: list[str] = []
    clock.call_later(0, lambda: came.append("now"))
    clock.call_later(-3, lambda: came.append("overdue"))
    clock.call_later(0, lambda: came.append("never")).cancel()
    assert came == []
    await asyncio.sleep(0)
    assert came == ["now", "overdue"]


async def test_a_sleeper_wakes_when_it_has_been_moved_far_enough():
    clock = ManualClock()
    sleeper = asyncio.create_task(clock.sleep(10))
    await asyncio.sleep(0)
    clock.advance(9)
    await asyncio.sleep(1)
    assert not sleeper.done()
    clock.advance(1)
    await sleeper


async def test_a_cancelled_sleeper_leaves_no_call_behind():
    clock = ManualClock()
    sleeper = asyncio.create_task(clock.sleep(10))
    await asyncio.sleep(0)
    sleeper.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeper
    clock.advance(10)


async def test_a_sleep_of_nothing_lets_others_run():
    came: list[str] = []
    asyncio.get_running_loop().call_soon(came.append, "other")
    await ManualClock().sleep(0)
    assert came == ["other"]
