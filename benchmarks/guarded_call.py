"""What a full guarded call of a no-op coroutine costs, against a bare await of it, and beside peers.

`uv run --group peers python benchmarks/guarded_call.py`; in CPU time, because nothing here waits. What each peer does
of all that ours does is told in `peers.py`.
"""

import asyncio
from collections.abc import Mapping
from functools import partial

from measure import Contestant, Race, race
from peers import RETRIES_ALONE, STACK, STACKS, Work, installed
from rung import Rung, tell

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

ROUNDS = 41
CALLS = 1_000
FLOOR_CALLS = 20_000
"""A bare await takes so little that it has to be repeated more often to be seen."""

BARE, TIMEOUT, TASK = "bare await", "asyncio.timeout", "a task"
FULL, ALONE = "full guarded call of a source", "guard(...).call"


async def no_op() -> int:
    """Do nothing, as the work of every step."""
    return 1


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


def full() -> Work:
    """Return a call of a source: deadline, attempt timeout, retry, budget, breaker, rate limiter, health, metrics."""
    clock, chance = SystemClock(), system_chance(1)
    source: Source[int] = Source(key="bench", fetcher=no_op, attempt_timeout=10)
    retry, health = Retry(RetryConfig(), 3), LiveHealth()
    held = Guard(
        "bench",
        breaker=CircuitBreaker(BreakerPolicy(), clock=clock, chance=chance),
        budget=RetryBudget(BudgetPolicy()),
        clock=clock,
        chance=chance,
        alarms=Alarms(clock),
        events=Unheard(),
    )
    pace = LimitPolicy(rate=RateLimitPolicy(limit=10**6, per=0.001, burst=10**6))
    held.limits = Limits([scope_of("bench", pace, clock)])
    call_of = held.calls.of(source.fetcher)

    async def call() -> object:
        deadline = Deadline.after(clock, 30)
        wanted = SourceCall(source, call_of, deadline=deadline, started=clock.monotonic(), make_context=no_context)
        executed = await held.run(wanted, retry)
        health.note(executed, clock.now())
        return executed

    return call


def alone() -> Work:
    """Return the public guard's call of the work, with the defaults and a limit for the attempt."""
    return partial(guard("bench", attempt_timeout=10).call, no_op)


async def repeated(step: Work, calls: int) -> None:
    """Make many calls, so that starting them does not count."""
    for _ in range(calls):
        await step()


async def every_step() -> dict[str, Work]:
    """Return what is compared, the installed peers included."""
    ours: dict[str, Work] = {TIMEOUT: with_timeout, TASK: in_a_task, FULL: full(), ALONE: alone()}
    return ours | installed(STACKS, no_op) | installed(RETRIES_ALONE, no_op)


def raced(runner: asyncio.Runner, steps: Mapping[str, Work]) -> Race:
    """Race these steps against a bare await, on that runner's loop."""

    def contestant(step: Work, calls: int) -> Contestant:
        return Contestant(lambda: runner.run(repeated(step, calls)), calls)

    compared = {BARE: contestant(no_op, FLOOR_CALLS)} | {name: contestant(each, CALLS) for name, each in steps.items()}
    return race(compared, rounds=ROUNDS)


def rungs() -> list[Rung]:
    """Measure, print the ladder from a bare await up, and return its rungs."""
    with asyncio.Runner() as runner:
        steps = runner.run(every_step())
        taken = raced(runner, steps)
    taken.tell("one call of a no-op coroutine, against a bare await", BARE)
    against_bare = taken.ratios(BARE)
    beside = {name: figure for name, figure in against_bare.items() if name not in {BARE, FULL, ALONE}}
    found = [
        Rung(
            figure="full guarded call of a source, against a bare await",
            measured=against_bare[FULL],
            must=25,
            aim=12,
            beside=beside,
        ),
        Rung(
            figure="`guard(...).call` with the defaults, against a bare await",
            measured=against_bare[ALONE],
            must=25,
            aim=12,
        ),
    ]
    if STACK in steps:
        cheaper = taken.ratio(STACK, FULL)
        figure = f"how much cheaper that is than the {STACK}"
        found.append(Rung(figure=figure, measured=cheaper, must=25, aim=50, more_is_better=True))
    return found


if __name__ == "__main__":
    tell(rungs())
