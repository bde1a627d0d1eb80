"""Cancellation, abandonment, and what a fetcher should never raise; nothing is left behind but what A24 names."""

import asyncio
import contextlib
import gc
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from test_resilience_rig import PLAIN, Rig, failure, lasting, success, swallowing

from data_source_orchestrator.core.clock import ManualClock
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.events import AttemptFinished, FetcherAbandoned
from data_source_orchestrator.core.policies import BreakerPolicy
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.resilience.attempt import ProgramExit
from data_source_orchestrator.resilience.retry import Retry
from data_source_orchestrator.testing import VirtualTimeLoop, run_virtual

DOWN = ConnectionError("refused")


def others() -> set[asyncio.Task[Any]]:
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}


def live_timers() -> list[asyncio.TimerHandle]:
    return [handle for handle in asyncio.get_running_loop()._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]  # asyncio tells it nowhere else


async def half_open(rig: Rig) -> None:
    await rig.trip()
    await asyncio.sleep(31)


async def test_a_caller_s_cancellation_cancels_the_attempt_and_passes_on():
    rig = Rig()
    ended: list[float] = []

    async def hang(_ctx: object) -> None:
        try:
            await asyncio.sleep(100)
        finally:
            ended.append(rig.clock.monotonic())

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3):
            await rig.execute(rig.script(hang))
    assert ended == [3]
    assert rig.clock.monotonic() == 3
    assert rig.told(AttemptFinished)[0].verdict is Verdict.RELEASED
    assert rig.breaker.to_state()["failures"] == 0
    assert (others(), live_timers()) == (set(), [])


async def test_a_cancellation_during_a_wait_passes_on_at_once():
    rig = Rig()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await rig.execute(rig.script(DOWN))
    assert rig.clock.monotonic() == 0.5
    assert live_timers() == []


async def test_a_cancelled_caller_waits_for_a_fetcher_that_tidies_up():
    rig = Rig()
    tidied: list[float] = []

    async def tidy(_ctx: object) -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(0.75)
            tidied.append(rig.clock.monotonic())

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3):
            await rig.execute(rig.script(tidy))
    assert tidied == [3.75]
    assert (rig.guard.abandoned, others()) == (0, set())


async def test_a_fetcher_that_swallows_its_cancellation_is_abandoned_after_a_second_a24():
    rig = Rig()
    outcome = failure(await rig.execute(swallowing, timeout=5))
    assert (outcome.kind, outcome.duration) == ("timeout", 6)
    abandoned = rig.told(FetcherAbandoned)[0]
    assert (abandoned.source, abandoned.thread) == ("prices", False)
    assert abandoned.after == pytest.approx(1)
    assert rig.guard.abandoned == 1


async def test_a_fetcher_that_is_still_going_on_is_not_called_a_second_time_a24():
    rig = Rig()
    script = rig.script(swallowing, "data")
    outcome = failure(await rig.execute(script, attempt_timeout=2))
    assert (outcome.kind, outcome.attempts, script.calls, rig.guard.abandoned) == ("timeout", 1, [0], 1)
    assert "still going on" in outcome.warnings[0]


async def test_every_abandoned_fetcher_is_counted_and_lives_on_in_a_task_named_after_its_source_a24():
    rig = Rig()
    for _ in range(2):
        await rig.execute(swallowing, timeout=5)
    assert rig.guard.abandoned == 2
    assert [task.get_name() for task in others()] == ["dso-abandoned-prices"] * 2


async def test_a_thread_that_hangs_is_tried_again_in_another_a24():
    rig = Rig()
    opened = threading.Event()
    calls: list[int] = []

    def hangs_once() -> str:
        calls.append(1)
        if len(calls) == 1:
            opened.wait()
        return "data"

    assert success(await rig.execute(hangs_once, attempt_timeout=2)).attempts == 2
    opened.set()


async def test_a_cancelled_caller_abandons_a_swallowing_fetcher_after_a_second_a24():
    rig = Rig()
    await half_open(rig)
    began = rig.clock.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3):
            await rig.execute(swallowing)
    assert rig.clock.monotonic() - began == pytest.approx(4)
    assert rig.guard.abandoned == 1
    assert (rig.breaker.state, rig.breaker.admits) == ("half_open", True)


@pytest.mark.parametrize("after", [0.25, 0.5])
async def test_a_second_cancellation_while_waiting_leaves_everything_consistent(after: float):
    rig = Rig()
    await half_open(rig)
    began = rig.clock.monotonic()
    deadline = Deadline.after(rig.clock, 30)
    task = asyncio.ensure_future(rig.execute(swallowing, deadline=deadline))
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.sleep(after)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert rig.clock.monotonic() - began <= 2.000001
    assert (rig.breaker.state, rig.breaker.admits) == ("half_open", True)
    assert (rig.guard.abandoned) == 1


async def test_a_cancellation_during_the_grace_of_a_timeout_passes_on_and_interrupts_the_tidying_as_any_second_one():
    rig = Rig()

    async def tidy(_ctx: object) -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(0.75)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5.25):
            await rig.execute(rig.script(tidy), timeout=5)
    assert rig.clock.monotonic() == 5.25
    assert (rig.guard.abandoned, others(), live_timers()) == (0, set(), [])


async def test_a_call_cancelled_before_its_first_step_leaves_nothing():
    rig = Rig()
    task = asyncio.ensure_future(rig.execute(rig.script(lasting(5))))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (others(), live_timers(), rig.events) == (set(), [], [])


async def test_a_call_cancelled_in_the_moment_in_which_its_fetch_begins_leaves_nothing():
    rig = Rig()
    await half_open(rig)
    task = asyncio.ensure_future(rig.execute(rig.script(lasting(5))))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (others(), live_timers(), rig.breaker.admits) == (set(), [], True)


async def test_a_late_error_of_an_abandoned_fetcher_is_heard_by_nobody_a24(caplog: pytest.LogCaptureFixture):
    rig = Rig()
    unheard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: unheard.append(context))

    async def stubborn(_ctx: object) -> None:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            await asyncio.sleep(50)
            raise DOWN from None

    await rig.execute(rig.script(stubborn), timeout=5)
    await asyncio.sleep(60)
    gc.collect()
    await asyncio.sleep(0)
    assert (others(), unheard, caplog.records) == (set(), [], [])


def test_a_fetcher_that_swallows_every_cancellation_does_not_keep_the_program_from_ending_a24():
    rig_events: list[Any] = []

    async def forever(_ctx: object) -> object:
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                continue

    async def main() -> None:
        rig = Rig()
        await rig.execute(rig.script(forever), timeout=5)
        rig_events.extend(rig.told(FetcherAbandoned))

    run_virtual(main())
    assert len(rig_events) == 1


@pytest.mark.parametrize("grouped", [False, True])
async def test_a_cancellation_that_nobody_asked_for_is_a_bug_of_the_fetcher_a24(grouped: bool):
    rig = Rig()
    error = asyncio.CancelledError()
    executed = await rig.execute(rig.script(BaseExceptionGroup("all", [error]) if grouped else error))
    outcome = failure(executed)
    assert (outcome.kind, outcome.attempts, executed.verdict) == ("bug", 1, Verdict.FAILURE)
    assert "nobody had cancelled it" in outcome.message


async def stubborn_child() -> None:
    """Swallow every cancellation for 100 s."""
    until = asyncio.get_running_loop().time() + 100
    while (left := until - asyncio.get_running_loop().time()) > 0:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(left)


async def awaits_a_task(_ctx: object) -> None:
    await asyncio.create_task(stubborn_child())


async def gathers(_ctx: object) -> None:
    await asyncio.gather(stubborn_child(), stubborn_child())


async def groups(_ctx: object) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(stubborn_child())


STUBBORN = [awaits_a_task, gathers, groups]


@pytest.mark.parametrize("fetch", STUBBORN)
async def test_a_fetcher_that_waits_for_a_task_that_swallows_is_abandoned_like_one_that_does_a24(fetch: Any):
    rig = Rig()
    outcome = failure(await rig.execute(rig.script(fetch), timeout=5))
    assert (outcome.kind, rig.guard.abandoned) == ("timeout", 1)
    assert outcome.duration == pytest.approx(6)


@pytest.mark.parametrize("fetch", STUBBORN)
async def test_a_caller_s_cancellation_passes_such_a_fetcher_after_a_second_a24(fetch: Any):
    rig = Rig()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3):
            await rig.execute(rig.script(fetch))
    assert rig.clock.monotonic() == pytest.approx(4)
    assert rig.guard.abandoned == 1


async def test_a_time_limit_inside_a_fetcher_is_none_of_ours():
    rig = Rig()

    async def limited(_ctx: object) -> str:
        for _ in range(3):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await asyncio.create_task(asyncio.sleep(100))
        await asyncio.sleep(4)
        return "data"

    assert success(await rig.execute(rig.script(limited))).duration == 10


async def test_a_child_s_own_cancellation_is_none_of_the_caller_s():
    rig = Rig()

    async def cancels_its_child(_ctx: object) -> str:
        child = asyncio.create_task(asyncio.sleep(100))
        await asyncio.sleep(1)
        child.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await child
        await asyncio.sleep(5)
        return "data"

    assert success(await rig.execute(rig.script(cancels_its_child))).duration == 6


async def fails_at_once() -> None:
    raise DOWN


async def tidies_for_two_seconds() -> None:
    try:
        await asyncio.sleep(100)
    finally:
        await asyncio.sleep(2)


async def test_a_task_group_that_ends_its_children_is_given_its_time():
    rig = Rig()

    async def group(_ctx: object) -> str:
        try:
            async with asyncio.TaskGroup() as children:
                children.create_task(tidies_for_two_seconds())
                children.create_task(fails_at_once())
        except* ConnectionError:
            await asyncio.sleep(3)
        return "another way"

    for _ in range(2):
        outcome = success(await rig.execute(rig.script(group)))
        assert (outcome.data, outcome.duration, rig.guard.abandoned) == ("another way", 5, 0)


async def test_the_error_of_a_task_group_is_the_fetcher_s_and_no_cancellation():
    rig = Rig()

    async def group(_ctx: object) -> None:
        async with asyncio.TaskGroup() as children:
            children.create_task(asyncio.sleep(1))
            children.create_task(fails_at_once())

    call = rig.wanted(rig.script(group))
    outcome = failure(await rig.guard.run(call, Retry(PLAIN, 2)))
    assert (outcome.kind, outcome.attempts) == ("connection", 3)


async def test_an_error_of_what_is_waited_for_reaches_the_fetcher():
    rig = Rig()

    async def failing() -> None:
        await asyncio.sleep(1)
        raise DOWN

    async def handles(_ctx: object) -> str:
        for waiting in (asyncio.create_task(failing()), asyncio.gather(failing()), asyncio.shield(failing())):
            try:
                await waiting
            except ConnectionError:
                continue
        return "data"

    assert success(await rig.execute(rig.script(handles))).duration == 1


async def test_a_cancellation_and_a_limit_at_one_moment_are_both_kept():
    rig = Rig()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await rig.execute(rig.script(lasting(100)), timeout=5)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    assert (others(), live_timers()) == (set(), [])


async def test_no_cancellation_of_ours_is_left_on_the_caller_s_task():
    rig = Rig()
    for fetch in (lasting(100), swallowing, awaits_a_task):
        await rig.execute(rig.script(fetch), timeout=5, retries=0)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await asyncio.sleep(1)


@pytest.mark.parametrize("error", [BaseException("odd"), GeneratorExit()], ids=repr)
async def test_any_other_base_exception_is_kind_bug_a24(error: BaseException):
    rig = Rig()
    outcome = failure(await rig.execute(rig.script(error)))
    assert (outcome.kind, outcome.error, outcome.attempts) == ("bug", error, 1)


@pytest.mark.parametrize("threaded", [False, True])
@pytest.mark.parametrize("wish", [KeyboardInterrupt(), SystemExit(3)], ids=repr)
@pytest.mark.parametrize("grouped", [False, True])
async def test_a_fetcher_s_wish_to_end_the_program_is_carried_to_the_caller_a24(
    wish: BaseException, threaded: bool, grouped: bool
):
    rig = Rig()
    await half_open(rig)
    error = BaseExceptionGroup("all", [DOWN, wish]) if grouped else wish

    def raising() -> None:
        raise error

    with pytest.raises(ProgramExit) as raised:
        await rig.execute(raising if threaded else rig.script(error))
    assert raised.value.cause is wish
    assert (rig.breaker.state, rig.breaker.admits) == ("half_open", True)
    assert rig.told(AttemptFinished)[0].verdict is Verdict.RELEASED
    assert (others(), live_timers()) == (set(), [])


async def test_a_wish_to_end_the_program_is_heard_even_within_the_grace_a24():
    rig = Rig()

    async def late(_ctx: object) -> None:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            raise SystemExit(3) from None

    with pytest.raises(ProgramExit) as raised:
        await rig.execute(rig.script(late), timeout=5)
    assert isinstance(raised.value.cause, SystemExit)
    assert str(raised.value) == "a fetcher asked the program to end: SystemExit(3)"


async def test_a_fetcher_that_never_waits_for_anything_but_its_turn_is_cut_all_the_same():
    clock = ManualClock()
    rig = Rig(clock)

    turns: list[int] = []

    async def busy() -> str:
        for turn in range(100):
            turns.append(turn)
            await asyncio.sleep(0)
        return "too late"

    run = asyncio.ensure_future(rig.execute(busy, timeout=5, retries=0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    clock.advance(5)
    assert failure(await run).kind == "timeout"
    assert len(turns) < 5


async def test_a_fetcher_that_moves_the_clock_past_its_time_is_cut_at_its_next_wait_and_may_tidy_up():
    clock = ManualClock()
    rig = Rig(clock)
    seen: list[str] = []

    async def hasty() -> None:
        await asyncio.sleep(0)
        clock.advance(5)
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            seen.append("cut")
            await asyncio.sleep(0)
            seen.append("tidied up")
            raise

    assert failure(await rig.execute(hasty, timeout=5, retries=0)).kind == "timeout"
    assert (seen, rig.guard.abandoned) == (["cut", "tidied up"], 0)


async def test_a_check_carries_the_wish_to_end_the_program_too_a24():
    rig = Rig()
    with pytest.raises(ProgramExit):
        await rig.check(rig.script(KeyboardInterrupt()))


async def test_a_call_that_is_thrown_away_gives_its_permit_back_even_where_its_fetcher_refuses_to_end():
    rig = Rig()
    await half_open(rig)
    closed: list[str] = []

    async def refusing() -> None:
        try:
            await asyncio.sleep(100)
        except GeneratorExit:
            closed.append("refused")
            raise RuntimeError("not yet") from None

    call = rig.guard.run(rig.wanted(refusing), Retry(PLAIN, 3))
    call.send(None)
    call.close()
    assert (rig.breaker.state, rig.breaker.admits) == ("half_open", True)
    assert closed == ["refused"]


async def test_a_call_that_is_thrown_away_gives_its_permit_back_and_ends_its_fetch():
    rig = Rig()
    await half_open(rig)
    deadline = Deadline.after(rig.clock, 30)
    call = rig.guard.run(rig.wanted(rig.script(lasting(100)), deadline=deadline), Retry(PLAIN, 3))
    call.send(None)
    await asyncio.sleep(1)
    call.close()
    assert (rig.breaker.state, rig.breaker.admits) == ("half_open", True)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (others(), live_timers()) == (set(), [])


def test_a_call_that_is_thrown_away_after_its_loop_is_closed_gives_its_permit_back(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.CRITICAL)  # asyncio tells of the fetch that it left hanging
    clock = ManualClock()
    rig = Rig(clock, breaker=BreakerPolicy(failures=1))
    calls: list[Any] = []

    async def main() -> None:
        await rig.trip()
        clock.advance(31)
        calls.append(rig.guard.run(rig.wanted(rig.script(lasting(100))), Retry(PLAIN, 3)))
        calls[0].send(None)

    loop = VirtualTimeLoop()
    loop.run_until_complete(main())
    loop.close()
    assert (rig.breaker.state, rig.breaker.admits) == ("half_open", False)
    calls[0].close()
    assert (rig.breaker.state, rig.breaker.admits) == ("half_open", True)


async def test_a_thread_that_hangs_is_abandoned_after_a_second_a24():
    rig = Rig()
    opened = threading.Event()
    before = set(threading.enumerate())
    try:
        outcome = failure(await rig.execute(opened.wait, timeout=5))
        assert outcome.kind == "timeout"
        assert outcome.duration == pytest.approx(6)
        abandoned = rig.told(FetcherAbandoned)[0]
        assert (abandoned.thread, rig.guard.abandoned) == (True, 1)
        hanging = set(threading.enumerate()) - before
        assert [(thread.name, thread.daemon) for thread in hanging] == [("dso-fetcher-prices", True)]
    finally:
        opened.set()
    for thread in hanging:
        thread.join(5)


async def test_a_thread_that_ends_within_the_grace_is_not_abandoned_a24():
    rig = Rig()
    opened = threading.Event()
    asyncio.get_running_loop().call_later(5.5, opened.set)
    outcome = failure(await rig.execute(opened.wait, timeout=5))
    assert outcome.kind == "timeout"
    assert (rig.guard.abandoned, others()) == (0, set())


@pytest.mark.parametrize("late", ["a value", "an error", "a coroutine"])
def test_what_a_thread_returns_after_the_loop_is_closed_is_dropped_silently_a24(
    late: str, caplog: pytest.LogCaptureFixture
):
    opened = threading.Event()

    async def unwanted() -> None:
        pass

    def slow() -> object:
        opened.wait()
        if late == "an error":
            raise DOWN
        return unwanted() if late == "a coroutine" else "data"

    async def main() -> None:
        rig = Rig()
        await rig.guard.run(rig.wanted(slow, timeout=5), Retry(PLAIN, 3))

    before = set(threading.enumerate())
    run_virtual(main())
    (thread,) = set(threading.enumerate()) - before
    opened.set()
    thread.join(5)
    gc.collect()
    assert caplog.records == []


async def test_a_coroutine_that_a_thread_returns_too_late_is_closed_a24():
    rig = Rig()
    opened = threading.Event()

    async def unwanted() -> None:
        pass

    def slow() -> object:
        opened.wait()
        return unwanted()

    await rig.execute(slow, timeout=5)
    opened.set()
    await asyncio.sleep(1)
    gc.collect()
    assert others() == set()


@pytest.mark.parametrize(
    "lines",
    [
        ("data",),
        (DOWN,),
        (DOWN, "data"),
        (lasting(100),),
        (lasting(2), "data"),
        (FetchError("client"),),
        (None,),
        (TypeError(),),
    ],
    ids=[
        "data",
        "a failure",
        "a failure and a retry",
        "a call that is cut",
        "a slow failure and a retry",
        "a failure that is not retried",
        "nothing",
        "a bug",
    ],
)
async def test_no_task_timer_thread_or_watch_outlives_the_call_d05_d07(
    lines: tuple[Any, ...], caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.CRITICAL)
    rig = Rig()
    threads = set(threading.enumerate())
    deadline = Deadline.after(rig.clock, 20)
    source: Source[Any] = Source(key="prices", fetcher=rig.script(*lines), timeout=20, attempt_timeout=10)
    await rig.execute(source, retry=PLAIN, deadline=deadline)
    assert (others(), live_timers()) == (set(), [])
    assert set(threading.enumerate()) <= threads


@pytest.mark.parametrize("returned", [lambda: "data", lambda: asyncio.sleep(0.25, "data")])
async def test_a_plain_function_s_thread_ends_with_the_call_d05(returned: Callable[[], object]):
    rig = Rig()
    threads = set(threading.enumerate())
    assert success(await rig.execute(returned)).data == "data"
    for thread in set(threading.enumerate()) - threads:
        thread.join(5)
    assert (others(), live_timers()) == (set(), [])
