"""How many calls reach a service that is down, for each that was wanted: blind retries, a budget, and layers of both.

After Marc Brooker, "Fixing retries with token buckets and circuit breakers" (2022), and B. Beyer and others, "Site
Reliability Engineering" (2016), chapter 22, on retries that are multiplied by each layer.
"""

from collections.abc import Callable

from data_source_orchestrator.core.policies import BudgetPolicy
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.resilience.budget import RetryBudget

Call = Callable[[], bool]


class Retrying:
    """One layer: calls what is below it again after a failure, as long as its budget pays, if it has one."""

    def __init__(self, below: Call, retries: int, budget: RetryBudget | None) -> None:
        self._below = below
        self._retries = retries
        self._budget = budget

    def __call__(self) -> bool:
        for left in range(self._retries, -1, -1):
            if self._below():
                if self._budget:
                    self._budget.refund()
                return True
            if not left or (self._budget and not self._budget.spend(FailureKind.SERVER)):
                return False
        return False


class Service:
    """Fails always, or each n-th time, and counts its calls."""

    def __init__(self, fails_every: int = 1) -> None:
        self.calls = 0
        self._fails_every = fails_every

    def __call__(self) -> bool:
        self.calls += 1
        return self.calls % self._fails_every != 0


def load(wanted: int, *, retries: int, budget: BudgetPolicy | None, layers: int = 1) -> float:
    """Return the calls that reach a service that is down, for each of those that were wanted."""
    service = Service()
    call: Call = service
    for _ in range(layers):
        call = Retrying(call, retries, RetryBudget(budget) if budget else None)
    for _ in range(wanted):
        call()
    return service.calls / wanted
