"""What a circuit breaker costs: an attempt let through and finished under each kind of rule, and a refusal.

In CPU time, because nothing here waits. A refusal is told in microseconds, alone and as the outcome that a guard makes
of it; beside it stands pybreaker's, which is an exception.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from importlib import import_module

from measure import Contestant, race
from peers import BREAK_SECONDS, FAILURES, Work
from rung import Rung, tell

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.clock import SystemClock, system_chance
from data_source_orchestrator.core.policies import BreakerPolicy
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.resilience.breaker import CircuitBreaker
from data_source_orchestrator.resilience.guarded import guard

ROUNDS = 25
CALLS = 10_000

POLICIES = {
    "default": BreakerPolicy(),
    "attempt_failures": BreakerPolicy(attempt_failures=5),
    "failure_ratio, window=100": BreakerPolicy(failure_ratio=0.5, window=100),
    "failure_ratio, window_seconds=30": BreakerPolicy(failure_ratio=0.5, window_seconds=30),
    "every rule, window_seconds=30": BreakerPolicy(
        attempt_failures=5, failure_ratio=0.5, slow_ratio=0.5, slow_after=3, window_seconds=30
    ),
}

OPEN: dict[str, Json] = {"state": "open", "trips": 9, "retry_at": "9999-01-01T00:00:00+00:00"}
EMPTY, REFUSED, FORCED = "an empty call", "refused, open", "refused, forced open"
GUARDED, PYBREAKER = "refused by guard(...).call", "refused by pybreaker"


def nothing() -> None:
    """Do nothing, as the measure of a plain call."""


async def never() -> None:
    """Stand for work that an open breaker lets nobody reach."""
    raise AssertionError("an open breaker let this through")


def admitted(breaker: CircuitBreaker, verdict: Verdict) -> None:
    """Let an attempt through and take its permit back, many times."""
    for _ in range(CALLS):
        permit = breaker.admit()
        if permit is not None:
            breaker.finish(permit, verdict, 0.1)


def repeated(call: Callable[[], object]) -> None:
    """Call many times."""
    for _ in range(CALLS):
        call()


async def awaited(call: Work) -> None:
    """Await many times."""
    for _ in range(CALLS):
        await call()


def made(policy: BreakerPolicy) -> CircuitBreaker:
    """Return a closed breaker."""
    return CircuitBreaker(policy, clock=SystemClock(), chance=system_chance(1))


def opened() -> CircuitBreaker:
    """Return a breaker that stays open as long as anybody measures."""
    breaker = made(BreakerPolicy())
    breaker.restore(OPEN)
    return breaker


def pybreakers() -> Callable[[], object] | None:
    """Return a call that pybreaker refuses, or None where it is not installed."""
    try:
        pybreaker = import_module("pybreaker")
    except ImportError:
        return None
    breaker = pybreaker.CircuitBreaker(fail_max=FAILURES, reset_timeout=BREAK_SECONDS)
    breaker.open()

    def call() -> None:
        try:
            breaker.call(nothing)
        except pybreaker.CircuitBreakerError:
            return

    return call


def rungs() -> list[Rung]:
    """Measure, print the ladder from an empty call up, and return its rungs."""
    forced = made(BreakerPolicy())
    forced.force_open()
    steps: dict[str, Contestant] = {EMPTY: Contestant(partial(repeated, nothing), CALLS)}
    for name, policy in POLICIES.items():
        steps[f"admit + finish, {name}"] = Contestant(partial(admitted, made(policy), Verdict.SUCCESS), CALLS)
    steps[REFUSED] = Contestant(partial(repeated, opened().admit), CALLS)
    steps[FORCED] = Contestant(partial(repeated, forced.admit), CALLS)
    if (others := pybreakers()) is not None:
        steps[PYBREAKER] = Contestant(partial(repeated, others), CALLS)
    guarded = partial(guard("bench", breaker=opened()).call, never)
    with asyncio.Runner() as runner:
        steps[GUARDED] = Contestant(lambda: runner.run(awaited(guarded)), CALLS)
        taken = race(steps, rounds=ROUNDS)
    taken.tell("one attempt, against an empty call", EMPTY)
    beside = {name: taken.microseconds(name) for name in (EMPTY, PYBREAKER) if name in steps}
    return [
        Rung(
            figure="refusal by an open breaker, `breaker.admit()` alone",
            measured=taken.microseconds(REFUSED),
            must=1,
            aim=0.4,
            unit="µs",
            beside=beside,
        ),
        Rung(
            figure="refusal by an open breaker, the outcome of `guard(...).call` included",
            measured=taken.microseconds(GUARDED),
            must=1,
            aim=0.4,
            unit="µs",
        ),
    ]


if __name__ == "__main__":
    tell(rungs())
