"""What is wanted from a source: the fetcher to call, the time it has, and what its answer must be.

It must not call anything itself.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from data_source_orchestrator.core.claim import Record, flaw_of
from data_source_orchestrator.core.context import FetchContext, Warn
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.source import Fetcher, Source
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.resilience.fetch import Breach, Call
from data_source_orchestrator.resilience.wording import EMPTY

T = TypeVar("T")

ContextOf = Callable[[int, Warn], FetchContext]
"""Makes the context of the attempt of that number, whose warnings go to that `Warn`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted(Generic[T]):
    """What all attempts of one call have in common.

    `started` is when the call began, `limit` bounds each attempt, and `timeout` is the source's own time for all.
    """

    call: Call[T]
    breach: Breach[T]
    context: ContextOf
    deadline: Deadline
    started: float
    limit: float | None
    timeout: float


class Wants:
    """Remembers how each of a source's fetchers wants to be called."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._calls: dict[int, Call[Any]] = {}  # a call holds its fetcher, so no other can come to have its id

    def execution(self, source: Source[T], context: ContextOf, deadline: Deadline, started: float) -> Wanted[T]:
        """Return what an execution wants: the fetcher's answer, accepted by the source's contract."""
        return Wanted(
            call=self._call(source.fetcher),
            breach=partial(_breach, source),
            context=context,
            deadline=deadline,
            started=started,
            limit=None if source.attempt_timeout is None else in_seconds(source.attempt_timeout),
            timeout=in_seconds(source.timeout),
        )

    def check(self, source: Source[Any], context: ContextOf, deadline: Deadline, started: float) -> Wanted[Any]:
        """Return what a check wants: an answer of the probe, whatever it is, or else of the fetcher, accepted."""
        timeout = in_seconds(source.timeout)
        return Wanted(
            call=self._call(source.probe or source.fetcher),
            breach=_accept_anything if source.probe else partial(_breach, source),
            context=context,
            deadline=deadline,
            started=started,
            limit=timeout,
            timeout=timeout,
        )

    def _call(self, fetcher: Fetcher[Any]) -> Call[Any]:
        known = self._calls.get(id(fetcher))
        if known is None:
            known = self._calls[id(fetcher)] = Call(fetcher, self._key)
        return known


def _breach(source: Source[T], payload: T) -> FetchError | None:
    if payload is None:
        return FetchError(FailureKind.EMPTY, EMPTY)
    rows = source.records(payload)
    return source.contract.breach(rows) or _unkeepable(rows)


def _unkeepable(rows: Iterable[object]) -> FetchError | None:
    """Return what is wrong with the first record that nobody could keep, so that it fails only its own source."""
    for number, row in enumerate(rows, start=1):
        flaw = flaw_of(row) if isinstance(row, Record) else None
        if flaw is not None:
            return FetchError(FailureKind.CONTENT, f"row {number}: {flaw}")
    return None


def _accept_anything(_payload: object) -> None:
    return None
