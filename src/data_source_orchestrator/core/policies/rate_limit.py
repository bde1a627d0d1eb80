"""How often something may be called."""

from dataclasses import dataclass

from data_source_orchestrator.core.durations import Seconds, count, seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitPolicy:
    """At most `limit` calls in any `per` seconds, evenly spaced; `burst` is how many may come at once.

    With `burst` None, which is 1, the first sentence is literally true. Each one more is one call more in the
    busiest `per` seconds: `limit` 60 with `burst` 60 lets 119 through in one minute.
    """

    limit: int
    per: Seconds
    burst: int | None = None

    def __post_init__(self) -> None:
        count(self.limit, "rate_limit.limit", least=1)
        object.__setattr__(self, "per", seconds(self.per, "rate_limit.per"))
        if self.burst is not None:
            count(self.burst, "rate_limit.burst", least=1)

    @property
    def at_once(self) -> int:
        """How many calls may come at once."""
        return 1 if self.burst is None else self.burst
