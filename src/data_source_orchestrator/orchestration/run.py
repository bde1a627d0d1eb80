"""One run from beginning to end: what was asked, what came back, and the numbers of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from data_source_orchestrator.core.clock import Chance, Clock
from data_source_orchestrator.core.events import RunFinished, RunStarted
from data_source_orchestrator.core.outcome import Outcome, Skipped, Success
from data_source_orchestrator.core.ports import RunRow
from data_source_orchestrator.core.result import FetchResult, Metadata, metadata_of
from data_source_orchestrator.core.shown import Shown
from data_source_orchestrator.core.verdicts import SkipReason
from data_source_orchestrator.fanout.plan import Plan
from data_source_orchestrator.orchestration.happened import Ran, without_data


class Run:
    """Gathers the outcomes of a plan; sources still without one when it finishes are told as cancelled."""

    def __init__(  # noqa: PLR0913 — what was asked, what suffices, and time and chance
        self, verb: str, plan: Plan, *, required: int, accept_stale: bool = False, clock: Clock, chance: Chance
    ) -> None:
        self.verb = verb
        self.plan = plan
        self.started_at: datetime = clock.now()
        self.id = f"{self.started_at:%Y%m%dT%H%M%S}-{int(chance.random() * 0x1000000):06x}"
        self.outcomes: dict[str, Outcome[Any]] = {}
        self._required = required
        self._accept_stale = accept_stale
        self._clock = clock
        self._started = clock.monotonic()

    @property
    def interrupted(self) -> bool:
        """Whether some sources that were asked have no outcome of their own."""
        return any(isinstance(o, Skipped) and o.reason is SkipReason.CANCELLED for o in self.outcomes.values())

    def begun(self) -> RunStarted:
        """Return the event of the run's beginning."""
        return RunStarted(at=self.started_at, run_id=self.id, sources=tuple(self.plan.by_key))

    def add(self, outcomes: Iterable[Outcome[Any]]) -> None:
        """Take in outcomes."""
        for outcome in outcomes:
            self.outcomes[outcome.source] = outcome

    def take_shown(self) -> dict[str, tuple[Shown, ...]]:
        """Take the documents that were shown out of the outcomes, by source; of a cache's answer there are none."""
        taken: dict[str, tuple[Shown, ...]] = {}
        for key, outcome in self.outcomes.items():
            if isinstance(outcome, Skipped) or (isinstance(outcome, Success) and outcome.age):
                continue
            taken[key] = outcome.shown
            if outcome.shown:
                self.outcomes[key] = replace(outcome, shown=())
        return taken

    def finish(self, offline: tuple[str, ...] = ()) -> Metadata:
        """Account for every source that was asked, and return the run in numbers.

        `offline` are the sources that were not reached because our own network was down.
        """
        for key in self.plan.by_key:
            if key not in self.outcomes:
                self.add([Skipped(source=key, reason=SkipReason.CANCELLED, detail="the run was interrupted")])
        self.metadata = metadata_of(
            (self.outcomes[key] for key in self.plan.by_key),
            run_id=self.id,
            fetched_at=self.started_at,
            total_duration=self._clock.monotonic() - self._started,
            required=self._required,
            accept_stale=self._accept_stale,
            offline=tuple(key for key in self.plan.by_key if key in offline),
        )
        return self.metadata

    def finished(self) -> RunFinished:
        """Return the event of the run's end."""
        told = self.metadata
        return RunFinished(
            at=self._clock.now(),
            run_id=self.id,
            duration=told.total_duration,
            success_count=told.success_count,
            failure_count=told.failure_count,
            skipped_count=told.skipped_count,
            sufficient=told.sufficient,
        )

    def result(self, registered: Iterable[str]) -> FetchResult:
        """Return the data and outcomes in the order of the plan; the registered sources are known by name."""
        return FetchResult({key: self.outcomes[key] for key in self.plan.by_key}, self.metadata, registered)

    def ran(self) -> Ran:
        """Return the finished run as it is kept."""
        row = RunRow(
            id=self.id,
            verb=self.verb,
            started_at=self.started_at,
            duration=self.metadata.total_duration,
            sufficient=self.metadata.sufficient,
            interrupted=self.interrupted,
            outcomes=tuple(without_data(outcome) for outcome in self.outcomes.values()),
            offline=self.metadata.offline,
        )
        return Ran(row=row, metadata=self.metadata)
