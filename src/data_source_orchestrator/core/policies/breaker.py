"""When a source is left alone, and for how long."""

from dataclasses import dataclass

from data_source_orchestrator.core.durations import Seconds, count, in_seconds, seconds, share
from data_source_orchestrator.core.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """When a source is left alone, and for how long; times are in seconds.

    It trips on the `failures`-th consecutive failed execution; after `cool_down`, doubled at each failed probe
    up to `max_cool_down` and spread by ±`spread`, one attempt is let through.
    """

    failures: int = 5
    cool_down: Seconds = 30.0
    max_cool_down: Seconds = 600.0
    spread: float = 0.25

    def __post_init__(self) -> None:
        count(self.failures, "breaker.failures", least=1)
        object.__setattr__(self, "cool_down", seconds(self.cool_down, "breaker.cool_down"))
        object.__setattr__(self, "max_cool_down", seconds(self.max_cool_down, "breaker.max_cool_down"))
        share(self.spread, "breaker.spread")
        if in_seconds(self.cool_down) > in_seconds(self.max_cool_down):
            raise ConfigurationError(
                f"breaker.cool_down is {self.cool_down!r} and breaker.max_cool_down {self.max_cool_down!r};"
                " give a max_cool_down that is at least cool_down"
            )
