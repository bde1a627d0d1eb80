"""The moment by which something must have ended."""

from collections.abc import Callable

from data_source_orchestrator.core.clock import Clock, Timer


class Deadline:
    """A moment on a clock's monotonic scale, which may be put off while it is being waited for.

    It moves when a second caller with more time joins a fetch already under way. It never comes earlier, so that
    whoever waits for it looks again when it should have come.
    """

    __slots__ = ("_clock", "at")

    def __init__(self, clock: Clock, at: float) -> None:
        self._clock = clock
        self.at = at

    @classmethod
    def after(cls, clock: Clock, seconds: float) -> "Deadline":
        """Return the deadline that many seconds from now."""
        return cls(clock, clock.monotonic() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self.at - self._clock.monotonic())

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return self._clock.monotonic() >= self.at

    def call_when_due(self, call: Callable[[], None]) -> Timer:
        """Call when it comes as it stands now; whoever may have put it off meanwhile looks again then."""
        return self._clock.call_later(self.remaining, call)

    def put_off(self, at: float) -> None:
        """Move to a later moment; an earlier one changes nothing."""
        self.at = max(self.at, at)
