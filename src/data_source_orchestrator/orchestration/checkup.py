"""Health checks by the operator's hand: every enabled source's light probe, all at once."""

import asyncio
from collections.abc import Callable
from typing import Any

from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.policies import OrchestratorConfig
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.fanout.coordinator import SourceCoordinator
from data_source_orchestrator.fanout.flight import Flights
from data_source_orchestrator.fanout.plan import Plan
from data_source_orchestrator.orchestration.happened import Checked
from data_source_orchestrator.resilience.attempt import ProgramExit
from data_source_orchestrator.resilience.attended import attended
from data_source_orchestrator.resilience.breaker import BreakerState
from data_source_orchestrator.resilience.wanted import ProbeCall

Note = Callable[[Checked], None]


async def check_sources(
    coordinator: SourceCoordinator, flights: Flights, plan: Plan, config: OrchestratorConfig, note: Note
) -> None:
    """Check the sources that a plan asks, each within its own time-out and the run's, noting each as it ends."""
    limit = in_seconds(config.timeout)
    async with asyncio.TaskGroup() as group:
        checks = [group.create_task(_check(coordinator, flights, source, limit, note)) for source in plan.asked]
    for check in checks:
        if ended := check.result():
            raise ended.cause


async def _check(
    coordinator: SourceCoordinator, flights: Flights, source: Source[Any], limit: float, note: Note
) -> ProgramExit | None:
    if not flights.knows(source):
        return None  # it was unregistered before its turn came
    guard = coordinator.guard(source.key)
    deadline = Deadline.after(coordinator.clock, min(in_seconds(source.timeout), limit))
    refused = guard.breaker.state is not BreakerState.CLOSED
    call = ProbeCall(
        source,
        guard.calls.of(source.probe or source.fetcher),
        deadline=deadline,
        started=coordinator.clock.monotonic(),
        make_context=flights.context,
    )
    try:
        executed = await attended(call, guard.check(call, operator=True))
    except ProgramExit as ended:
        return ended  # raised again where no task group can turn it into a group of exceptions
    if coordinator.record_check(executed, guard):
        note(Checked(at=coordinator.clock.now(), executed=executed))
        if refused and executed.verdict is Verdict.SUCCESS:
            coordinator.readmit(source.key)
    return None
