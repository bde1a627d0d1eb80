"""Ten thousand sources at once, default policies, health and metrics on, against `asyncio.gather` of the bare fetchers.

`uv run python benchmarks/fanout.py [how many]`; goals: docs/why/performance.md.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from measure import compare

from data_source_orchestrator import DataSourceOrchestrator, OrchestratorConfig, Source, SourceCoordinator


async def instant() -> int:
    """Finish at once."""
    return 1


async def suspended() -> int:
    """Give the loop back once."""
    await asyncio.sleep(0)
    return 1


async def sleeping() -> int:
    """Wait a little."""
    await asyncio.sleep(0.05)
    return 1


def ours(fetcher: Callable[[], Awaitable[int]], many: int) -> Callable[[], None]:
    """Return a run over so many sources."""
    sources: list[Source[int]] = [Source(key=f"s{number}", fetcher=fetcher) for number in range(many)]
    orchestrator = DataSourceOrchestrator(SourceCoordinator(sources), OrchestratorConfig(timeout=600))

    def run() -> None:
        result = orchestrator.fetch_sync()
        if result.metadata.success_count != many:
            raise SystemExit(f"only {result.metadata.success_count} of {many} succeeded")

    return run


def bare(fetcher: Callable[[], Awaitable[int]], many: int) -> Callable[[], None]:
    """Return a gather of so many fetchers."""

    async def gather() -> None:
        await asyncio.gather(*(fetcher() for _ in range(many)))

    return lambda: asyncio.run(gather())


def main() -> None:
    """Print the three ladders."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    for fetcher in (instant, suspended, sleeping):
        print(f"\n{many} sources, {fetcher.__name__}")
        compare({"asyncio.gather": bare(fetcher, many), "fetch_from_all_sources": ours(fetcher, many)}, rounds=3)


if __name__ == "__main__":
    main()
