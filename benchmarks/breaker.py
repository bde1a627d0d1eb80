"""What a circuit breaker costs: an attempt let through and finished under each kind of rule, and a refusal.

In CPU time, because nothing here waits: what else the machine does would only blur it.
"""

import time  # noqa: TID251 — a benchmark measures real time
from collections.abc import Callable
from functools import partial

from measure import Contestant, compare

from data_source_orchestrator.core.clock import SystemClock, system_chance
from data_source_orchestrator.core.policies import BreakerPolicy
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.resilience.breaker import CircuitBreaker

ROUNDS = 25
CALLS = 20_000

POLICIES = {
    "default": BreakerPolicy(),
    "attempt_failures": BreakerPolicy(attempt_failures=5),
    "failure_ratio, window=100": BreakerPolicy(failure_ratio=0.5, window=100),
    "failure_ratio, window_seconds=30": BreakerPolicy(failure_ratio=0.5, window_seconds=30),
    "every rule, window_seconds=30": BreakerPolicy(
        attempt_failures=5, failure_ratio=0.5, slow_ratio=0.5, slow_after=3, window_seconds=30
    ),
}


def nothing() -> None:
    """Do nothing, as the measure of a plain call."""


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


def made(policy: BreakerPolicy) -> CircuitBreaker:
    """Return a closed breaker."""
    return CircuitBreaker(policy, clock=SystemClock(), chance=system_chance(1))


def main() -> None:
    """Print the ladder, from an empty call up."""
    opened, forced = made(BreakerPolicy()), made(BreakerPolicy())
    opened.restore({"state": "open", "trips": 9, "retry_at": "9999-01-01T00:00:00+00:00"})
    forced.force_open()
    steps: dict[str, Contestant] = {"an empty call": partial(repeated, nothing)}
    for name, policy in POLICIES.items():
        steps[f"admit + finish, {name}"] = partial(admitted, made(policy), Verdict.SUCCESS)
    steps["refused, open"] = partial(repeated, opened.admit)
    steps["refused, forced open"] = partial(repeated, forced.admit)
    compare(steps, rounds=ROUNDS, unit=time.process_time)


if __name__ == "__main__":
    main()
