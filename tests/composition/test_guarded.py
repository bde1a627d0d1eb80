"""The guard that stands on its own: outcomes from `call`, values and exceptions where it decorates."""

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from data_source_orchestrator import (
    BreakerPolicy,
    BudgetPolicy,
    CircuitBreaker,
    ConcurrencyPolicy,
    ConfigurationError,
    Failure,
    FetchError,
    Guarded,
    LimitPolicy,
    ManualClock,
    RetryBudget,
    RetryConfig,
    Skipped,
    SourceFailedError,
    Success,
    guard,
)
from data_source_orchestrator.core.events import AttemptFinished, Event, FetcherAbandoned
from data_source_orchestrator.testing import VirtualClock

PLAIN = RetryConfig(jitter=False)


def safe(**settings: Any) -> Guarded:
    return guard("prices", clock=VirtualClock(), retry=PLAIN, **settings)


async def add(one: int, two: int = 1) -> int:
    return one + two


async def test_a_call_gives_its_outcome():
    outcome = await safe().call(add, 1, two=2)
    assert isinstance(outcome, Success)
    assert (outcome.data, outcome.source, outcome.attempts) == (3, "prices", 1)


async def test_failures_are_outcomes_and_retried():
    calls: list[float] = []
    clock = VirtualClock()

    async def down() -> None:
        calls.append(clock.monotonic())
        raise ConnectionError("down")

    outcome = await guard("prices", clock=clock, retry=PLAIN, max_retries=2).call(down)
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.attempts, calls) == ("connection", 3, [0, 1, 3])


class Least:
    """Chance that gives the least that there is."""

    def random(self) -> float:
        return 0.0


async def down() -> None:
    raise ConnectionError("down")


async def test_unless_told_otherwise_it_tries_four_times_within_thirty_seconds():
    guarded = guard("prices", clock=VirtualClock())
    outcome = await guarded.call(asyncio.sleep, 100)
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.duration) == ("timeout", 30)
    outcome = await guarded.call(down)
    assert isinstance(outcome, Failure)
    assert outcome.attempts == 4


async def test_the_retries_of_its_policy_come_before_its_own():
    outcome = await guard("prices", clock=VirtualClock(), retry=RetryConfig(max_retries=1), max_retries=5).call(down)
    assert isinstance(outcome, Failure)
    assert outcome.attempts == 2


async def test_its_chance_is_the_one_that_it_is_handed():
    calls: list[float] = []
    clock = VirtualClock()

    async def noted() -> None:
        calls.append(clock.monotonic())
        raise ConnectionError("down")

    guarded = guard("prices", clock=clock, chance=Least(), breaker=BreakerPolicy(failures=1), max_retries=2)
    await guarded.call(noted)
    assert calls == [0, 0.75, 2.25]
    assert guarded.breaker.retry_after == 22.5


async def test_a_decorated_function_gives_its_value_and_raises_its_own_error():
    guarded = safe(max_retries=0)

    @guarded
    async def divide(one: int, two: int) -> float:
        """Divide."""
        return one / two

    assert (divide.__name__, divide.__doc__) == ("divide", "Divide.")
    assert await divide(6, two=3) == 2
    with pytest.raises(ZeroDivisionError):
        await divide(1, 0)


async def test_a_method_can_be_decorated():
    class Shop:
        price = 5

        @safe()
        async def cost(self, number: int) -> int:
            return self.price * number

    assert await Shop().cost(3) == 15


async def test_a_plain_function_runs_in_a_thread():
    outcome = await safe().call(lambda: threading.current_thread().name)
    assert isinstance(outcome, Success)
    assert outcome.data == "dso-fetcher-<lambda>"
    outcome = await safe().call(functools.partial(lambda: threading.current_thread().name))
    assert isinstance(outcome, Success)
    assert outcome.data == "dso-fetcher-call"


async def test_a_plain_function_is_given_its_arguments():
    def subtract(one: int, *, two: int) -> int:
        return one - two

    outcome = await safe().call(subtract, 5, two=3)
    assert isinstance(outcome, Success)
    assert outcome.data == 2


async def test_arguments_that_do_not_fit_fail_as_any_other_bug(caplog: pytest.LogCaptureFixture):
    outcome = await safe().call(add)  # type: ignore[call-overload]  # that is the point
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.attempts) == ("bug", 1)
    assert "missing 1 required" in outcome.message
    assert caplog.messages == ["prices: a bug in its fetcher, or in what checks its rows"]


class Stubborn:
    """Goes on for 100 s whatever is asked of it."""

    async def __call__(self, *_ignored: object) -> None:
        until = asyncio.get_running_loop().time() + 100
        while (left := until - asyncio.get_running_loop().time()) > 0:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(left)


async def stubborn(*_ignored: object) -> None:
    await Stubborn()()


@pytest.mark.parametrize(
    "function",
    [stubborn, functools.partial(stubborn, 1), Stubborn()],
    ids=["an async def", "a partial one", "an object that is called as one"],
)
async def test_whatever_gives_a_coroutine_runs_in_no_thread(function: Callable[[], Coroutine[Any, Any, None]]):
    heard: list[Event] = []
    guarded = safe(timeout=5, max_retries=0, on_event=heard.append)
    await guarded.call(function)
    assert guarded.listener is not None
    assert await guarded.listener.heard_out(20)
    assert [event.thread for event in heard if isinstance(event, FetcherAbandoned)] == [False]


async def test_a_time_limit_inside_the_function_is_its_own_affair():
    async def patient() -> str:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await asyncio.sleep(10)
        await asyncio.sleep(5)
        return "data"

    outcome = await safe().call(patient)
    assert isinstance(outcome, Success)
    assert outcome.duration == 6


async def test_whoever_was_cancelled_may_still_tidy_up_with_a_plain_function():
    tidied: list[object] = []

    async def work() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            tidied.append(await safe().call(lambda: "tidy"))

    task = asyncio.ensure_future(work())
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [outcome.data for outcome in tidied if isinstance(outcome, Success)] == ["tidy"]


async def test_an_open_breaker_refuses_and_a_decorated_function_says_so():
    guarded = safe(max_retries=0, breaker=BreakerPolicy(failures=1))

    async def down() -> None:
        raise ConnectionError("down")

    await guarded.call(down)
    assert isinstance(await guarded.call(down), Skipped)
    with pytest.raises(SourceFailedError, match="circuit breaker is open"):
        await guarded(down)()


async def test_guards_may_share_a_breaker():
    clock = VirtualClock()
    breaker = CircuitBreaker(BreakerPolicy(failures=1), clock=clock)
    one, two = (guard(name, breaker=breaker, clock=clock, max_retries=0) for name in ("one", "two"))

    async def down() -> None:
        raise ConnectionError("down")

    await one.call(down)
    assert isinstance(await two.call(add, 1), Skipped)


def test_guards_may_share_a_budget():
    budget = RetryBudget(BudgetPolicy())
    assert all(guard(name, budget=budget).budget is budget for name in ("one", "two"))


@pytest.mark.parametrize("setting", ["timeout", "attempt_timeout", "max_retries"])
async def test_a_setting_that_cannot_be_meant_is_refused_by_name(setting: str):
    with pytest.raises(ConfigurationError, match=f"^prices.{setting} is -1"):
        safe(**{setting: -1})


async def test_time_limits_cut_and_a_wrong_order_is_refused_naming_both():
    outcome = await safe(timeout=3, attempt_timeout=2, max_retries=0).call(asyncio.sleep, 10)
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.duration) == ("timeout", 2)
    with pytest.raises(
        ConfigurationError, match=r"prices.attempt_timeout is 5 and prices.timeout 3.*lower the one or raise the other$"
    ):
        safe(timeout=3, attempt_timeout=5)
    safe(timeout=3, attempt_timeout=3)


async def test_its_time_is_that_of_the_clock_that_it_is_handed():
    clock = ManualClock()
    running = asyncio.ensure_future(guard(timeout=30, clock=clock, max_retries=0).call(asyncio.Event().wait))
    await asyncio.sleep(0)
    clock.advance(31)
    outcome = await running
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.duration) == ("timeout", 31)


async def test_a_cancellation_passes_and_is_no_failure():
    guarded = safe()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await guarded.call(asyncio.sleep, 10)
    assert guarded.breaker.statistics.failures == 0
    assert guarded.breaker.statistics.released == 1


async def test_a_wish_to_end_the_program_is_raised_as_it_is():
    async def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        await safe().call(leave)


async def test_arguments_that_do_not_fit_are_a_bug_and_no_crash():
    outcome = await safe().call(add, 1, 2, 3)  # type: ignore[call-overload]  # that is the subject
    assert isinstance(outcome, Failure)
    assert outcome.kind == "bug"


async def test_what_happens_is_told_and_a_none_is_a_value():
    heard: list[Event] = []

    async def nothing() -> None:
        return None

    guarded = safe(on_event=heard.append)
    outcome = await guarded.call(nothing)
    assert isinstance(outcome, Success)
    assert guarded.listener is not None
    assert await guarded.listener.heard_out(20)
    assert [event.verdict for event in heard if isinstance(event, AttemptFinished)] == ["success"]


async def test_its_own_error_says_how_a_function_failed():
    async def refuse() -> None:
        raise FetchError("blocked", "a challenge page")

    with pytest.raises(FetchError, match="challenge"):
        await safe()(refuse)()


async def test_a_cancellation_passes_a_thread_after_a_second_and_is_not_followed_by_a_retry():
    clock, opened = VirtualClock(), threading.Event()
    calls: list[int] = []
    guarded = guard("prices", clock=clock, timeout=20, attempt_timeout=10, retry=PLAIN)

    def hang() -> None:
        calls.append(1)
        opened.wait()

    try:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await guarded.call(hang)
        assert clock.monotonic() == pytest.approx(4)
        assert (len(calls), guarded.abandoned) == (1, 1)
    finally:
        opened.set()


async def test_a_task_that_is_cancelled_already_is_cancelled_and_no_bug():
    async def call() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await safe().call(asyncio.sleep, 5)

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(call())


async def test_a_function_that_returns_a_coroutine_gives_what_that_gives():
    outcome = await safe().call(lambda: add(1, 2))
    assert isinstance(outcome, Success)
    assert outcome.data == 3


async def test_a_clock_that_is_moved_inside_the_function_leaves_no_cancellation_behind():
    clock = ManualClock()

    async def moves() -> int:
        await asyncio.sleep(0)
        clock.advance(10)
        await asyncio.sleep(0)
        return 1

    outcome = await guard(timeout=5, clock=clock, max_retries=0).call(moves)
    assert isinstance(outcome, Failure)
    assert outcome.kind == "timeout"
    await asyncio.sleep(0)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@pytest.mark.parametrize("kind", ["attempt_started", "attempt_finished", "breaker_changed", "fetcher_abandoned"])
@pytest.mark.parametrize("error", [ValueError(), asyncio.CancelledError()], ids=repr)
async def test_a_listener_that_raises_costs_nothing_and_is_told(
    kind: str, error: BaseException, caplog: pytest.LogCaptureFixture
):
    def listen(event: Event) -> None:
        if event.type == kind:
            raise error

    limits = LimitPolicy(concurrency=ConcurrencyPolicy(limit=1))
    breaker = BreakerPolicy(failures=1, cool_down=5, spread=0)
    guarded = safe(on_event=listen, limits=limits, breaker=breaker, max_retries=0, timeout=3)

    async def swallows() -> None:
        for _ in range(9):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(1)

    assert isinstance(await guarded.call(swallows), Failure)
    await asyncio.sleep(10)
    assert isinstance(await guarded.call(add, 1), Success)
    assert isinstance(await guarded.call(add, 1), Success)
    assert guarded.listener is not None
    assert await guarded.listener.heard_out(20)
    assert guarded.listener.fares.errors > 0
    assert f"{guarded.listener.name}, raised on {kind}" in caplog.text


async def test_a_listener_that_hangs_holds_up_no_call_and_is_named():
    let_go = threading.Event()

    def listen(_event: Event) -> None:
        let_go.wait()

    guarded = safe(on_event=listen)
    try:
        outcome = await guarded.call(asyncio.sleep, 10, "data")
        assert isinstance(outcome, Success)
        assert (outcome.data, outcome.duration) == ("data", 10)
        assert guarded.listener is not None
        assert "test_a_listener_that_hangs_holds_up_no_call" in guarded.listener.fares.name
        assert guarded.listener.fares.waiting >= 1
    finally:
        let_go.set()


async def test_nobody_listens_unless_somebody_wants_to():
    assert safe().listener is None
    with pytest.raises(ConfigurationError, match="is an async function"):
        safe(on_event=asyncio.sleep)
