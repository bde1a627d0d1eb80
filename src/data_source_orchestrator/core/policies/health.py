"""When a source is called degraded or down."""

from dataclasses import dataclass

from data_source_orchestrator.core.durations import LONGEST, count, share
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.telling import told

LONGEST_WINDOW = 100
"""Executions that are remembered of one source: no window reaches further back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthPolicy:
    """When a source is called degraded or down.

    Degraded from `degraded_after` consecutive failed executions, and while `recent_failures` of the last
    `recent_window`, at most 100, failed; down from `down_after`. Slow, and so degraded, when the mean latency of the
    last 10 successes is above `slow_factor` times the baseline, or above `slow_share` of the source's timeout.
    """

    degraded_after: int = 1
    down_after: int = 3
    recent_failures: int = 2
    recent_window: int = 10
    slow_factor: float = 2.0
    slow_share: float = 0.8

    def __post_init__(self) -> None:
        count(self.degraded_after, "health.degraded_after", least=1)
        count(self.down_after, "health.down_after", least=1)
        count(self.recent_failures, "health.recent_failures", least=1)
        count(self.recent_window, "health.recent_window", least=1, most=LONGEST_WINDOW)
        share(self.slow_share, "health.slow_share")
        _factor(self.slow_factor, "health.slow_factor")
        if self.degraded_after > self.down_after:
            raise ConfigurationError(
                f"health.degraded_after is {self.degraded_after} and health.down_after {self.down_after};"
                " give a down_after that is at least degraded_after"
            )
        if self.recent_failures > self.recent_window:
            raise ConfigurationError(
                f"health.recent_failures is {self.recent_failures} and health.recent_window {self.recent_window}:"
                " so many cannot fail of so few; give a recent_window that is at least recent_failures"
            )


def _factor(value: object, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 < value <= LONGEST:
        raise ConfigurationError(f"{name} is {told(value)}; give a number above 1 and at most {LONGEST:g}")
