"""What is wanted from a source: its fetcher's answer, in its time, accepted by its contract."""

import math
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from msgspec import Struct

from data_source_orchestrator.core.claim import Record, flaw_of
from data_source_orchestrator.core.context import FetchContext, Notes
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.outcome import Executed
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.core.verdicts import FailureKind, Verdict
from data_source_orchestrator.resilience.common_cause import UNREACHED, excuse, is_answer, not_reached
from data_source_orchestrator.resilience.fetch import Call
from data_source_orchestrator.resilience.suspects import Suspects, Withheld, answered, in_doubt
from data_source_orchestrator.resilience.wording import EMPTY

T = TypeVar("T")

ContextOf = Callable[["SourceCall[Any]", int, Notes], FetchContext]
"""Makes the context of a call's attempt of that number, which is told to those `Notes`."""

Recorder = Callable[[Executed[Any]], None]
"""Records an execution."""


class SourceCall(Struct, Generic[T], eq=False):
    """One execution of a source; `attempts` is the number of the last attempt that began.

    Whoever asked for it and waits no longer says so by making it `unwanted`. `among` are the suspects with which it is
    judged, None where it is judged alone.
    """

    source: Source[T]
    call: Call[T]
    deadline: Deadline
    started: float
    make_context: ContextOf
    attempts: int = 0
    unwanted: bool = False
    among: Suspects | None = None
    withheld: Withheld | None = None

    @property
    def timeout(self) -> float:
        """The seconds that the source gives to all of it."""
        return in_seconds(self.source.timeout)

    @property
    def attempt_timeout(self) -> float:
        """The seconds that the source gives to one attempt; infinity for no limit."""
        own = self.source.attempt_timeout
        return math.inf if own is None else in_seconds(own)

    @property
    def threaded(self) -> bool:
        """Whether the fetcher runs in a thread."""
        return self.call.threaded

    @property
    def runs(self) -> Sequence[Suspects]:
        """The runs in which its failures may be our own fault."""
        return () if self.among is None else (self.among,)

    def note_failure(self, kind: FailureKind) -> None:
        """Hear that an attempt has failed: an error is an answer too, and no answer may be our own fault."""
        if kind in UNREACHED:
            if in_doubt(self.runs):
                self.withheld = self.withheld or Withheld(self.source.key, self.runs)
        elif is_answer(kind):
            answered(self.runs)
        elif self.withheld is not None:
            self.withheld.told_nothing()

    def record(self, executed: Executed[T], record: Recorder) -> bool:
        """Record how it ended, as soon as it is known whose fault it was; return whether that is already so."""
        if executed.verdict is Verdict.SUCCESS:
            answered(self.runs)
        if self.withheld is None or not not_reached(executed.outcome):
            record(executed)
            return True
        return not self.withheld.add(executed.outcome.kind, partial(_record_late, executed, record))

    def begin(self, number: int, notes: Notes) -> Coroutine[Any, Any, T]:
        """Call the fetcher; a context is made only for one that takes it."""
        self.attempts = number
        call = self.call
        return call.begin(self.make_context(self, number, notes)) if call.takes_context else call.begin()

    def breach(self, payload: T) -> FetchError | None:
        """Return what the source's contract says against an answer."""
        return breach_of(self.source, payload)


class ProbeCall(SourceCall[Any], eq=False):
    """One check of a source by its light probe, whose answer may be anything; an attempt has all of its timeout."""

    @property
    def attempt_timeout(self) -> float:
        """The seconds that one attempt has: all of them."""
        return self.timeout

    def breach(self, payload: Any) -> FetchError | None:
        """Accept whatever a probe gives; what a fetcher gives has to be data."""
        return None if self.source.probe else super().breach(payload)


def _record_late(executed: Executed[Any], record: Recorder, *, excused: bool) -> None:
    record(excuse(executed) if excused else executed)


def breach_of(source: Source[T], payload: T) -> FetchError | None:
    """Return what a source's contract says against an answer of its fetcher."""
    if payload is None:
        return FetchError(FailureKind.EMPTY, EMPTY)
    rows = source.records(payload)
    return source.contract.breach(rows) or (_unkeepable(rows) if rows else None)


def _unkeepable(rows: Iterable[object]) -> FetchError | None:
    """Return what is wrong with the first record that nobody could keep, so that it fails only its own source."""
    for number, row in enumerate(rows, start=1):
        flaw = flaw_of(row) if isinstance(row, Record) else None
        if flaw is not None:
            return FetchError(FailureKind.CONTENT, f"row {number}: {flaw}")
    return None
