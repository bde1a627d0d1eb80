"""What may be our own fault is reported once somebody has answered, or the run is over and can be judged.

It must not know what a report is, nor to whom it is made.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Protocol, Self

from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.resilience.common_cause import offline

OnOffline = Callable[[tuple[str, ...]], None]
"""Hears of the sources that were excused together."""


class Make(Protocol):
    """Makes a report."""

    def __call__(self, *, excused: bool) -> None:
        """Report it as it was, or, where it is excused, as one that says nothing about its source."""
        ...


class Suspects:
    """Holds back what may be our own fault, while nobody in a run has answered.

    It is entered by the run, and by whatever else is judged together with it; while nobody is inside it holds nothing.
    The first answer clears us, and everything is reported as it was. Where none came, leaving it excuses those that
    failed together, and tells `on_offline`, unless somebody who might have answered was not `heard_out`. While it has
    heard nobody it is among the `doubting`.
    """

    def __init__(self, doubting: set["Suspects"], on_offline: OnOffline) -> None:
        self.settled = True
        self.heard_out = True
        self.offline: tuple[str, ...] = ()
        self._doubting = doubting
        self._on_offline = on_offline
        self._held: deque[Withheld] = deque()
        self._inside = 0

    def __enter__(self) -> Self:
        if self._inside == 0:
            self.settled = False
            self.heard_out = True
            self._doubting.add(self)
        self._inside += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._inside -= 1
        if self._inside == 0:
            self.close()

    def hold(self, withheld: "Withheld") -> None:
        """Keep what is withheld until somebody answers, or nobody can any longer."""
        self._held.append(withheld)

    def answered(self) -> None:
        """Hear that somebody answered, be it with an error: make every report as it was, and hold none from now on."""
        if self.settled:
            return
        self._settle()
        while self._held:
            self._held.popleft().settle()

    def close(self) -> None:
        """Judge what is still held; nobody will answer any longer, and what ends later is not held."""
        if self.settled:
            return
        self._settle()
        together = offline({each.source: each.kind for each in self._held if each.counts})
        while self._held:
            self._held.popleft().let_go(self, excused=bool(together))
        if together and self.heard_out:
            self.offline = together
            self._on_offline(together)

    def _settle(self) -> None:
        self.settled = True
        self._doubting.discard(self)


class Withheld:
    """What one execution has not reported yet, and the runs that doubt it.

    It is reported at the first answer, or when the last run that doubts it is over. Its source counts as not reached,
    by failures of this `kind`, unless the last that was heard of it is something else.
    """

    __slots__ = ("_doubted_by", "_excused", "_reports", "_runs", "counts", "kind", "source")

    def __init__(self, source: str, runs: Sequence[Suspects]) -> None:
        self.source = source
        self.kind = FailureKind.UNKNOWN
        self.counts = False
        self._runs = tuple(runs)
        self._doubted_by: tuple[Suspects, ...] = ()
        self._reports: list[Make] = []
        self._excused = 0

    def add(self, kind: FailureKind, report: Make) -> bool:
        """Withhold a report of a source that was not reached; False where nobody doubts it, and it was made at once."""
        doubting = tuple(suspects for suspects in self._runs if not suspects.settled)
        if not doubting:
            report(excused=False)
            return False
        self.kind, self.counts = kind, True
        self._reports.append(report)
        for suspects in doubting:
            self._wait_for(suspects)
        return True

    def join(self, suspects: Suspects) -> None:
        """Let another run doubt it, or, where that has heard an answer already, nobody any longer."""
        if suspects.settled:
            self.answered()
            return
        self._runs += (suspects,)
        if self._reports:
            self._wait_for(suspects)

    def told_nothing(self) -> None:
        """Hear that the source has failed in a way that does not tell whether it was reached."""
        self.counts = False

    def answered(self) -> None:
        """Hear that the source itself has answered."""
        answered(self._runs)

    def settle(self) -> None:
        """Report everything as it was, because somebody answered one of the runs; the others are told of that."""
        doubted_by = self._doubted_by
        self._excused = 0
        self._report()
        answered(doubted_by)

    def let_go(self, suspects: Suspects, *, excused: bool) -> None:
        """Wait no longer for a run that is over.

        One that was offline excuses what there is by then, and nothing later, unless another run hears an answer.
        """
        if excused:
            self._excused = len(self._reports)
        self._doubted_by = tuple(each for each in self._doubted_by if each is not suspects)
        if not self._doubted_by:
            self._report()

    def _wait_for(self, suspects: Suspects) -> None:
        if suspects not in self._doubted_by:
            self._doubted_by += (suspects,)
            suspects.hold(self)

    def _report(self) -> None:
        """Make every report, each of them once, and the first of them as excused as there are."""
        reports, excused = self._reports, self._excused
        self._reports, self._doubted_by, self._excused = [], (), 0
        for number, report in enumerate(reports):
            report(excused=number < excused)


def in_doubt(runs: Sequence[Suspects]) -> bool:
    """Return whether none of the runs that wait for a source has heard anybody yet; what one hears, all hear."""
    if any(suspects.settled for suspects in runs):
        answered(runs)
        return False
    return bool(runs)


def answered(runs: Iterable[Suspects]) -> None:
    """Tell runs that somebody has answered."""
    for suspects in runs:
        suspects.answered()
