"""What may be our own fault is reported once somebody has answered, or the run is over and can be judged.

It must not know what a report is, nor to whom it is made.
"""

from collections import deque
from collections.abc import Callable, Sequence
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


class Report:
    """A report that is withheld, and made once: at the first answer, or when the last run that doubts it is over.

    Its source counts as not reached, unless the last that was heard of it is something else.
    """

    __slots__ = ("_doubted_by", "_excused", "_make", "counts", "kind", "made", "source")

    def __init__(self, source: str, kind: FailureKind, make: Make) -> None:
        self.source = source
        self.kind = kind
        self.counts = True
        self.made = False
        self._make = make
        self._excused = False
        self._doubted_by: list[Suspects] = []

    def doubt(self, suspects: "Suspects") -> None:
        """Wait for what this run will hear, too."""
        self._doubted_by.append(suspects)

    def settle(self) -> None:
        """Make the report as it was, because somebody answered one of its runs; the others are told of that."""
        self._make_once(excused=False)
        for suspects in self._doubted_by:
            suspects.answered()

    def let_go(self, suspects: "Suspects", *, excused: bool) -> None:
        """Wait no longer for a run that is over; any that was offline excuses it, unless another hears an answer."""
        self._excused = self._excused or excused
        self._doubted_by.remove(suspects)
        if not self._doubted_by:
            self._make_once(excused=self._excused)

    def _make_once(self, *, excused: bool) -> None:
        if not self.made:
            self.made = True
            self._make(excused=excused)


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
        self._held: deque[Report] = deque()
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

    def hold(self, report: Report) -> None:
        """Keep a report until somebody answers, or nobody can any longer."""
        report.doubt(self)
        self._held.append(report)

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
        together = offline({report.source: report.kind for report in self._held if report.counts})
        while self._held:
            self._held.popleft().let_go(self, excused=bool(together))
        if together and self.heard_out:
            self.offline = together
            self._on_offline(together)

    def _settle(self) -> None:
        self.settled = True
        self._doubting.discard(self)


class Withheld:
    """What one execution has not reported yet, and the runs that doubt it."""

    __slots__ = ("_reports", "_runs", "_source")

    def __init__(self, source: str, runs: Sequence[Suspects]) -> None:
        self._source = source
        self._runs = list(runs)
        self._reports: list[Report] = []

    def add(self, kind: FailureKind, make: Make) -> bool:
        """Withhold a report of a source that was not reached; False where nobody doubts it, and it was made at once."""
        report = Report(self._source, kind, make)
        doubting = [suspects for suspects in self._runs if not suspects.settled]
        if not doubting:
            report.settle()
            return False
        self._reports.append(report)
        for suspects in doubting:
            suspects.hold(report)
        return True

    def join(self, suspects: Suspects) -> None:
        """Let another run doubt it, or, where that has heard an answer already, nobody any longer."""
        if suspects.settled:
            self.answered()
            return
        self._runs.append(suspects)
        for report in self._reports:
            if not report.made:
                suspects.hold(report)

    def told_nothing(self) -> None:
        """Hear that the source has failed in a way that does not tell whether it was reached."""
        for report in self._reports:
            report.counts = False

    def answered(self) -> None:
        """Hear that the source itself has answered."""
        for suspects in self._runs:
            suspects.answered()


def in_doubt(runs: Sequence[Suspects]) -> bool:
    """Return whether none of the runs that wait for a source has heard anybody yet; what one hears, all hear."""
    if any(suspects.settled for suspects in runs):
        for suspects in runs:
            suspects.answered()
        return False
    return bool(runs)
