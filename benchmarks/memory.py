"""What a source in flight holds, against a coroutine under `asyncio.gather`: bytes, and objects that are collected.

`uv run --group peers python benchmarks/memory.py [how many]`; what each source keeps between runs does not count.
"""

import asyncio
import gc
import sys
import tracemalloc
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from measure import Figure, shown
from peers import STACK, Work, installed, tenacity_stack
from rung import Rung, tell

from data_source_orchestrator import DataSourceOrchestrator, OrchestratorConfig, Source, SourceCoordinator

MANY = 2_000
GATHER, OURS = "asyncio.gather", "fetch_from_all_sources"


@dataclass(frozen=True, slots=True)
class Held:
    """What one source in flight holds."""

    size: float
    objects: float


class Crowd:
    """Fetchers that wait until they are cancelled, and know when all of them do."""

    def __init__(self, many: int) -> None:
        self._still_missing = many
        self._all_here = asyncio.Event()

    async def hang(self) -> None:
        """Wait for longer than anybody measures."""
        self._still_missing -= 1
        if self._still_missing == 0:
            self._all_here.set()
        await asyncio.sleep(600)

    async def assembled(self) -> None:
        """Wait until every one of them waits."""
        await self._all_here.wait()
        await asyncio.sleep(0)


async def held(many: int, prepare: Callable[[Work], Callable[[], Awaitable[object]]]) -> Held:
    """Return what a call adds for each of its fetchers while all of them wait, their coroutines included."""
    crowd = Crowd(many)
    begin = prepare(crowd.hang)
    gc.collect()
    tracemalloc.start()
    objects = len(gc.get_objects())
    task = asyncio.ensure_future(begin())
    await crowd.assembled()
    gc.collect()
    more = Held(tracemalloc.get_traced_memory()[0] / many, (len(gc.get_objects()) - objects) / many)
    tracemalloc.stop()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return more


def gathered(works: list[Work]) -> Callable[[], Awaitable[object]]:
    """Return a gather of these."""

    async def run() -> None:
        await asyncio.gather(*(work() for work in works))

    return run


def ours(hang: Work, many: int) -> Callable[[], Awaitable[object]]:
    """Return a run over so many sources."""
    sources: list[Source[object]] = [Source(key=f"s{number}", fetcher=hang) for number in range(many)]
    return DataSourceOrchestrator(SourceCoordinator(sources), OrchestratorConfig(timeout=600)).fetch


def measured(many: int) -> dict[str, Held]:
    """Return what each way of asking so many holds, each on a loop of its own."""
    ways: dict[str, Callable[[Work], Callable[[], Awaitable[object]]]] = {
        GATHER: lambda hang: gathered([hang] * many),
        OURS: lambda hang: ours(hang, many),
    }
    if installed({STACK: tenacity_stack}, Crowd(1).hang):
        ways[f"gather of {STACK}"] = lambda hang: gathered([tenacity_stack(hang) for _ in range(many)])
    return {name: asyncio.run(held(many, way)) for name, way in ways.items()}


def rungs(many: int = MANY) -> list[Rung]:
    """Measure, print all, and return ours against gather."""
    found = measured(many)
    bare = found[GATHER]
    print(f"\n{many} in flight, for each")
    for name, each in found.items():
        print(f"  {name:<64} {each.size:8.0f} bytes {each.objects:6.1f} objects {shown(each.size / bare.size):>6}x")
    ratios = {name: Figure.median([each.size / bare.size]) for name, each in found.items()}
    figure = f"memory of each source in flight, against gather ({bare.size:.0f} bytes)"
    beside = {name: ratio for name, ratio in ratios.items() if name not in {GATHER, OURS}}
    return [Rung(figure=figure, measured=ratios[OURS], must=2, aim=1.4, beside=beside)]


if __name__ == "__main__":
    tell(rungs(int(sys.argv[1]) if len(sys.argv) > 1 else MANY))
