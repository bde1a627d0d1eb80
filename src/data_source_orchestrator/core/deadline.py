"""The moment by which something must have ended."""

from collections.abc import Callable

from data_source_orchestrator.core.clock import Clock


class Deadline:
    """A moment on a clock's monotonic scale that may be put off while it is being waited for.

    It moves when a second caller with more time joins a fetch already under way; whoever waits on it is told.
    """

    __slots__ = ("_at", "_clock", "_moved")

    def __init__(self, clock: Clock, at: float) -> None:
        self._clock = clock
        self._at = at
        self._moved: list[Callable[[float], None]] = []

    @classmethod
    def after(cls, clock: Clock, seconds: float) -> "Deadline":
        """Return the deadline that many seconds from now."""
        return cls(clock, clock.monotonic() + seconds)

    @property
    def at(self) -> float:
        """The moment, on the clock's monotonic scale."""
        return self._at

    @property
    def remaining(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self._at - self._clock.monotonic())

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return self._clock.monotonic() >= self._at

    def put_off(self, at: float) -> None:
        """Move to a later moment; an earlier one changes nothing."""
        if at <= self._at:
            return
        self._at = at
        for tell in tuple(self._moved):
            tell(at)

    def watch(self, tell: Callable[[float], None]) -> Callable[[], None]:
        """Call `tell` with each new moment; return what ends the watch."""
        self._moved.append(tell)
        return lambda: self._moved.remove(tell)
