"""Three sources of 300 ms each: how much longer than the slowest the whole takes, on the wall.

`uv run python benchmarks/three_sources.py`
"""

import asyncio

from measure import WALL, Contestant, race
from rung import Rung, tell

from data_source_orchestrator import DataSourceOrchestrator, Source, SourceCoordinator

SECONDS = 0.3
ROUNDS = 7
ALONE, THREE = "one fetcher alone", "fetch_from_all_sources"


async def fetcher() -> list[int]:
    """Take 300 ms."""
    await asyncio.sleep(SECONDS)
    return [1]


def rungs() -> list[Rung]:
    """Measure, print and return the ratio."""
    sources: list[Source[list[int]]] = [Source(key=key, fetcher=fetcher) for key in ("a", "b", "c")]
    orchestrator = DataSourceOrchestrator(SourceCoordinator(sources))
    contestants = {
        ALONE: Contestant(lambda: asyncio.run(fetcher())),
        THREE: Contestant(orchestrator.fetch_sync),
    }
    taken = race(contestants, rounds=ROUNDS, clock=WALL)
    taken.tell("three sources at once, on the wall", ALONE)
    figure = "three sources of 300 ms, against one fetcher alone, on the wall"
    return [Rung(figure=figure, measured=taken.ratio(THREE, ALONE), must=1.05, aim=1.05)]


if __name__ == "__main__":
    tell(rungs())
