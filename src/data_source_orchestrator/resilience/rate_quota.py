"""What is left of the allowance that an upstream itself has told."""

from dataclasses import dataclass

from data_source_orchestrator.core.allowance import Allowance

SAME_WINDOW = 1.0
"""Seconds by which two tellings of one window's end may differ: upstreams tell whole seconds."""


@dataclass(slots=True)
class Quota:
    """At most `left` more calls before `until`, a moment on the clock's monotonic scale; `told` was said last."""

    told: int
    left: int
    until: float

    def take(self, n: int) -> None:
        """Count calls that were let through."""
        self.left -= n

    def give_back(self, n: int) -> None:
        """Count calls that were not made after all, never above what the upstream said."""
        self.left = min(self.told, self.left + n)

    def tells_of(self, until: float) -> bool:
        """Whether a window that ends then is this one."""
        return abs(until - self.until) <= SAME_WINDOW

    def lower(self, allowance: Allowance) -> bool:
        """Believe a later word on the same window where it leaves less; answers may arrive in any order."""
        self.told = min(self.told, allowance.remaining)
        lowered = self.left > self.told
        self.left = min(self.left, self.told)
        return lowered
