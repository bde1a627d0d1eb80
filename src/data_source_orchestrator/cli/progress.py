"""What a person watches during a run: the state of each source, folded from the events that the house emits.

Pure but for the board, which only remembers; it shows nothing, and no result is made of it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from data_source_orchestrator.core.events import (
    AttemptStarted,
    BytesReceived,
    Event,
    RetryScheduled,
    RunStarted,
    SourceChecked,
    SourceFinished,
    SourceUnreached,
)
from data_source_orchestrator.core.outcome import Outcome
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.core.verdicts import FailureKind


@dataclass(frozen=True, slots=True)
class Waiting:
    """Its turn has not come."""


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """It is not asked."""


@dataclass(frozen=True, slots=True)
class Asking:
    """An attempt is under way."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Pausing:
    """The next attempt begins at `until`, on the monotonic scale."""

    attempt: int
    until: float
    kind: FailureKind


@dataclass(frozen=True, slots=True)
class Ended:
    """It has its outcome."""

    outcome: Outcome[object]


@dataclass(frozen=True, slots=True)
class Checked:
    """Its health check has ended."""

    answered: bool


State = Waiting | SwitchedOff | Asking | Pausing | Ended | Checked


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One source in a run; `received` are the bytes of its present attempt, times are on the monotonic scale."""

    key: str
    title: str
    state: State = Waiting()
    received: int = 0
    began: float | None = None
    ended: float | None = None

    def elapsed(self, now: float) -> float | None:
        """Return the seconds since it was first asked, None where it was not."""
        if self.began is None:
            return None
        return (now if self.ended is None else self.ended) - self.began


def advanced(line: Line, event: Event, now: float) -> Line:
    """Return a source's line after one of its events."""
    began = now if line.began is None else line.began
    match event:
        case AttemptStarted(attempt=attempt):
            return replace(line, state=Asking(attempt), received=0, began=began)
        case BytesReceived(total=total):
            return replace(line, received=total)
        case RetryScheduled(attempt=attempt, delay=delay, kind=kind):
            return replace(line, state=Pausing(attempt, now + delay, kind))
        case SourceUnreached(executed=executed) | SourceFinished(executed=executed):
            # One that was not reached has ended already when it is known whose fault that was.
            return replace(line, state=Ended(executed.outcome), ended=now if line.ended is None else line.ended)
        case SourceChecked(ok=answered):
            return replace(line, state=Checked(answered), ended=now)
        case _:
            return line


class Board:
    """Remembers the lines of one run; hand it every event, and ask it for `lines`."""

    def __init__(self, sources: Iterable[Source[Any]], monotonic: Callable[[], float]) -> None:
        self._sources = {source.key: source for source in sources}
        self._monotonic = monotonic
        self._lines: dict[str, Line] = {}

    @property
    def lines(self) -> tuple[Line, ...]:
        """The sources that the run is about, in its order."""
        return tuple(self._lines.values())

    @property
    def now(self) -> float:
        """The present moment on the scale of the lines."""
        return self._monotonic()

    def begin_checks(self) -> None:
        """Begin with a health check of every source that is enabled."""
        firsts = [_first(source) for source in self._sources.values()]
        asked = Asking(1)
        self._lines = {
            line.key: replace(line, state=asked, began=self.now) if line.state == Waiting() else line for line in firsts
        }

    def __call__(self, event: Event) -> None:
        """Take in an event."""
        if isinstance(event, RunStarted):
            self._lines = {key: _first(self._sources[key]) for key in event.sources}
            return
        key = _source_of(event)
        if key in self._lines:
            self._lines[key] = advanced(self._lines[key], event, self.now)


def _first(source: Source[Any]) -> Line:
    return Line(key=source.key, title=source.title, state=Waiting() if source.enabled else SwitchedOff())


def _source_of(event: Event) -> str | None:
    if isinstance(event, SourceFinished | SourceUnreached):
        return event.executed.outcome.source
    key = getattr(event, "source", None)
    return key if isinstance(key, str) else None
