"""One attempt, from its call to what it says about whom it asked.

It must not know of other attempts, nor who may make one.
"""

import logging
from collections.abc import Coroutine
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct, field

from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.context import Notes
from data_source_orchestrator.core.contract import ACCEPTED, Judgement
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.events import Events, FetcherAbandoned, LoopBlocked
from data_source_orchestrator.core.outcome import CutShort
from data_source_orchestrator.core.served import Served, with_room
from data_source_orchestrator.core.shown import Shown, digest_of
from data_source_orchestrator.core.verdicts import FailureKind, Verdict
from data_source_orchestrator.resilience.alarms import Alarms
from data_source_orchestrator.resilience.bounded import Bounded, Bounds
from data_source_orchestrator.resilience.breaker import CircuitBreaker, Permit
from data_source_orchestrator.resilience.chaos import Chaos
from data_source_orchestrator.resilience.classify import COMMON, Failed, classify, leaves
from data_source_orchestrator.resilience.common_cause import UNREACHED
from data_source_orchestrator.resilience.limits import Passage
from data_source_orchestrator.resilience.rate_limiter import RateLimiter
from data_source_orchestrator.resilience.suspects import Make, Withheld
from data_source_orchestrator.resilience.watch import Watched
from data_source_orchestrator.resilience.wording import OPENED_MEANWHILE, held_up, no_answer, time_up

T = TypeVar("T")

WHOLE = 0.99
"""The share of its timeout from which a source was given all of it; what is missing was our own delay in starting."""

LEFT_TO_ITSELF = "dso-abandoned-"
"""How the names of the tasks begin in which abandoned fetchers live on; the source's key follows."""

_OVERLOADED = frozenset({FailureKind.TIMEOUT, FailureKind.RATE_LIMITED})
"""Failures by which an upstream says that it is asked too much."""

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

    @property
    def withheld(self) -> Withheld | None:
        """What is not reported yet, because it may be our own fault; None where everything is."""
        ...

    def note_failure(self, kind: FailureKind) -> None:
        """Hear, before that is reported, that an attempt has failed."""
        ...

    def begin(self, number: int, notes: Notes) -> Coroutine[Any, Any, T]:
        """Begin the attempt of that number, which notes there what it warns of, shows and is served."""
        ...

    def judge(self, payload: T) -> Judgement:
        """Judge an answer."""
        ...


class Noted(Struct):
    """What a fetcher has noted and was served, as far as it asked through its context.

    Apart from its attempt, whose frames may outlast it in an error. `confirmed` counts the answers by which upstream
    only said that what was kept is still good, `sent` all others.
    """

    told: tuple[str, ...] = ()
    shown: tuple[Shown, ...] = ()
    served: tuple[Served, ...] = ()
    confirmed: int = 0
    sent: int = 0

    def __call__(self, message: object) -> None:
        """Take a warning, which may be whatever the fetcher has caught; only text can be kept."""
        self.told += (str(message),)

    def show(self, name: str, document: object, /, *, body: bytes | None = None) -> None:
        """Take a document as it was served; of several under one name the last is meant."""
        others = tuple(each for each in self.shown if each.name != name)
        digest = None if body is None else digest_of(body)
        self.shown = (*others, Shown(name=name, document=document, digest=digest))

    def note_served(self, answer: Served) -> None:
        """Count an answer, and keep it as far as there is room."""
        if answer.from_cache:
            self.confirmed += 1
        else:
            self.sent += 1
        self.served = with_room(self.served, answer)

    @property
    def nothing_new(self) -> bool:
        """Whether it was answered, and always that what was kept is still good."""
        return self.confirmed > 0 and not self.sent


class Attempts(Bounds):
    """Makes the attempts of one guard; `abandoned` counts the fetchers that had to be left to themselves.

    `pace` is held by a wait that the upstream asks for.
    """

    def __init__(self, key: str, *, breaker: CircuitBreaker, clock: Clock, alarms: Alarms, events: Events) -> None:
        super().__init__(clock, alarms, name=f"{LEFT_TO_ITSELF}{key}")
        self.key = key
        self.breaker = breaker
        self.clock = clock
        self.events = events
        self.chaos: Chaos | None = None
        self.pace: RateLimiter | None = None
        self.classification = COMMON
        self.abandoned = 0

    def one(
        self, wanted: Wanted[T], number: int, permit: Permit | None, passage: Passage | None = None
    ) -> "Attempt[T]":
        """Return the attempt of that number, which is made when it is awaited."""
        return Attempt(made_by=self, made_for=wanted, number=number, permit=permit, passage=passage)

    def refused(self, wanted: Wanted[T], number: int) -> "Attempt[T]":
        """Return an attempt that is not made, because nobody let a second call through; it says nothing."""
        attempt = self.one(wanted, number, None)
        error = FetchError(FailureKind.UNKNOWN, OPENED_MEANWHILE)
        attempt.failed = Failed(kind=FailureKind.UNKNOWN, error=error, retryable=True)
        return attempt

    def on_blocked(self, seconds: float) -> None:
        """Tell for how long a fetcher held up the event loop."""
        self.events.emit(LoopBlocked(at=self.clock.now(), source=self.key, seconds=seconds))


class Attempt(Bounded[Attempts, Wanted[T]], Generic[T], eq=False, kw_only=True):
    """One attempt: how it ended, and what that says about whom it asked.

    It brings its permit and its passage back, whatever happens; an operator's check has neither. One that is `censored`
    has lost to another call, whatever it still ends with. `answers` are those that its breaker had counted when there
    was something to report in doubt.
    """

    number: int
    permit: Permit | None
    passage: Passage | None
    failed: Failed | None = None
    verdict: Verdict = Verdict.RELEASED
    abandoned: bool = False
    censored: bool = False
    cut_short: CutShort | None = None
    answers: int | None = None
    judgement: Judgement = ACCEPTED
    noted: Noted = field(default_factory=Noted)

    @property
    def probe(self) -> bool:
        """Whether it is the attempt that a half-open breaker lets through."""
        return self.permit is not None and self.permit.probe

    @property
    def duration(self) -> float:
        """Seconds that it took."""
        return self.ended - self.began

    @property
    def latency(self) -> float | None:
        """Seconds that its answer took; None where nothing new came."""
        return None if self.noted.nothing_new else self.duration

    @property
    def warnings(self) -> tuple[str, ...]:
        """What its fetcher warned of, what held up the event loop, and what its contract warns of."""
        told = self.judgement.warnings
        return (*self.noted.told, *told) if told else self.noted.told

    @property
    def served(self) -> tuple[Served, ...]:
        """The answers to look at, where they turned out to be no data."""
        content = self.failed is not None and self.failed.kind is FailureKind.CONTENT
        return self.noted.served if content else ()

    def begin(self) -> Coroutine[Any, Any, T]:
        """Call what is wanted; a call that cannot even begin, as with arguments that do not fit, fails as any other."""
        chaos = self.made_by.chaos
        try:
            if chaos is None:
                return self.made_for.begin(self.number, self.noted)
            return chaos.through(partial(self.made_for.begin, self.number, self.noted))
        except Exception as error:  # noqa: BLE001 — it is somebody else's code
            return _failing(error)

    def judge(self) -> None:
        """Say how the attempt ended; raise `ProgramExit` where what was called asked for that."""
        watch = self.watch
        if watch is not None and watch.cut_at is not None:
            self._cut(watch.cut_at, by_deadline=watch.cut_by_deadline)
            return
        error = self.error
        if error is None:
            try:
                self.judgement = judgement = self.made_for.judge(self.payload)
                error = judgement.breach
            except BaseException as raised:  # noqa: BLE001 — a check is somebody else's code, and may raise anything
                error = raised
        if error is None:
            self.verdict = Verdict.SUCCESS
        else:
            self._fail(error)

    def settle(self) -> None:
        """Note what has to be noted, and bring back what was lent, even where the caller was cancelled."""
        if self.censored:
            self.verdict = Verdict.CENSORED
        if self.blocked:
            self.noted(held_up(self.blocked))
        if self.abandoned_after is not None:
            self._abandon(self.abandoned_after)
        if self.permit is not None:
            if self.made_for.withheld is None:
                self.made_by.breaker.finish(self.permit, self.verdict, self.ended - self.began)
            else:
                self._finish_in_doubt(self.made_for.withheld)
        if self.passage is not None:
            self._leave(self.passage)
        self.error = self.watch = self.coroutine = None  # an error holds the fetcher's frames, and those its context

    def count_in_doubt(self, withheld: Withheld) -> None:
        """Count the execution whose last attempt this was, when it is known whose fault it was."""
        if self.permit is not None:
            self._report(withheld, self._finish_execution_late)

    def _finish_in_doubt(self, withheld: Withheld) -> None:
        """Bring the permit back when it is known whose fault it was; an answer says so of what was before, too."""
        if self.verdict is Verdict.SUCCESS:
            withheld.answered()
        self._report(withheld, self._finish_late)

    def _finish_late(self, *, excused: bool) -> None:
        if self.permit is not None:
            self.made_by.breaker.finish(self.permit, self._late_verdict(excused=excused), self.duration)

    def _finish_execution_late(self, *, excused: bool) -> None:
        if self.permit is not None:
            self.made_by.breaker.finish_execution(self.permit, self._late_verdict(excused=excused))

    def _late_verdict(self, *, excused: bool) -> Verdict:
        """Return what is reported late: nothing against a source that has answered since."""
        answered = self.answers is not None and self.made_by.breaker.successes > self.answers
        return Verdict.RELEASED if excused or answered else self.verdict

    def _report(self, withheld: Withheld, report: Make) -> None:
        """Report at once, unless nobody answered: then it is withheld."""
        if self.answers is None:
            self.answers = self.made_by.breaker.successes
        failed = self.failed
        if failed is None or failed.kind not in UNREACHED or self.censored:
            report(excused=False)
        else:
            withheld.add(failed.kind, report)

    def _cut(self, at: float, *, by_deadline: bool) -> None:
        """Say that time was up, and nothing against a source that was cut before its own time was."""
        if self.error is not None and (wish := _exit_in(self.error)):
            raise ProgramExit(wish) from self.error
        wanted = self.made_for
        given = at - wanted.started
        told = time_up(given) if by_deadline else no_answer(wanted.attempt_timeout)
        error = FetchError(FailureKind.TIMEOUT, told)
        self.failed = Failed(kind=FailureKind.TIMEOUT, error=error, retryable=True)
        if by_deadline and given < WHOLE * wanted.timeout:
            self.cut_short = CutShort(after=given, timeout=wanted.timeout)
        else:
            self.verdict = Verdict.FAILURE
        wanted.note_failure(FailureKind.TIMEOUT)

    def _fail(self, error: BaseException) -> None:
        if wish := _exit_in(error):
            raise ProgramExit(wish) from error
        self.failed = failed = classify(error, self.made_by.clock.now(), self.made_by.classification)
        if failed.skipped is not None:
            self.made_for.note_failure(FailureKind.UNKNOWN)  # it does not tell whether anybody out there answers
            return
        self.verdict = Verdict.FAILURE
        self.made_for.note_failure(failed.kind)
        if failed.kind is FailureKind.BUG:
            _LOG.error("%s: a bug in its fetcher, or in what checks its rows", self.made_by.key, exc_info=failed.error)

    def _abandon(self, after: float) -> None:
        self.abandoned = True
        made_by = self.made_by
        made_by.abandoned += 1
        told = FetcherAbandoned(at=made_by.clock.now(), source=made_by.key, after=after, thread=self.made_for.threaded)
        made_by.events.emit(told)

    def _leave(self, passage: Passage) -> None:
        """Bring a passage back, with what the attempt said of its upstream's load; keep a wait that was asked for."""
        failed = self.failed
        says_nothing = self.verdict in {Verdict.RELEASED, Verdict.CENSORED}
        overloaded = None if says_nothing or (failed and failed.kind not in _OVERLOADED) else failed is not None
        if passage.limits is not None:  # those that gave it; the source may have others by now
            passage.limits.leave(passage, overloaded=overloaded)
        pace = self.made_by.pace
        if failed is not None and failed.retry_after is not None and pace is not None:
            pace.hold(failed.retry_after)


def _exit_in(error: BaseException) -> KeyboardInterrupt | SystemExit | None:
    """Return the wish to end the program that was raised, alone or in a group."""
    return next((leaf for leaf in leaves(error) if isinstance(leaf, KeyboardInterrupt | SystemExit)), None)


async def _failing(error: Exception) -> Any:
    raise error
