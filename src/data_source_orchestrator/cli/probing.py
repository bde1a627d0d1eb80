"""Checks every enabled source at once by its light probe, and shows who has answered while a person watches."""

from data_source_orchestrator.cli.live import watching
from data_source_orchestrator.cli.progress import Board
from data_source_orchestrator.cli.screen import Screen
from data_source_orchestrator.orchestration.orchestrator import DataSourceOrchestrator


async def probe(orchestrator: DataSourceOrchestrator, screen: Screen) -> None:
    """Check the sources; one that hangs holds up no other's line."""
    coordinator = orchestrator.coordinator
    board = Board(coordinator.get_all_sources(), coordinator.clock.monotonic)
    board.begin_checks()
    with watching(screen, board, coordinator.hub):
        await orchestrator.prepare()
        await orchestrator.check_source_health()
