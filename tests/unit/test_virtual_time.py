import asyncio
import socket
import threading

import pytest

from data_source_orchestrator.testing import DeadWaitError, VirtualClock, VirtualTimeLoop, run_virtual


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


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


def test_a_wait_that_nothing_can_end_is_told_at_once_with_who_waits_and_where():
    async def main() -> None:
        other = asyncio.create_task(forever(), name="the other")
        await asyncio.wait([other])

    with pytest.raises(DeadWaitError, match=r"dead wait.*the other at .*test_virtual_time\.py:\d+ in forever"):
        run_virtual(main())


def test_a_dead_wait_is_told_at_once_after_the_executor_has_done_its_work():
    async def main() -> None:
        await asyncio.to_thread(lambda: None)
        await forever()

    with pytest.raises(DeadWaitError):
        run_virtual(main())


def test_of_many_who_wait_ten_are_named_and_the_rest_counted():
    async def main() -> None:
        await asyncio.gather(*(forever() for _ in range(15)))

    with pytest.raises(DeadWaitError, match="and 6 more"):
        run_virtual(main())


async def test_what_waits_for_a_thread_or_a_socket_is_no_dead_wait():
    woken = asyncio.get_running_loop().create_future()
    loop = asyncio.get_running_loop()
    threading.Timer(0.02, lambda: loop.call_soon_threadsafe(woken.set_result, "woken")).start()
    assert await woken == "woken"


async def test_a_thread_that_asks_for_the_time_is_told_its_loops(clock: VirtualClock):
    await asyncio.sleep(5)
    assert clock.monotonic() == 5
    assert await asyncio.to_thread(clock.monotonic) == 5
    assert await asyncio.to_thread(clock.now) == clock.now()


def test_a_clock_that_no_loop_has_asked_yet_knows_no_time():
    with pytest.raises(RuntimeError, match="no running event loop"):
        VirtualClock().monotonic()


def test_a_wait_for_a_socket_that_stays_silent_is_called_dead_after_a_while(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("data_source_orchestrator.testing.virtual_time.DEAD_WAIT", 0.01)

    async def main() -> None:
        near, far = socket.socketpair()
        with near, far:
            near.setblocking(False)
            await asyncio.get_running_loop().sock_recv(near, 1)

    with pytest.raises(DeadWaitError):
        run_virtual(main())


def test_the_loop_tells_each_time_before_time_moves_on_and_how_many_timers_are_set():
    heard: list[tuple[float, int]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        loop.on_quiet = lambda: heard.append((loop.time(), loop.timers()))
        loop.call_later(9, lambda: None).cancel()
        await asyncio.gather(asyncio.sleep(1), asyncio.sleep(3))

    run_virtual(main())
    assert heard == [(0.0, 2), (1.0, 1)]


def test_an_answer_of_a_thread_that_has_just_ended_is_no_dead_wait(monkeypatch: pytest.MonkeyPatch):
    async def main() -> str:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str] = loop.create_future()

        def ends_now(_loop: VirtualTimeLoop) -> bool:
            loop.call_soon_threadsafe(answer.set_result, "data")
            return False

        monkeypatch.setattr(VirtualTimeLoop, "may_be_woken", ends_now)
        waited = await answer
        monkeypatch.undo()
        return waited

    assert run_virtual(main()) == "data"
