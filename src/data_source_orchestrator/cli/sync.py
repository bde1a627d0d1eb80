"""`dso sync`: the main job."""

import asyncio

from data_source_orchestrator.assemble import Whole
from data_source_orchestrator.cli import documents, summary
from data_source_orchestrator.cli.failures import INSUFFICIENT, SUFFICIENT
from data_source_orchestrator.cli.live import watching
from data_source_orchestrator.cli.options import FetchOptions
from data_source_orchestrator.cli.performing import perform
from data_source_orchestrator.cli.progress import Board, Ended
from data_source_orchestrator.cli.screen import Screen


def run(options: FetchOptions, screen: Screen | None = None) -> int:
    """Fetch, check, merge and store; report, and return whether it was sufficient and published."""
    return perform(options, _sync, screen)


async def _sync(options: FetchOptions, whole: Whole, screen: Screen) -> int:
    orchestrator = whole.orchestrator
    coordinator = orchestrator.coordinator
    sources = coordinator.get_all_sources()
    titles = {source.key: source.title for source in sources}
    board = Board(sources, coordinator.clock.monotonic)
    try:
        with watching(screen, board, coordinator.hub):
            await orchestrator.prepare()
            report = await orchestrator.sync(*options.keys or ())
    except asyncio.CancelledError:
        ended = [line.state.outcome for line in board.lines if isinstance(line.state, Ended)]
        screen.tell(summary.interrupted(ended, titles))
        raise
    screen.document(documents.of_sync(report))
    screen.show(summary.of_sync(report, titles, coordinator.clock.now(), screen.out))
    good = report.result.metadata.sufficient and report.snapshot.held is None
    return SUFFICIENT if good else INSUFFICIENT
