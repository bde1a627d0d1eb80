"""Whether and when to try again: the decision, which is pure, and the loop that acts on it.

It must not know what an attempt is made of, and raises nothing of its own.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar

from data_source_orchestrator.core.clock import Chance, Clock
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.policies import RetryConfig
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.resilience.attempt import Attempted
from data_source_orchestrator.resilience.backoff import delays
from data_source_orchestrator.resilience.breaker import Permit
from data_source_orchestrator.resilience.budget import RetryBudget
from data_source_orchestrator.resilience.classify import Failed
from data_source_orchestrator.resilience.wording import BUDGET_SPENT, OPENED_MEANWHILE, too_late

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wait:
    """Try again after that many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Do not try again; the warning tells why where the failure itself does not."""

    warning: str | None = None


def decide(failed: Failed, *, retries_left: int, delay: float, remaining: float) -> Wait | Stop:
    """Decide what follows a failed attempt; `delay` is our own wait and `remaining` what the deadline leaves.

    The upstream's own wait is kept exactly, in place of ours. A wait that cannot end inside the deadline is not begun.
    """
    if retries_left <= 0 or not failed.retryable or remaining <= 0:
        return Stop()
    server = failed.retry_after is not None
    wait = delay if failed.retry_after is None else failed.retry_after
    return Wait(wait) if wait < remaining else Stop(too_late(wait, remaining, server=server))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried(Generic[T]):
    """The last attempt and its permit, None where not even the first was let through; and why no other followed."""

    last: tuple[Permit, Attempted[T]] | None
    warning: str | None = None


Once = Callable[[int], Awaitable[tuple[Permit, Attempted[T]] | None]]
"""Makes the attempt of that number, or gives None where it is not let through."""

OnWait = Callable[[int, float, FailureKind], None]
"""Hears that the attempt of that number follows after so many seconds, and after what kind of failure."""


class Retry:
    """The retries of one source, all paid for from one budget."""

    def __init__(self, *, budget: RetryBudget, clock: Clock, chance: Chance, on_wait: OnWait) -> None:
        self._budget = budget
        self._clock = clock
        self._chance = chance
        self._on_wait = on_wait

    async def run(self, once: Once[T], *, config: RetryConfig, max_retries: int, deadline: Deadline) -> Tried[T]:
        """Attempt until one succeeds or nothing more is worth it; a half-open breaker's probe is never repeated."""
        waits = delays(config, self._chance)
        last: tuple[Permit, Attempted[T]] | None = None
        for number in count(1):
            made = await once(number)
            if made is None:
                return Tried(last=last, warning=OPENED_MEANWHILE)
            last = permit, attempted = made
            if not isinstance(attempted.result, Failed):
                self._budget.refund()
                break
            left = 0 if permit.probe else max_retries + 1 - number
            decision = decide(attempted.result, retries_left=left, delay=next(waits), remaining=deadline.remaining)
            if isinstance(decision, Stop):
                return Tried(last=last, warning=decision.warning)
            if not self._budget.spend(attempted.result.kind):
                return Tried(last=last, warning=BUDGET_SPENT)
            self._on_wait(number + 1, decision.seconds, attempted.result.kind)
            await self._clock.sleep(decision.seconds)
            if deadline.passed:
                break  # somebody held up the event loop while we slept
        return Tried(last=last)
