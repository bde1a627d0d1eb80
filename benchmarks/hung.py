"""How late the outcomes of ten thousand hung sources come in, against a limit of half a second.

`uv run python benchmarks/hung.py [how many]`. Once with a limit of each source's own, which its fetcher reads from its
context, and beside it gather of `asyncio.timeout`; once with the limit of the whole run, and beside it
`asyncio.timeout` around gather. On the wall, because lateness is; the least of the rounds is told, for whatever else
the machine does makes everybody later. Where it is so busy that some sources could not even be asked within the limit,
that is told, and their limit is taken from the beginning of the run.
"""

import asyncio
import gc
import sys
import time  # noqa: TID251 — a benchmark measures real time
from collections.abc import Awaitable, Callable
from functools import partial

from measure import Figure, shown
from rung import Rung, tell

from data_source_orchestrator import (
    BreakerPolicy,
    DataSourceOrchestrator,
    FetchContext,
    OrchestratorConfig,
    RetryConfig,
    Source,
    SourceCoordinator,
)

MANY = 10_000
ROUNDS = 4
LIMIT = 0.5
"""Seconds."""

PATIENT = BreakerPolicy(failures=10**9)
"""A breaker that would trip would spare its source the wait."""

OWN, RUN = "each source's own limit", "the run's limit"
TIMED, AROUND = "gather of asyncio.timeout", "asyncio.timeout around gather"

Lateness = list[float]
"""Milliseconds after the limit, one for each outcome."""


class Hung:
    """Fetchers that never end, and the moment by which each must have ended; none for one that was not asked."""

    def __init__(self) -> None:
        self.due: dict[str, float] = {}

    async def fetch(self, key: str, ctx: FetchContext) -> None:
        """Wait for longer than anybody allows."""
        self.due[key] = ctx.deadline.at
        await asyncio.sleep(600)


def milliseconds_since(moment: float) -> float:
    """Return how long ago a moment of the monotonic clock was."""
    return (time.monotonic() - moment) * 1000


def ours(many: int, *, own: bool) -> Callable[[], Awaitable[Lateness]]:
    """Return a run over hung sources under one of the two limits."""
    hung = Hung()
    keys = [f"s{number}" for number in range(many)]
    limit = LIMIT if own else 600
    sources: list[Source[object]] = [
        Source(key=key, fetcher=partial(hung.fetch, key), timeout=limit, breaker=PATIENT) for key in keys
    ]
    config = OrchestratorConfig(timeout=600 if own else LIMIT)
    orchestrator = DataSourceOrchestrator(SourceCoordinator(sources), config, RetryConfig(max_retries=0))

    async def run() -> Lateness:
        hung.due.clear()
        of_run = time.monotonic() + LIMIT
        late = [
            milliseconds_since(hung.due.get(outcome.source, of_run) if own else of_run)
            async for outcome in orchestrator.stream()
        ]
        if len(hung.due) < many:
            print(f"  only {len(hung.due)} of {many} could be asked within {LIMIT:g} s")
        return late

    return run


def each_timed(many: int) -> Callable[[], Awaitable[Lateness]]:
    """Return a gather of hung coroutines, each of which the standard library ends after its limit."""

    async def one() -> float:
        limit = asyncio.timeout(LIMIT)
        try:
            async with limit:
                await asyncio.sleep(600)
        except TimeoutError:
            return milliseconds_since(limit.when() or 0)
        raise SystemExit("a hung coroutine has ended")

    async def run() -> Lateness:
        return await asyncio.gather(*(one() for _ in range(many)))

    return run


def timed_around(many: int) -> Callable[[], Awaitable[Lateness]]:
    """Return a gather of hung coroutines, all of which are ended at once; the last is as late as all."""

    async def run() -> Lateness:
        limit = asyncio.timeout(LIMIT)
        try:
            async with limit:
                await asyncio.gather(*(asyncio.sleep(600) for _ in range(many)))
        except TimeoutError:
            return [milliseconds_since(limit.when() or 0)]
        raise SystemExit("hung coroutines have ended")

    return run


def percentile(late: Lateness, share: float) -> float:
    """Return the lateness that this share of the outcomes does not exceed."""
    return sorted(late)[min(len(late) - 1, int(share * len(late)))]


async def told(name: str, run: Callable[[], Awaitable[Lateness]]) -> Lateness:
    """Run once, print how late its outcomes were, and return that."""
    gc.collect()
    late = await run()
    p50, p99 = (shown(percentile(late, share)) for share in (0.5, 0.99))
    print(f"  {name:<32} p50 {p50:>6} ms  p99 {p99:>6} ms  max {shown(max(late)):>6} ms")
    return late


def rungs(many: int = MANY) -> list[Rung]:
    """Measure all in turn, print every round, and return ours at the 99th percentile."""
    runs = {
        OWN: ours(many, own=True),
        TIMED: each_timed(many),
        RUN: ours(many, own=False),
        AROUND: timed_around(many),
    }
    rounds: dict[str, list[float]] = {name: [] for name in runs}
    print(f"\n{many} hung, {LIMIT:g} s")
    with asyncio.Runner() as runner:
        for run in runs.values():  # to warm up
            runner.run(told("warming up", run))
        gc.collect()
        gc.freeze()
        for name, run in [*runs.items()] * ROUNDS:
            late = runner.run(told(name, run))
            rounds[name].append(percentile(late, 0.99))
    worst = {name: Figure.least_of(found) for name, found in rounds.items()}
    return [
        Rung(
            figure=f"{many} hung sources, {LIMIT:g} s: p99 lateness against {name}",
            measured=worst[name],
            must=50,
            aim=25,
            unit="ms",
            beside={beside: worst[beside]},
        )
        for name, beside in ((OWN, TIMED), (RUN, AROUND))
    ]


if __name__ == "__main__":
    tell(rungs(int(sys.argv[1]) if len(sys.argv) > 1 else MANY))
