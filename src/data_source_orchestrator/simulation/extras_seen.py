"""What was called beyond what was asked for, counted twice: as events tell it, and as the modelled upstreams saw it.

It judges nothing.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from data_source_orchestrator.core.events import AttemptFinished, CallHedged, Event, RetryScheduled, RunStarted
from data_source_orchestrator.simulation.settings_seen import SettingsSeen
from data_source_orchestrator.simulation.upstreams import Call


@dataclass(slots=True)
class Tally:
    """Calls that an upstream saw: how many, in how many executions, and how many of them it answered."""

    calls: int = 0
    answered: int = 0
    executions: set[int] = field(default_factory=set)

    @property
    def extra(self) -> int:
        """The calls that were not the first of their execution."""
        return self.calls - len(self.executions)

    def begin(self, call: Call) -> None:
        """Count a call; an execution is told by its identity, which nothing else can have while the call is kept."""
        self.calls += 1
        self.executions.add(id(call.execution))


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """An attempt that ended at a moment, as its event tells it."""

    at: float
    event: AttemptFinished


class ExtrasSeen:
    """What was asked of each source, what was told of extra calls, and what came to it; `attempts` since the last step.

    `of_askings` holds what came to all upstreams for whoever asked first, by identity; the calls of sources whose
    answers are kept are not among them, for a refresh in the background is not paid for by who asked.
    """

    def __init__(self, settings: SettingsSeen) -> None:
        self._settings = settings
        self.asked: Counter[str] = Counter()
        self.told: Counter[str] = Counter()
        self.of_sources: dict[str, Tally] = {}
        self.of_askings: dict[int, Tally] = {}
        self.attempts: list[AttemptEnded] = []

    def hear(self, event: Event, now: float) -> None:
        """Take in an event."""
        match event:
            case RunStarted():
                self.asked.update(event.sources)
            case RetryScheduled() | CallHedged():
                self.told[event.source] += 1
            case AttemptFinished():
                self.attempts.append(AttemptEnded(now, event))
            case _:
                pass

    def look(self, begun: Iterable[Call], ended: Iterable[Call]) -> None:
        """Take in the calls that have begun, and those that have ended, since the last step."""
        for call in begun:
            of_source, of_asking = self._tallies(call)
            if not call.check:
                of_source.begin(call)
            if not call.check and not self._settings.cached(call.source):
                of_asking.begin(call)
        for call in ended:
            if not call.check:
                for tally in self._tallies(call):
                    tally.answered += call.answered

    def turned(self) -> None:
        """Begin another step."""
        self.attempts.clear()

    def _tallies(self, call: Call) -> tuple[Tally, Tally]:
        of_source = self.of_sources.setdefault(call.source, Tally())
        return of_source, self.of_askings.setdefault(id(call.asked_by), Tally())
