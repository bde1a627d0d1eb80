"""Waiting no longer than is good for what may never be done."""

import asyncio

import pytest

from data_source_orchestrator import ManualClock
from data_source_orchestrator.core.waiting import within
from data_source_orchestrator.testing import VirtualClock


class Work:
    """Takes so many seconds, and so many more when it is cancelled."""

    def __init__(self, seconds: float, *, stubborn: float = 0.0, error: Exception | None = None) -> None:
        self.seconds = seconds
        self.stubborn = stubborn
        self.error = error
        self.cancelled = False

    async def __call__(self) -> str:
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled = True
            await asyncio.sleep(self.stubborn)
            if self.error is None:
                raise
        if self.error is not None:
            raise self.error
        return "done"


def others() -> set[asyncio.Task[object]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


def timers() -> int:
    return sum(not timer.cancelled() for timer in asyncio.get_running_loop()._scheduled)  # type: ignore[attr-defined]


async def test_what_ends_in_time_gives_what_it_returns_or_raises_and_leaves_nothing(clock: VirtualClock):
    assert await within(2, Work(1)(), clock) == "done"
    with pytest.raises(KeyError):
        await within(2, Work(1, error=KeyError("odd"))(), clock)
    assert (clock.monotonic(), others(), timers()) == (2, set(), 0)


async def test_what_does_not_is_cancelled_and_not_waited_for(clock: VirtualClock):
    work = Work(9, stubborn=5)
    with pytest.raises(TimeoutError, match="no end within 2 s"):
        await within(2, work(), clock)
    assert clock.monotonic() == 2
    await asyncio.sleep(0)
    assert work.cancelled
    await asyncio.sleep(6)
    assert others() == set()


async def test_what_it_raises_too_late_is_heard_by_nobody(clock: VirtualClock):
    with pytest.raises(TimeoutError):
        await within(2, Work(9, stubborn=1, error=KeyError("late"))(), clock)
    await asyncio.sleep(3)
    assert others() == set()


async def test_its_time_is_that_of_the_clock_that_it_is_handed():
    clock = ManualClock()
    waiting = asyncio.create_task(within(2, Work(1000)(), clock))
    await asyncio.sleep(100)
    assert not waiting.done()
    clock.advance(2)
    with pytest.raises(TimeoutError):
        await waiting


@pytest.mark.parametrize(("stubborn", "passes_at"), [(0.5, 1.5), (50, 10)])
async def test_a_cancellation_passes_when_the_work_has_ended_or_its_time(
    stubborn: float, passes_at: float, clock: VirtualClock
):
    work = Work(100, stubborn=stubborn)
    waiting = asyncio.create_task(within(10, work(), clock))
    await asyncio.sleep(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (work.cancelled, clock.monotonic()) == (True, passes_at)
    assert timers() == 0


async def test_a_second_cancellation_passes_at_once(clock: VirtualClock):
    waiting = asyncio.create_task(within(10, Work(100, stubborn=50)(), clock))
    for _ in range(2):
        await asyncio.sleep(1)
        waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert clock.monotonic() == 2
