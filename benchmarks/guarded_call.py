"""What a full guarded call of a no-op coroutine costs, against a bare await of it, and beside peers."""

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module

from measure import Contestant, compare

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.clock import SystemClock, system_chance
from data_source_orchestrator.core.context import FetchContext
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.events import Unheard
from data_source_orchestrator.core.policies import (
    BreakerPolicy,
    BudgetPolicy,
    LimitPolicy,
    RateLimitPolicy,
    RetryConfig,
)
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.health.live import LiveHealth
from data_source_orchestrator.resilience.alarms import Alarms
from data_source_orchestrator.resilience.breaker import CircuitBreaker
from data_source_orchestrator.resilience.budget import RetryBudget
from data_source_orchestrator.resilience.guard import Guard
from data_source_orchestrator.resilience.guarded import guard
from data_source_orchestrator.resilience.limits import Limits, scope_of
from data_source_orchestrator.resilience.retry import Retry
from data_source_orchestrator.resilience.wanted import SourceCall

ROUNDS = 15
CALLS = 1_000

Step = Callable[[], Awaitable[object]]


async def no_op() -> int:
    """Do nothing, as the work of every step."""
    return 1


async def bare() -> object:
    """Await the work, and nothing else."""
    return await no_op()


async def with_timeout() -> object:
    """Await the work under the standard library's time limit."""
    async with asyncio.timeout(30):
        return await no_op()


async def in_a_task() -> object:
    """Await the work in a task of its own."""
    return await asyncio.create_task(no_op())


def no_context(*_: object) -> FetchContext:
    """Make no context, which the work does not take."""
    raise LookupError


def guarded() -> tuple[Step, Step]:
    """Return a full guarded call of the work, and one that an open breaker refuses."""
    clock, chance = SystemClock(), system_chance(1)
    source: Source[int] = Source(key="bench", fetcher=no_op, attempt_timeout=10)
    retry = Retry(RetryConfig(), 3)

    def call_with(breaker: CircuitBreaker) -> Step:
        held = Guard(
            "bench",
            breaker=breaker,
            budget=RetryBudget(BudgetPolicy()),
            clock=clock,
            chance=chance,
            alarms=Alarms(clock),
            events=Unheard(),
        )

        call_of = held.calls.of(source.fetcher)

        health = LiveHealth()
        pace = LimitPolicy(rate=RateLimitPolicy(limit=10**6, per=0.001, burst=10**6))
        held.limits = Limits([scope_of("bench", pace, clock)])

        async def call() -> object:
            deadline = Deadline.after(clock, 30)
            wanted = SourceCall(source, call_of, deadline=deadline, started=clock.monotonic(), make_context=no_context)
            executed = await held.run(wanted, retry)
            health.note(executed, clock.now())
            return executed

        return call

    opened: dict[str, Json] = {"state": "open", "trips": 9, "retry_at": "9999-01-01T00:00:00+00:00"}
    refusing = CircuitBreaker.from_state(opened, BreakerPolicy(), clock=clock, chance=chance)
    return call_with(CircuitBreaker(BreakerPolicy(), clock=clock, chance=chance)), call_with(refusing)


def standing_alone() -> Step:
    """Return the public guard's call of the work, with the defaults."""
    guarded = guard("bench", attempt_timeout=10)

    async def call() -> object:
        return await guarded.call(no_op)

    return call


def peers() -> Step | None:
    """Return the same work under tenacity, pybreaker and asyncio.timeout, or None where they are not installed."""
    try:
        pybreaker, tenacity = import_module("pybreaker"), import_module("tenacity")
    except ImportError:
        return None
    breaker = pybreaker.CircuitBreaker(fail_max=5, reset_timeout=30)

    async def attempt() -> object:
        with breaker.calling():
            async with asyncio.timeout(10):
                return await no_op()

    retried = tenacity.retry(stop=tenacity.stop_after_attempt(4), wait=tenacity.wait_exponential_jitter())(attempt)

    async def whole() -> object:
        async with asyncio.timeout(30):
            return await retried()

    return whole


async def repeated(step: Step) -> None:
    """Make many calls, so that starting them does not count."""
    for _ in range(CALLS):
        await step()


def main() -> None:
    """Print the ladder, from a bare await up."""
    call, refused = guarded()
    others = peers()
    steps: dict[str, Step] = {
        "bare await": bare,
        "asyncio.timeout": with_timeout,
        "a task": in_a_task,
        "refused by an open breaker": refused,
        "guarded call, limiter and health on": call,
        "guard(...).call": standing_alone(),
    }
    if others is not None:
        steps["tenacity + pybreaker + asyncio.timeout"] = others
    with asyncio.Runner() as runner:

        def contestant(step: Step) -> Contestant:
            return lambda: runner.run(repeated(step))

        compare({name: contestant(step) for name, step in steps.items()}, rounds=ROUNDS)
    if others is None:
        print("tenacity + pybreaker + asyncio.timeout: not installed; run it with `uv run --group peers`")


if __name__ == "__main__":
    main()
