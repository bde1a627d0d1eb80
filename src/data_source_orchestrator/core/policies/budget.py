"""How many extra calls may be spent, on a source or in a run."""

from dataclasses import dataclass
from enum import StrEnum

from data_source_orchestrator.core.durations import count, flag
from data_source_orchestrator.core.errors import ConfigurationError


class Purpose(StrEnum):
    """What an extra call is for; each is paid for from the same budget."""

    RETRY = "retry"
    HEDGE = "hedge"
    PROBE = "probe"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetPolicy:
    """How many extra calls may be spent: a bucket of tokens, refilled by successes.

    A retry costs `retry_cost`, after a timeout `timeout_cost`; a success gives back `refund`. These figures are those
    of the AWS SDKs' standard retry mode. A hedge costs `hedge_cost`, as a retry does. Probes and refreshes cost what
    their success gives back, so a healthy source may have any number of them, and a failing one has not.

    Nothing is paid that would leave fewer than `reserve` tokens. With `charge_refused` the price of what is refused is
    taken all the same, as far as there are tokens.
    """

    tokens: int = 500
    retry_cost: int = 5
    timeout_cost: int = 10
    refund: int = 1
    hedge_cost: int = 5
    probe_cost: int = 1
    refresh_cost: int = 1
    reserve: int = 0
    charge_refused: bool = False

    def __post_init__(self) -> None:
        for name in ("tokens", "retry_cost", "timeout_cost", "refund", "hedge_cost", "probe_cost", "refresh_cost"):
            count(getattr(self, name), f"budget.{name}")
        count(self.reserve, "budget.reserve")
        flag(self.charge_refused, "budget.charge_refused")
        if self.reserve > self.tokens:
            raise ConfigurationError(
                f"budget.reserve is {self.reserve} and budget.tokens {self.tokens}, so nothing could ever be paid;"
                f" give a reserve from 0 to {self.tokens}"
            )

    @classmethod
    def grpc(cls) -> "BudgetPolicy":
        """Return gRPC's retry throttling (proposal A6), counted in tenths of its tokens.

        Of 10 tokens each failure takes 1 and each success gives back 0.1; at half or less nothing is tried again.
        """
        return cls(
            tokens=100,
            retry_cost=10,
            timeout_cost=10,
            refund=1,
            hedge_cost=0,
            probe_cost=0,
            refresh_cost=0,
            reserve=51,
            charge_refused=True,
        )
