"""`dso fetch`: asks, and merges and stores nothing of what comes; health and metrics are kept all the same."""

from collections.abc import Mapping
from typing import Any

from data_source_orchestrator.assemble import Whole
from data_source_orchestrator.cli import documents, summary
from data_source_orchestrator.cli.failures import INSUFFICIENT, SUFFICIENT
from data_source_orchestrator.cli.live import watching
from data_source_orchestrator.cli.options import FetchOptions
from data_source_orchestrator.cli.performing import perform
from data_source_orchestrator.cli.progress import Board
from data_source_orchestrator.cli.screen import Screen
from data_source_orchestrator.core.outcome import Success
from data_source_orchestrator.fanout.coordinator import SourceCoordinator
from data_source_orchestrator.orchestration.sync import believed_rows


def run(options: FetchOptions) -> int:
    """Fetch and report, and return whether it was sufficient."""
    return perform(options, _fetch)


async def _fetch(options: FetchOptions, whole: Whole, screen: Screen) -> int:
    coordinator = whole.orchestrator.coordinator
    sources = coordinator.get_all_sources()
    with watching(screen, Board(sources, coordinator.clock.monotonic), coordinator.hub):
        await whole.orchestrator.prepare()
        result = await whole.orchestrator.fetch(*options.keys or ())
    rows = {
        key: believed_rows(source, outcome)
        for key, outcome in result.outcomes.items()
        if isinstance(outcome, Success) and (source := coordinator.get_source(key)) is not None
    }
    older = {o.source: o.stale_data for o in result.outcomes.values() if not isinstance(o, Success)}
    titles = {source.key: source.title for source in sources}
    screen.document(documents.of_fetch(result, rows, _rows(older, coordinator)))
    screen.show(summary.of_fetch(result, {key: len(given) for key, given in rows.items()}, titles, screen.out))
    await whole.orchestrator.finish_refreshes()  # the answer has been told; the next command finds a newer one
    return SUFFICIENT if result.metadata.sufficient else INSUFFICIENT


def _rows(payloads: Mapping[str, Any], coordinator: SourceCoordinator) -> dict[str, list[Any]]:
    sources = {source.key: source for source in coordinator.get_all_sources()}
    return {key: list(sources[key].records(payload)) for key, payload in payloads.items() if payload is not None}
