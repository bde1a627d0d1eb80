"""One attempt, from its call to what it says about whom it asked.

It must not know of other attempts, nor what the permit that this one holds is for.
"""

import logging
from collections.abc import Coroutine
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.context import Warn
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.events import Events, FetcherAbandoned, LoopBlocked
from data_source_orchestrator.core.outcome import CutShort
from data_source_orchestrator.core.verdicts import FailureKind, Verdict
from data_source_orchestrator.resilience.alarms import Alarms
from data_source_orchestrator.resilience.bounded import Bounded, Bounds
from data_source_orchestrator.resilience.breaker import Permit
from data_source_orchestrator.resilience.chaos import Chaos
from data_source_orchestrator.resilience.classify import Failed, classify, leaves
from data_source_orchestrator.resilience.limits import Passage
from data_source_orchestrator.resilience.watch import Watched
from data_source_orchestrator.resilience.wording import OPENED_MEANWHILE, held_up, no_answer, time_up

T = TypeVar("T")

WHOLE = 0.99
"""The share of its timeout from which a source was given all of it; what is missing was our own delay in starting."""

LEFT_TO_ITSELF = "dso-abandoned-"
"""How the names of the tasks begin in which abandoned fetchers live on; the source's key follows."""

_LOG = logging.getLogger("data_source_orchestrator")


class ProgramExit(Exception):  # noqa: N818 — it is no error: it carries the wish to end the program
    """A fetcher raised `KeyboardInterrupt` or `SystemExit`, kept in `cause`.

    It travels as an ordinary exception, because the event loop would stop at once where a task raises the real one.
    """

    def __init__(self, cause: KeyboardInterrupt | SystemExit) -> None:
        self.cause = cause
        super().__init__(f"a fetcher asked the program to end: {cause!r}")


class Wanted(Watched, Protocol[T]):
    """What is wanted, and what all attempts of one execution have in common."""

    @property
    def started(self) -> float:
        """When the execution began, on the clock's monotonic scale."""
        ...

    @property
    def timeout(self) -> float:
        """The seconds that the caller's own settings give to all of it."""
        ...

    @property
    def threaded(self) -> bool:
        """Whether the attempts run in threads, which cannot be cancelled."""
        ...

    def begin(self, number: int, warn: Warn) -> Coroutine[Any, Any, T]:
        """Begin the attempt of that number, whose warnings go to `warn`."""
        ...

    def breach(self, payload: T) -> FetchError | None:
        """Return what is wrong with an answer, or None."""
        ...


class Attempted(Generic[T]):
    """How one attempt ended, what that says about whom it asked, and how many seconds it took.

    An operator's check holds no permit. One that is `censored` has lost to another call, whatever it still ends with.
    """

    __slots__ = (
        "abandoned",
        "censored",
        "cut_short",
        "duration",
        "failed",
        "number",
        "passage",
        "payload",
        "permit",
        "verdict",
        "warnings",
    )

    payload: T

    def __init__(self, number: int, permit: Permit | None, passage: Passage | None = None) -> None:
        self.number = number
        self.permit = permit
        self.passage = passage
        self.failed: Failed | None = None
        self.verdict = Verdict.RELEASED
        self.abandoned = False
        self.censored = False
        self.cut_short: CutShort | None = None
        self.duration = 0.0
        self.warnings: tuple[str, ...] = ()

    @property
    def probe(self) -> bool:
        """Whether it was the attempt that a half-open breaker lets through."""
        return self.permit is not None and self.permit.probe

    def warn(self, message: object) -> None:
        """Take a fetcher's warning, which may be whatever it has caught; only text can be kept."""
        self.warnings += (str(message),)


class Attempts:
    """Makes the attempts of one guard, and counts the fetchers that had to be abandoned."""

    def __init__(self, key: str, *, clock: Clock, alarms: Alarms, events: Events) -> None:
        self.abandoned = 0
        self.chaos: Chaos | None = None
        self._key = key
        self._clock = clock
        self._events = events
        self._bounds = Bounds(clock, alarms, name=f"{LEFT_TO_ITSELF}{key}", on_blocked=self._blocked)

    def begin(self, wanted: Wanted[T], attempted: Attempted[T]) -> Bounded[T]:
        """Begin the attempt, which is made when the result is awaited."""
        try:
            if self.chaos is None:
                coroutine = wanted.begin(attempted.number, attempted.warn)
            else:
                coroutine = self.chaos.through(partial(wanted.begin, attempted.number, attempted.warn))
        except Exception as error:  # noqa: BLE001 — a call that cannot even begin, as with arguments that do not fit
            coroutine = _failing(error)
        return Bounded(coroutine, self._bounds, wanted)

    def judge(self, wanted: Wanted[T], attempted: Attempted[T], bounded: Bounded[T]) -> None:
        """Say how the attempt ended; raise `ProgramExit` where what was called asked for that."""
        watch = bounded.watch
        if watch is not None and watch.cut_at is not None:
            self._cut(attempted, bounded, wanted, watch.cut_at, by_deadline=watch.cut_by_deadline)
            return
        error = bounded.error if bounded.error is not None else self._wrong_with(wanted, bounded)
        if error is None:
            attempted.payload, attempted.verdict = bounded.payload, Verdict.SUCCESS
        else:
            self._fail(attempted, error)

    def take_note(self, wanted: Wanted[T], attempted: Attempted[T], bounded: Bounded[T]) -> None:
        """Note what has to be noted however the attempt has ended, even where its caller was cancelled."""
        attempted.duration = bounded.ended - bounded.began
        if attempted.censored:
            attempted.verdict = Verdict.CENSORED
        if bounded.blocked:
            attempted.warn(held_up(bounded.blocked))
        if bounded.abandoned_after is not None:
            self.abandoned += 1
            attempted.abandoned = True
            told = FetcherAbandoned(
                at=self._clock.now(), source=self._key, after=bounded.abandoned_after, thread=wanted.threaded
            )
            self._events.emit(told)

    def _wrong_with(self, wanted: Wanted[T], bounded: Bounded[T]) -> BaseException | None:
        """Return what is wrong with an answer; what checks it takes time as the fetch does, and may have bugs too."""
        try:
            return wanted.breach(bounded.payload)
        except BaseException as error:  # noqa: BLE001 — a check is somebody else's code, and may raise anything
            return error
        finally:
            bounded.stepped(bounded.ended)

    def _cut(
        self, attempted: Attempted[T], bounded: Bounded[T], wanted: Wanted[T], at: float, *, by_deadline: bool
    ) -> None:
        """Say that time was up, and nothing against a source that was cut before its own time was."""
        if bounded.error is not None and (wish := _exit_in(bounded.error)):
            raise ProgramExit(wish) from bounded.error
        given = at - wanted.started
        told = time_up(given) if by_deadline else no_answer(wanted.attempt_timeout)
        error = FetchError(FailureKind.TIMEOUT, told)
        attempted.failed = Failed(kind=FailureKind.TIMEOUT, error=error, retryable=True)
        if by_deadline and given < WHOLE * wanted.timeout:
            attempted.cut_short = CutShort(after=given, timeout=wanted.timeout)
        else:
            attempted.verdict = Verdict.FAILURE

    def _fail(self, attempted: Attempted[T], error: BaseException) -> None:
        if wish := _exit_in(error):
            raise ProgramExit(wish) from error
        attempted.failed = failed = classify(error, self._clock.now())
        attempted.verdict = Verdict.FAILURE
        if failed.kind is FailureKind.BUG:
            _LOG.error("%s: a bug in its fetcher, or in what checks its rows", self._key, exc_info=failed.error)

    def _blocked(self, seconds: float) -> None:
        self._events.emit(LoopBlocked(at=self._clock.now(), source=self._key, seconds=seconds))


def _exit_in(error: BaseException) -> KeyboardInterrupt | SystemExit | None:
    """Return the wish to end the program that was raised, alone or in a group."""
    return next((leaf for leaf in leaves(error) if isinstance(leaf, KeyboardInterrupt | SystemExit)), None)


def refused(number: int) -> Attempted[Any]:
    """Return an attempt that was not made, because the breaker let no second call through; it says nothing."""
    attempted: Attempted[Any] = Attempted(number, None)
    error = FetchError(FailureKind.UNKNOWN, OPENED_MEANWHILE)
    attempted.failed = Failed(kind=FailureKind.UNKNOWN, error=error, retryable=True)
    return attempted


async def _failing(error: Exception) -> Any:
    raise error
