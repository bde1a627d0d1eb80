"""When a slow call is joined by a second one."""

from dataclasses import dataclass

from data_source_orchestrator.core.durations import Seconds, count, in_seconds, seconds
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.telling import told

LATENCIES_KEPT = 100
"""Latencies of successes from which the quantile is told; older ones are forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgePolicy:
    """When a slow call is joined by a second one; times are in seconds.

    The second starts when the first has lasted longer than `quantile` of the source's latest successes, but never
    before `least`, and not at all before `minimum_samples` successes were seen. A fixed `delay` takes the place of
    all that; 0 starts both at once.
    """

    quantile: float = 0.95
    least: Seconds = 0.001
    delay: Seconds | None = None
    minimum_samples: int = 20

    def __post_init__(self) -> None:
        _inside(self.quantile, "hedge.quantile")
        object.__setattr__(self, "least", seconds(self.least, "hedge.least", zero=True))
        if self.delay is not None:
            object.__setattr__(self, "delay", seconds(self.delay, "hedge.delay", zero=True))
        count(self.minimum_samples, "hedge.minimum_samples", least=1)
        if self.minimum_samples > LATENCIES_KEPT:
            raise ConfigurationError(
                f"hedge.minimum_samples is {self.minimum_samples}, and only the last {LATENCIES_KEPT} latencies are"
                f" kept; give a whole number from 1 to {LATENCIES_KEPT}"
            )

    @property
    def fixed(self) -> float | None:
        """The fixed delay in seconds, None where the latencies decide."""
        return None if self.delay is None else in_seconds(self.delay)


def _inside(value: object, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise ConfigurationError(f"{name} is {told(value)}; give a number between 0 and 1, as 0.95")
