"""What asking a limiter costs where nobody has to wait, against reading the clock, and beside asyncio's semaphore."""

import asyncio
from collections.abc import Callable

from measure import Contestant, race

from data_source_orchestrator.core.clock import SystemClock
from data_source_orchestrator.core.policies import ConcurrencyPolicy, RateLimitPolicy
from data_source_orchestrator.resilience.concurrency import ConcurrencyLimiter
from data_source_orchestrator.resilience.limits import Limits, Passage, Scope
from data_source_orchestrator.resilience.rate_limiter import RateLimiter

ROUNDS = 15
CALLS = 20_000
WIDE = RateLimitPolicy(limit=10**7, per=1, burst=10**6)
CLOCK = SystemClock()
CLOCK_READ = "reading the clock"


def concurrency(*, adaptive: bool = False) -> ConcurrencyLimiter:
    """Return a limiter with room."""
    return ConcurrencyLimiter(ConcurrencyPolicy(limit=10, adaptive=adaptive), clock=CLOCK)


def in_and_out(limiter: ConcurrencyLimiter, *, overloaded: bool | None) -> Callable[[], None]:
    """Return what takes a slot and brings it back."""

    def step() -> None:
        slot = limiter.try_enter()
        if slot is not None:
            limiter.leave(slot, overloaded=overloaded)

    return step


def through(names: str) -> Callable[[], None]:
    """Return what passes scopes of these names, each with a pace and a limit, and comes back."""
    scopes = [
        Scope(name, rate=RateLimiter(WIDE, clock=CLOCK), concurrency=concurrency(), clock=CLOCK) for name in names
    ]
    limits = Limits(scopes)

    def step() -> None:
        passage = limits.try_enter()
        if isinstance(passage, Passage):
            limits.leave(passage)

    return step


def repeated(step: Callable[[], object]) -> Contestant:
    """Return many steps, so that starting them does not count."""

    def run() -> None:
        for _ in range(CALLS):
            step()

    return Contestant(run, CALLS)


async def semaphore() -> None:
    """Take asyncio's semaphore and bring it back."""
    held = asyncio.Semaphore(10)
    for _ in range(CALLS):
        async with held:
            pass


def main() -> None:
    """Print the ladder, from reading the clock up."""
    spent = RateLimiter(RateLimitPolicy(limit=1, per=3600), clock=CLOCK)
    spent.check()
    with asyncio.Runner() as runner:
        taken = race(
            {
                CLOCK_READ: repeated(CLOCK.monotonic),
                "a pace that lets through": repeated(RateLimiter(WIDE, clock=CLOCK).check),
                "a pace that refuses": repeated(spent.check),
                "a slot, taken and brought back": repeated(in_and_out(concurrency(), overloaded=None)),
                "a slot of an adaptive limit": repeated(in_and_out(concurrency(adaptive=True), overloaded=False)),
                "asyncio.Semaphore": Contestant(lambda: runner.run(semaphore()), CALLS),
                "one scope, pace and slot": repeated(through("a")),
                "three scopes, pace and slot": repeated(through("abc")),
            },
            rounds=ROUNDS,
        )
    taken.tell("asking once, CPU", CLOCK_READ)


if __name__ == "__main__":
    main()
