"""How late the outcomes of ten thousand hung sources come in, against a limit of half a second.

`uv run python benchmarks/hung.py [how many]`. Once with a limit of each source's own, from the moment its fetcher
began, and beside it gather of `asyncio.timeout`; once with the limit of the whole run, from its beginning, and beside
it `asyncio.timeout` around gather. On the wall, because lateness is; the least of the rounds is told, for whatever else
the machine does makes everybody later.
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
    """Fetchers that never end, and when each of them began."""

    def __init__(self, many: int) -> None:
        self.began = [0.0] * many

    async def fetch(self, number: int) -> None:
        """Wait for longer than anybody allows."""
        self.began[number] = time.perf_counter()
        await asyncio.sleep(600)

    def late(self, number: int) -> float:
        """Return how many milliseconds after its own limit one has come in, if that is now."""
        return (time.perf_counter() - self.began[number] - LIMIT) * 1000


def ours(many: int, *, own: bool) -> Callable[[], Awaitable[Lateness]]:
    """Return a run over hung sources under one of the two limits."""
    hung = Hung(many)
    sources: list[Source[object]] = [
        Source(key=f"s{number}", fetcher=partial(hung.fetch, number), timeout=LIMIT if own else 600, breaker=PATIENT)
        for number in range(many)
    ]
    config = OrchestratorConfig(timeout=600 if own else LIMIT)
    orchestrator = DataSourceOrchestrator(SourceCoordinator(sources), config, RetryConfig(max_retries=0))

    async def run() -> Lateness:
        began = time.perf_counter()
        late: Lateness = []
        async for outcome in orchestrator.stream():
            of_run = (time.perf_counter() - began - LIMIT) * 1000
            late.append(hung.late(int(outcome.source[1:])) if own else of_run)
        return late

    return run


def each_timed(many: int) -> Callable[[], Awaitable[Lateness]]:
    """Return a gather of hung fetchers, each of which the standard library ends after its limit."""
    hung = Hung(many)

    async def one(number: int) -> float:
        try:
            async with asyncio.timeout(LIMIT):
                await hung.fetch(number)
        except TimeoutError:
            return hung.late(number)
        raise SystemExit("a hung fetcher has ended")

    async def run() -> Lateness:
        return await asyncio.gather(*(one(number) for number in range(many)))

    return run


def timed_around(many: int) -> Callable[[], Awaitable[Lateness]]:
    """Return a gather of hung fetchers, all of which the standard library ends at once; the last is as late as all."""
    hung = Hung(many)

    async def run() -> Lateness:
        began = time.perf_counter()
        try:
            async with asyncio.timeout(LIMIT):
                await asyncio.gather(*(hung.fetch(number) for number in range(many)))
        except TimeoutError:
            return [(time.perf_counter() - began - LIMIT) * 1000]
        raise SystemExit("hung fetchers have ended")

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
