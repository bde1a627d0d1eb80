"""One attempt at one source, from its call to what it says about the source.

It must not know of other attempts, nor of the permit that this one holds.
"""

import logging
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.events import Emit, FetcherAbandoned, LoopBlocked
from data_source_orchestrator.core.outcome import CutShort
from data_source_orchestrator.core.verdicts import FailureKind, Verdict
from data_source_orchestrator.resilience.bounded import BoundedAttempt, Cut
from data_source_orchestrator.resilience.classify import Failed, classify, leaves
from data_source_orchestrator.resilience.fetch import Answer, ProgramExit, Raised, ask
from data_source_orchestrator.resilience.steps import Steps
from data_source_orchestrator.resilience.wanted import Wanted
from data_source_orchestrator.resilience.wording import held_up, no_answer, time_up

T = TypeVar("T")

WHOLE = 0.99
"""The share of its timeout from which a source was given all of it; what is missing was our own delay in starting."""

_LOG = logging.getLogger("data_source_orchestrator")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted(Generic[T]):
    """How one attempt ended, what that says about its source, and how many seconds it took."""

    number: int
    result: Answer[T] | Failed
    verdict: Verdict
    duration: float
    warnings: tuple[str, ...]
    cut_short: CutShort | None = None


class Attempts:
    """Makes the attempts at one source, and counts the fetchers that had to be abandoned."""

    def __init__(self, key: str, *, clock: Clock, emit: Emit) -> None:
        self.abandoned = 0
        self._key = key
        self._clock = clock
        self._emit = emit

    async def make(self, wanted: Wanted[T], number: int) -> Attempted[T]:
        """Call the fetcher within its time and judge what came; raise `ProgramExit` where it asked for that."""
        began = self._clock.monotonic()
        warnings: list[str] = []
        too_long: list[float] = []

        def warn(message: object) -> None:
            warnings.append(str(message))  # a fetcher warns with whatever it has caught, and only text can be kept

        steps = Steps(
            ask(wanted.call, partial(wanted.context, number, warn), wanted.breach),
            self._clock,
            partial(self._blocked, too_long),
        )
        ended = await self._bounded(steps, wanted).run()
        if too_long:
            warnings.append(held_up(too_long))
        cut_short = _cut_short(ended, wanted)
        return Attempted(
            number=number,
            result=self._result(ended, wanted),
            verdict=_verdict(ended, cut_short),
            duration=self._clock.monotonic() - began,
            warnings=tuple(warnings),
            cut_short=cut_short,
        )

    def _bounded(self, steps: Steps[Answer[T] | Raised], wanted: Wanted[T]) -> BoundedAttempt[T]:
        return BoundedAttempt(
            steps,
            clock=self._clock,
            deadline=wanted.deadline,
            limit=wanted.limit,
            on_abandoned=partial(self._abandon, thread=wanted.call.threaded),
        )

    def _result(self, ended: Answer[T] | Raised | Cut[T], wanted: Wanted[T]) -> Answer[T] | Failed:
        match ended:
            case Answer():
                return ended
            case Raised(error=error):
                return self._failed(error)
            case Cut(late=Raised(error=error)) if _exit_in(error):
                return self._failed(error)
            case Cut(at=at, by_deadline=by_deadline):
                told = time_up(at - wanted.started) if by_deadline else no_answer(wanted.limit or 0.0)
                return Failed(kind=FailureKind.TIMEOUT, error=FetchError(FailureKind.TIMEOUT, told), retryable=True)

    def _failed(self, error: BaseException) -> Failed:
        wish = _exit_in(error)
        if wish is not None:
            raise ProgramExit(wish) from error
        failed = classify(error, self._clock.now())
        if failed.kind is FailureKind.BUG:
            _LOG.error("%s: a bug in its fetcher, or in what checks its rows", self._key, exc_info=failed.error)
        return failed

    def _blocked(self, too_long: list[float], took: float) -> None:
        too_long.append(took)
        self._emit(LoopBlocked(at=self._clock.now(), source=self._key, seconds=took))

    def _abandon(self, waited: float, *, thread: bool) -> None:
        self.abandoned += 1
        self._emit(FetcherAbandoned(at=self._clock.now(), source=self._key, after=waited, thread=thread))


def _cut_short(ended: Answer[T] | Raised | Cut[T], wanted: Wanted[T]) -> CutShort | None:
    """Tell whether the run's deadline cut a source before its own time was up."""
    match ended:
        case Cut(at=at, by_deadline=True) if at - wanted.started < WHOLE * wanted.timeout:
            return CutShort(after=at - wanted.started, timeout=wanted.timeout)
        case _:
            return None


def _verdict(ended: Answer[T] | Raised | Cut[T], cut_short: CutShort | None) -> Verdict:
    """Say nothing against a source that was cut short."""
    if cut_short is not None:
        return Verdict.RELEASED
    return Verdict.SUCCESS if isinstance(ended, Answer) else Verdict.FAILURE


def _exit_in(error: BaseException) -> KeyboardInterrupt | SystemExit | None:
    """Return the wish to end the program that a fetcher raised, alone or in a group."""
    return next((leaf for leaf in leaves(error) if isinstance(leaf, KeyboardInterrupt | SystemExit)), None)
