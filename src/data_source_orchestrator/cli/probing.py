"""Checks every enabled source at once by its light probe, and shows who has answered while a person watches."""

import asyncio

from data_source_orchestrator.cli.live import watching
from data_source_orchestrator.cli.progress import Board
from data_source_orchestrator.cli.screen import Screen
from data_source_orchestrator.orchestration.orchestrator import DataSourceOrchestrator


async def probe(orchestrator: DataSourceOrchestrator, screen: Screen) -> None:
    """Check the sources, each on its own, so that one that hangs holds up no other's line."""
    coordinator = orchestrator.coordinator
    sources = coordinator.get_all_sources()
    board = Board(sources, coordinator.clock.monotonic)
    board.begin_checks()

    async def check(key: str) -> None:
        [report] = await orchestrator.check_source_health(key)
        board.checked(key, answered=report.last_check is not None and report.last_check.ok)

    with watching(screen, board, coordinator.hub):
        await orchestrator.prepare()
        try:
            async with asyncio.TaskGroup() as group:
                for source in sources:
                    group.create_task(check(source.key))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
