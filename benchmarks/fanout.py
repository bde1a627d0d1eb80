"""Ten thousand sources at once, default policies, health and metrics on, against `asyncio.gather` of the bare fetchers.

`uv run --group peers python benchmarks/fanout.py [how many]`. Three kinds of fetcher: one that ends at once, one that
gives the loop back once, and one that sleeps 10 to 100 ms. In CPU time and on the wall; the rungs are of CPU time,
which is what the engine adds where the fetchers wait. The peers: each fetcher under a time limit of the standard
library; an anyio task group; aiometer; and each fetcher in a stack of its own of tenacity, pybreaker, time limits and
aiolimiter.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from importlib import import_module

from measure import CPU, WALL, Contestant, races
from peers import STACK, Work, tenacity_stack
from rung import Rung, tell

from data_source_orchestrator import DataSourceOrchestrator, OrchestratorConfig, Source, SourceCoordinator

MANY = 10_000
ROUNDS = 5
SHORTEST, LONGEST = 0.01, 0.1
"""Seconds that a sleeping fetcher takes."""

GATHER, OURS = "asyncio.gather", "fetch_from_all_sources"
TIMED, GROUP, AIOMETER = "gather of asyncio.timeout", "anyio task group", "aiometer"
STACKED = f"gather of {STACK}"

Run = Callable[[], Awaitable[object]]


async def instant() -> int:
    """Finish at once."""
    return 1


async def suspended() -> int:
    """Give the loop back once."""
    await asyncio.sleep(0)
    return 1


async def sleeping(seconds: float) -> int:
    """Wait a little."""
    await asyncio.sleep(seconds)
    return 1


def sleepers(many: int) -> list[Work]:
    """Return fetchers that sleep, evenly spread over the shortest and the longest time, in no order."""
    step = (LONGEST - SHORTEST) / many
    return [partial(sleeping, SHORTEST + step * (number * 7919 % many)) for number in range(many)]


def ours(fetchers: Sequence[Work]) -> Run:
    """Return a run over a source for each fetcher."""
    sources: list[Source[object]] = [
        Source(key=f"s{number}", fetcher=fetcher) for number, fetcher in enumerate(fetchers)
    ]
    orchestrator = DataSourceOrchestrator(SourceCoordinator(sources), OrchestratorConfig(timeout=600))

    async def run() -> None:
        result = await orchestrator.fetch_from_all_sources()
        if result.metadata.success_count != len(fetchers):
            raise SystemExit(f"only {result.metadata.success_count} of {len(fetchers)} succeeded")

    return run


def gathered(fetchers: Sequence[Work]) -> Run:
    """Return a gather of these fetchers."""

    async def run() -> None:
        await asyncio.gather(*(fetcher() for fetcher in fetchers))

    return run


def timed(fetcher: Work) -> Work:
    """Put a time limit of the standard library around a fetcher."""

    async def limited() -> object:
        async with asyncio.timeout(30):
            return await fetcher()

    return limited


def grouped(fetchers: Sequence[Work]) -> Run:
    """Return an anyio task group of these fetchers."""
    anyio = import_module("anyio")

    async def run() -> None:
        async with anyio.create_task_group() as group:
            for fetcher in fetchers:
                group.start_soon(fetcher)

    return run


def metered(fetchers: Sequence[Work]) -> Run:
    """Return aiometer's run of these fetchers, with no limit."""
    aiometer = import_module("aiometer")

    async def run() -> None:
        await aiometer.run_all(fetchers)

    return run


def peers(fetchers: Sequence[Work]) -> dict[str, Run]:
    """Return what others make of these fetchers, as far as it is installed."""
    made: dict[str, Callable[[], Run]] = {
        TIMED: lambda: gathered([timed(fetcher) for fetcher in fetchers]),
        GROUP: lambda: grouped(fetchers),
        AIOMETER: lambda: metered(fetchers),
        STACKED: lambda: gathered([tenacity_stack(fetcher) for fetcher in fetchers]),
    }
    found: dict[str, Run] = {}
    for name, make in made.items():
        try:
            found[name] = make()
        except ImportError as error:
            print(f"left out, not installed: {name} ({error.name}); run with `uv run --group peers`")
    return found


def rung(runner: asyncio.Runner, kind: str, fetchers: Sequence[Work], *, must: float, aim: float) -> Rung:
    """Race all over these fetchers, print the ladder, and return ours."""
    runs = {GATHER: gathered(fetchers), OURS: ours(fetchers)} | peers(fetchers)

    def contestant(run: Run) -> Contestant:
        async def whole() -> None:
            await run()

        return Contestant(lambda: runner.run(whole()), len(fetchers))

    compared = {name: contestant(run) for name, run in runs.items()}
    cpu, wall = races(compared, rounds=ROUNDS, clocks=(CPU, WALL))
    cpu.tell(f"{len(fetchers)} sources, {kind}: CPU for each", GATHER)
    wall.tell(f"{len(fetchers)} sources, {kind}: on the wall", GATHER)
    beside = {name: figure for name, figure in cpu.ratios(GATHER).items() if name not in {GATHER, OURS}}
    measured = cpu.ratio(OURS, GATHER)
    figure = f"{len(fetchers)} sources, {kind}, CPU against gather"
    return Rung(figure=figure, measured=measured, must=must, aim=aim, beside=beside)


def rungs(many: int = MANY) -> list[Rung]:
    """Measure all three kinds."""
    with asyncio.Runner() as runner:
        return [
            rung(runner, "done at once", [instant] * many, must=2, aim=1),
            rung(runner, "one suspension", [suspended] * many, must=1.5, aim=1.1),
            rung(runner, "sleeping 10 to 100 ms", sleepers(many), must=1.3, aim=1.15),
        ]


if __name__ == "__main__":
    tell(rungs(int(sys.argv[1]) if len(sys.argv) > 1 else MANY))
