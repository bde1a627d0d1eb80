"""Health checks by the operator's hand: every enabled source's light probe, all at once."""

import asyncio
from typing import Any

from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.policies import OrchestratorConfig
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.fanout.coordinator import SourceCoordinator
from data_source_orchestrator.fanout.flight import Flights
from data_source_orchestrator.fanout.plan import Plan
from data_source_orchestrator.orchestration.happened import Acted, Checked, Happened
from data_source_orchestrator.resilience.fetch import ProgramExit


async def check_sources(
    coordinator: SourceCoordinator, flights: Flights, plan: Plan, config: OrchestratorConfig
) -> tuple[Happened, ...]:
    """Check the sources that a plan asks, each within its own time-out and the run's, and return what happened."""
    limit = in_seconds(config.timeout)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_check(coordinator, flights, source, limit)) for source in plan.asked]
    happened: list[Happened] = []
    for task in tasks:
        ended = task.result()
        if isinstance(ended, ProgramExit):
            raise ended.cause
        happened += ended
    return tuple(happened)


async def _check(
    coordinator: SourceCoordinator, flights: Flights, source: Source[Any], limit: float
) -> list[Happened] | ProgramExit:
    clock = coordinator.clock
    deadline = Deadline.after(clock, min(in_seconds(source.timeout), limit))
    refused = not coordinator.admits(source.key)
    guard = coordinator.guard(source.key)
    try:
        executed = await guard.check(
            source, deadline=deadline, context=flights.context(source, deadline), operator=True
        )
    except ProgramExit as ended:
        return ended  # raised again where no task group can turn it into a group of exceptions
    coordinator.record_check(executed)
    happened: list[Happened] = [Checked(at=clock.now(), executed=executed)]
    if executed.verdict is Verdict.SUCCESS and refused:
        coordinator.readmit(source.key)
        happened.append(Acted(source=source.key, switch={}, readmits=True))
    return happened
