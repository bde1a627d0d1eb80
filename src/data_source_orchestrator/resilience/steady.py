"""Seconds that never run backwards, whatever the clock that was handed in does.

Where that steps back, time stands still for the step and goes on from there: what is waited for comes later by what
nobody has seen of it, never earlier.
"""

from data_source_orchestrator.core.clock import Clock


class Steady:
    """A clock's monotonic seconds, held to their promise."""

    def __init__(self, clock: Clock) -> None:
        self._monotonic = clock.monotonic
        self._last = clock.monotonic()
        self._stepped_back = 0.0
        self._wall_at_zero = clock.now().timestamp() - self._last

    def now(self) -> float:
        """Return seconds of which only differences mean anything."""
        now = self._monotonic()
        if now < self._last:
            self._stepped_back += self._last - now
        self._last = now
        return now + self._stepped_back

    def wall(self) -> float:
        """Return seconds since 1970 as the wall clock would tell them, had nobody set it since this was made."""
        return self._wall_at_zero + self.now()
