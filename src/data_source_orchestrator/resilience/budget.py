"""How many retries a source may still spend: a bucket of tokens, as in the AWS SDKs' standard retry mode.

A healthy source never notices it; a source that is down soon gets about one call for each that was wanted.
"""

from data_source_orchestrator.core.policies import BudgetPolicy
from data_source_orchestrator.core.verdicts import FailureKind


class RetryBudget:
    """The tokens of one source, shared by all its calls; it begins full."""

    def __init__(self, policy: BudgetPolicy) -> None:
        self.policy = policy
        self.tokens = policy.tokens
        self.refusals = 0

    def spend(self, after: FailureKind) -> bool:
        """Pay for a retry after a failure of this kind; False, and one refusal more, where the tokens are too few."""
        cost = self.policy.timeout_cost if after is FailureKind.TIMEOUT else self.policy.retry_cost
        if self.tokens < cost:
            self.refusals += 1
            return False
        self.tokens -= cost
        return True

    def refund(self) -> None:
        """Give back what a success is worth, never above the whole."""
        self.tokens = min(self.policy.tokens, self.tokens + self.policy.refund)
