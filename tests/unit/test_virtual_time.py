import asyncio
import threading

import pytest

from data_source_orchestrator.testing import VirtualClock, run_virtual


async def test_a_long_sleep_takes_exactly_its_virtual_time(clock: VirtualClock):
    await asyncio.sleep(86_400 * 3)
    assert clock.monotonic() == pytest.approx(86_400 * 3)


async def test_sleepers_wake_in_the_order_of_their_moments(clock: VirtualClock):
    woken: list[float] = []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    await asyncio.gather(sleeper(0.3), sleeper(0.1), sleeper(0.2))
    assert woken == [0.1, 0.2, 0.3]


async def test_time_stands_still_while_a_thread_of_the_executor_works():
    opened = threading.Event()
    loop = asyncio.get_running_loop()
    waiting = loop.run_in_executor(None, opened.wait)
    timer = loop.call_later(5, lambda: None)
    threading.Timer(0.05, opened.set).start()
    assert await waiting
    assert loop.time() < 5
    timer.cancel()


def test_a_wait_that_nothing_can_end_is_told_instead_of_hanging(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("data_source_orchestrator.testing.virtual_time.DEAD_WAIT", 0.01)

    async def forever() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="dead wait"):
        run_virtual(forever())
