"""What a source in flight holds, against a coroutine under `asyncio.gather`: bytes, and objects that are collected.

`uv run python benchmarks/memory.py [how many]`; what each source keeps between runs does not count.
"""

import asyncio
import gc
import sys
import tracemalloc
from collections.abc import Awaitable, Callable

from data_source_orchestrator import DataSourceOrchestrator, Source, SourceCoordinator


async def hanging() -> None:
    """Wait until everything is under way and measured."""
    await asyncio.sleep(5)


async def held(begin: Callable[[], Awaitable[object]]) -> tuple[int, int]:
    """Return the bytes and objects that a call has added while all of it waits, its coroutines included, and end it."""
    gc.collect()
    tracemalloc.start()
    objects = len(gc.get_objects())
    task = asyncio.ensure_future(begin())
    await asyncio.sleep(2)
    gc.collect()
    more = tracemalloc.get_traced_memory()[0], len(gc.get_objects()) - objects
    tracemalloc.stop()
    await task
    return more


async def main() -> None:
    """Print both, for each source."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    sources: list[Source[None]] = [Source(key=f"s{number}", fetcher=hanging) for number in range(many)]
    orchestrator = DataSourceOrchestrator(SourceCoordinator(sources))
    bare = await held(lambda: asyncio.gather(*(hanging() for _ in range(many))))
    ours = await held(orchestrator.fetch)
    for name, (size, objects) in (("asyncio.gather", bare), ("fetch_from_all_sources", ours)):
        print(f"{name:<24} {size / many:8.0f} bytes  {objects / many:6.1f} objects  {size / bare[0]:5.2f}x")


if __name__ == "__main__":
    asyncio.run(main())
