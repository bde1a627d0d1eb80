"""How many retries a source may spend."""

from dataclasses import dataclass

from data_source_orchestrator.core.durations import count


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetPolicy:
    """How many retries a source may spend: a bucket of tokens, refilled by successes.

    A retry costs `retry_cost`, after a timeout `timeout_cost`; a success gives back `refund`. The figures are
    those of the AWS SDKs' standard retry mode.
    """

    tokens: int = 500
    retry_cost: int = 5
    timeout_cost: int = 10
    refund: int = 1

    def __post_init__(self) -> None:
        count(self.tokens, "budget.tokens")
        count(self.retry_cost, "budget.retry_cost")
        count(self.timeout_cost, "budget.timeout_cost")
        count(self.refund, "budget.refund")
