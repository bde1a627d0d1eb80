"""What one source costs in a run, as there are more of them: 100, 1 000, 10 000, 100 000.

`uv run python benchmarks/scaling.py`; in CPU time, each fetcher giving the loop back once. Small runs are repeated, so
that each contestant asks about as many sources as the others. Beside it stands `asyncio.gather`, which does not stay
flat either.
"""

import asyncio
from collections.abc import Awaitable, Callable

from fanout import GATHER, OURS, gathered, ours, suspended
from measure import Contestant, Race, race, shown
from rung import Rung, tell

FEWEST, MANY, MOST = 100, 10_000, 100_000
SIZES = (FEWEST, 1_000, MANY)
ROUNDS = 7
ROUNDS_OF_MOST = 3

Way = Callable[[int], Callable[[], Awaitable[object]]]


def run_of(many: int) -> Callable[[], Awaitable[object]]:
    """Return a run of the engine over so many."""
    return ours([suspended] * many)


def gather_of(many: int) -> Callable[[], Awaitable[object]]:
    """Return a gather of so many."""
    return gathered([suspended] * many)


def raced(runner: asyncio.Runner, way: Way, sizes: tuple[int, ...], rounds: int) -> Race:
    """Race one way of asking over these sizes."""

    def contestant(many: int) -> Contestant:
        run, repeats = way(many), max(1, MANY // many)

        async def repeated() -> None:
            for _ in range(repeats):
                await run()

        return Contestant(lambda: runner.run(repeated()), many * repeats)

    return race({str(many): contestant(many) for many in sizes}, rounds=rounds)


def rungs() -> list[Rung]:
    """Measure, print what a source costs at each size, and return how flat that is."""
    with asyncio.Runner() as runner:
        gather = raced(runner, gather_of, SIZES, ROUNDS)
        run = raced(runner, run_of, SIZES, ROUNDS)
        gather_of_most = raced(runner, gather_of, (FEWEST, MOST), ROUNDS_OF_MOST)
        run_of_most = raced(runner, run_of, (FEWEST, MOST), ROUNDS_OF_MOST)
    for way, taken in ((GATHER, gather), (OURS, run), (GATHER, gather_of_most), (OURS, run_of_most)):
        taken.tell(f"{way}, for each", str(FEWEST))
    costs = ", ".join(f"{shown(run.microseconds(str(many)).value)} µs at {many}" for many in SIZES)
    return [
        rung(f"cost of a source, {MANY} against {FEWEST} of them ({costs})", run, gather, MANY, must=1.5),
        rung(f"cost of a source, {MOST} against {FEWEST} of them", run_of_most, gather_of_most, MOST, must=None),
    ]


def rung(figure: str, ours: Race, gather: Race, many: int, *, must: float | None) -> Rung:
    """Return how flat the cost of a source stays up to so many, and how flat gather's."""
    flat, flat_gather = (taken.ratio(str(many), str(FEWEST)) for taken in (ours, gather))
    return Rung(figure=figure, measured=flat, must=must, aim=1.5, beside={GATHER: flat_gather})


if __name__ == "__main__":
    tell(rungs())
