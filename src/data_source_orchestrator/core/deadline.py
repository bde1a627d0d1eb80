"""The moment by which something must have ended."""

from collections.abc import Callable

from msgspec import Struct

from data_source_orchestrator.core.clock import Clock, Timer


class Deadline(Struct, eq=False):
    """A moment on a clock's monotonic scale, which may be put off while it is being waited for.

    It moves when a second caller with more time joins a fetch already under way. It never comes earlier, so that
    whoever waits for it looks again when it should have come.
    """

    clock: Clock
    at: float

    @classmethod
    def after(cls, clock: Clock, seconds: float) -> "Deadline":
        """Return the deadline that many seconds from now."""
        return cls(clock, clock.monotonic() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self.at - self.clock.monotonic())

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return self.clock.monotonic() >= self.at

    def call_when_due(self, call: Callable[[], None]) -> Timer:
        """Call when it comes as it stands now; whoever may have put it off meanwhile looks again then."""
        return self.clock.call_later(self.remaining, call)

    def put_off(self, at: float) -> None:
        """Move to a later moment; an earlier one changes nothing."""
        self.at = max(self.at, at)
