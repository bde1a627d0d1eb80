"""What extra calls may still be spent: buckets of tokens, as in the AWS SDKs' standard retry mode.

A healthy source never notices; a source that is down soon gets about one call for each that was wanted. Retries,
hedges, probes and refreshes pay from the same bucket: one for each source, one for the whole run, or both at once.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.policies import BudgetPolicy, Purpose
from data_source_orchestrator.core.verdicts import FailureKind

OnRefusal = Callable[[Purpose], None]
"""Hears what an extra call would have been for, where the tokens were too few."""


class Budget(ABC):
    """Pays for extra calls, or refuses; the first attempt of an execution asks nobody."""

    @abstractmethod
    def pay(self, purpose: Purpose, after: FailureKind | None = None) -> bool:
        """Pay for an extra call, after a failure of that kind if any; False where the tokens are too few."""

    @abstractmethod
    def refund(self) -> None:
        """Give back what a success is worth, never above the whole."""

    def spend(self, after: FailureKind) -> bool:
        """Pay for a retry after a failure of this kind."""
        return self.pay(Purpose.RETRY, after)

    def spend_hedge(self) -> bool:
        """Pay for a second call beside a slow one, or at once after the first has failed."""
        return self.pay(Purpose.HEDGE)

    def spend_probe(self) -> bool:
        """Pay for a health check that nobody asked for by hand."""
        return self.pay(Purpose.PROBE)

    def spend_refresh(self) -> bool:
        """Pay for fetching anew in the background what could still be served."""
        return self.pay(Purpose.REFRESH)


class RetryBudget(Budget):
    """The tokens of one source, or of one run, shared by all its calls; it begins full."""

    def __init__(self, policy: BudgetPolicy, *, on_refusal: OnRefusal | None = None) -> None:
        self.policy = policy
        self.on_refusal = on_refusal
        self.tokens = policy.tokens
        self._refused: dict[Purpose, int] = {}

    @property
    def refusals(self) -> int:
        """How many extra calls were refused."""
        return sum(self._refused.values())

    def refused(self, purpose: Purpose) -> int:
        """Return how many extra calls for this purpose were refused."""
        return self._refused.get(purpose, 0)

    def follow(self, policy: BudgetPolicy) -> None:
        """Pay by another policy from now on; what was spent stays spent."""
        spent = self.policy.tokens - self.tokens
        self.policy, self.tokens = policy, max(0, policy.tokens - spent)

    def pay(self, purpose: Purpose, after: FailureKind | None = None) -> bool:
        """Pay for an extra call; False, and one refusal more, where the tokens are too few."""
        return _pay_from((self,), purpose, after)

    def refund(self) -> None:
        """Give back what a success is worth, never above the whole."""
        most = self.policy.tokens
        if self.tokens < most:
            self.tokens = min(most, self.tokens + self.policy.refund)

    def price(self, purpose: Purpose, after: FailureKind | None = None) -> int:
        """Return what an extra call costs; what follows a timeout is dear, because it may find the same hang."""
        match purpose:
            case Purpose.RETRY:
                return self.policy.timeout_cost if after is FailureKind.TIMEOUT else self.policy.retry_cost
            case Purpose.HEDGE:
                return self.policy.hedge_cost
            case Purpose.PROBE:
                return self.policy.probe_cost
            case Purpose.REFRESH:
                return self.policy.refresh_cost

    def covers(self, price: int) -> bool:
        """Return whether that much can be paid now."""
        return self.tokens - price >= self.policy.reserve

    def take(self, price: int) -> None:
        """Take that many tokens, or those that there are."""
        self.tokens = max(0, self.tokens - price)

    def count_refusal(self, purpose: Purpose) -> None:
        """Count an extra call that this budget could not pay for, and tell of it."""
        self._refused[purpose] = self.refused(purpose) + 1
        if self.on_refusal is not None:
            self.on_refusal(purpose)

    def to_state(self) -> dict[str, Json]:
        """Return what may survive a restart."""
        return {"tokens": self.tokens}

    def restore(self, state: Json) -> None:
        """Take over a state as `to_state` left it; one that cannot be read changes nothing."""
        match state:
            case {"tokens": int(tokens)} if not isinstance(tokens, bool):
                self.tokens = min(self.policy.tokens, max(0, tokens))


class JointBudget(Budget):
    """Several budgets that pay together, all or none: a source's and its run's."""

    def __init__(self, *budgets: RetryBudget) -> None:
        self.budgets = budgets

    def pay(self, purpose: Purpose, after: FailureKind | None = None) -> bool:
        """Pay each budget's own price; where one cannot, that one counts the refusal and no other pays."""
        return _pay_from(self.budgets, purpose, after)

    def refund(self) -> None:
        """Give each budget back what a success is worth to it."""
        for budget in self.budgets:
            budget.refund()


def _pay_from(budgets: Sequence[RetryBudget], purpose: Purpose, after: FailureKind | None) -> bool:
    prices = [(budget, budget.price(purpose, after)) for budget in budgets]
    short = [budget for budget, price in prices if not budget.covers(price)]
    for budget, price in prices:
        if not short or budget.policy.charge_refused:
            budget.take(price)
    for budget in short:
        budget.count_refusal(purpose)
    return not short
