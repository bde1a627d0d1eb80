"""Three sources of 300 ms each: how much longer than the slowest the whole takes (goal: at most 1.05 times)."""

import asyncio

from measure import compare

from data_source_orchestrator import DataSourceOrchestrator, Source, SourceCoordinator

SECONDS = 0.3


async def fetcher() -> list[int]:
    """Take 300 ms."""
    await asyncio.sleep(SECONDS)
    return [1]


def main() -> None:
    """Print the ratio."""
    sources: list[Source[list[int]]] = [Source(key=key, fetcher=fetcher) for key in ("a", "b", "c")]
    orchestrator = DataSourceOrchestrator(SourceCoordinator(sources))
    compare({"one fetcher alone": lambda: asyncio.run(fetcher()), "all three": orchestrator.fetch_sync})


if __name__ == "__main__":
    main()
