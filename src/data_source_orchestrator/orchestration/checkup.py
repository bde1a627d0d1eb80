"""Health checks by the operator's hand: every enabled source's light probe, all at once."""

import asyncio
from collections.abc import Callable
from typing import Any

from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.events import SourceChecked
from data_source_orchestrator.core.outcome import Executed
from data_source_orchestrator.core.policies import OrchestratorConfig
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.fanout.coordinator import SourceCoordinator
from data_source_orchestrator.fanout.flights import Flights
from data_source_orchestrator.fanout.plan import Plan
from data_source_orchestrator.orchestration.happened import Checked
from data_source_orchestrator.resilience.attempt import ProgramExit
from data_source_orchestrator.resilience.attended import attended
from data_source_orchestrator.resilience.breaker import BreakerState
from data_source_orchestrator.resilience.guard import Guard
from data_source_orchestrator.resilience.wanted import ProbeCall

Note = Callable[[Checked], None]


async def check_sources(
    coordinator: SourceCoordinator, flights: Flights, plan: Plan, config: OrchestratorConfig, note: Note
) -> None:
    """Check the sources that a plan asks, each within its own time-out and the run's, noting what each check found.

    That is as it ends; while nobody has answered, those that were not reached are noted when all have ended.
    """
    checkup = _Checkup(coordinator, flights, in_seconds(config.timeout), note)
    with checkup.suspects:
        async with asyncio.TaskGroup() as group:
            checks = [group.create_task(checkup.check(source)) for source in plan.asked]
    for check in checks:
        if ended := check.result():
            raise ended.cause


class _Checkup:
    """The checks of several sources, which are judged together where nobody answers."""

    def __init__(self, coordinator: SourceCoordinator, flights: Flights, limit: float, note: Note) -> None:
        self.suspects = flights.suspects()
        self._coordinator = coordinator
        self._flights = flights
        self._limit = limit
        self._note = note

    async def check(self, source: Source[Any]) -> ProgramExit | None:
        if not self._flights.knows(source):
            return None  # it was unregistered before its turn came
        guard, clock = self._coordinator.guard(source.key), self._coordinator.clock
        refused = guard.breaker.state is not BreakerState.CLOSED
        call = ProbeCall(
            source,
            guard.calls.of(source.probe or source.fetcher),
            deadline=Deadline.after(clock, min(in_seconds(source.timeout), self._limit)),
            started=clock.monotonic(),
            make_context=self._flights.context,
            baseline=self._coordinator.baseline(source.key),
            among=self.suspects,
        )
        try:
            executed = await attended(call, guard.check(call, operator=True))
        except ProgramExit as ended:
            return ended  # raised again where no task group can turn it into a group of exceptions
        self._tell(source.key, executed)
        call.record(executed, self._keeping(guard, refused=refused))
        return None

    def _tell(self, key: str, executed: Executed[Any]) -> None:
        now = self._coordinator.clock.now()
        self._coordinator.hub.emit(SourceChecked(at=now, source=key, ok=executed.verdict is Verdict.SUCCESS))

    def _keeping(self, guard: Guard, *, refused: bool) -> Callable[[Executed[Any]], None]:
        """Return what keeps how a check ended that has ended now, and lets a source that answered in again."""
        ended = self._coordinator.clock.now()

        def keep(executed: Executed[Any]) -> None:
            if not self._coordinator.record_check(executed, guard, ended):
                return
            self._note(Checked(at=ended, executed=executed))
            if refused and executed.verdict is Verdict.SUCCESS:
                self._coordinator.readmit(guard.key)

        return keep
