"""Whether and when to try again: decided purely, one failed attempt after another.

It must not know what an attempt is made of; it neither waits nor raises.
"""

from dataclasses import dataclass

from data_source_orchestrator.core.clock import Chance
from data_source_orchestrator.core.policies import RetryConfig
from data_source_orchestrator.resilience.backoff import Backoff
from data_source_orchestrator.resilience.budget import Budget
from data_source_orchestrator.resilience.classify import Failed
from data_source_orchestrator.resilience.wording import BUDGET_SPENT, too_late


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


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how an execution is tried again."""

    config: RetryConfig
    max_retries: int

    def begin(self, budget: Budget, chance: Chance) -> "Retries":
        """Return the retries of one execution, paid for from a budget that others share."""
        return Retries(self, budget, chance)


class Retries:
    """The retries of one execution."""

    def __init__(self, retry: Retry, budget: Budget, chance: Chance) -> None:
        self._left = retry.max_retries
        self._budget = budget
        self._waits = iter(Backoff(retry.config, chance=chance))

    def after(self, failed: Failed, *, remaining: float) -> Wait | Stop:
        """Decide what follows a failed attempt, with so many seconds remaining, and pay for a retry."""
        decision = decide(failed, retries_left=self._left, delay=next(self._waits), remaining=remaining)
        if isinstance(decision, Wait) and not self._budget.spend(failed.kind):
            return Stop(BUDGET_SPENT)
        self._left -= 1
        return decision
