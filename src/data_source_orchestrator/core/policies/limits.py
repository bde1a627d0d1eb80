"""How fast and how many at once a source, a host, or everything together may be asked."""

from dataclasses import dataclass

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies.concurrency import ConcurrencyPolicy
from data_source_orchestrator.core.policies.rate_limit import RateLimitPolicy
from data_source_orchestrator.core.telling import told


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitPolicy:
    """The pace and the number of calls at once in one scope; None sets no limit of that kind."""

    rate: RateLimitPolicy | None = None
    concurrency: ConcurrencyPolicy | None = None

    def __post_init__(self) -> None:
        if self.rate is not None and not isinstance(self.rate, RateLimitPolicy):
            raise ConfigurationError(f"limits.rate is {told(self.rate)}; give a RateLimitPolicy, or None")
        if self.concurrency is not None and not isinstance(self.concurrency, ConcurrencyPolicy):
            raise ConfigurationError(
                f"limits.concurrency is {told(self.concurrency)}; give a ConcurrencyPolicy, or None"
            )
