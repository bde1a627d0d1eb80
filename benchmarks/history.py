"""What it costs to keep how a source's part in a run has ended, in batches of 1 000 rows.

`uv run python benchmarks/history.py`; on the wall, because a store waits for the disk. Beside ours stands sqlite3's own
`executemany` of rows that are ready made, into the same table under the same settings (write-ahead log, every commit
synchronous). What a whole run keeps beside its outcomes, each source's health and breaker, is told too.
"""

import asyncio
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from fanout import instant
from measure import CPU, WALL, Contestant, races
from peers import Work
from rung import Rung, tell

from data_source_orchestrator import DataSourceOrchestrator, Source, SourceCoordinator
from data_source_orchestrator.core.outcome import Failure, Outcome, Success
from data_source_orchestrator.core.ports import RunRow
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.history import SqliteStore
from data_source_orchestrator.history.queries import load_queries

MANY = 1_000
ROUNDS = 25
BARE, OURS, SINGLE = "sqlite3.executemany", "store.write(add_run)", "store.write(add_run) of a single row"
UNKEPT, KEPT = "fetch without a store", "fetch with a store"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def outcomes(many: int) -> tuple[Outcome[object], ...]:
    """Return so many outcomes, every fourth a failure."""
    error = TimeoutError("no answer within 10 s")
    return tuple(
        Success(source=f"s{number}", data=None, attempts=1, duration=0.25, latency=0.2)
        if number % 4
        else Failure(source=f"s{number}", kind=FailureKind.TIMEOUT, error=error, attempts=4, duration=30)
        for number in range(many)
    )


def row_of(name: str, ended: tuple[Outcome[object], ...]) -> RunRow:
    """Return a run of that name."""
    return RunRow(
        id=name, verb="sync", started_at=NOON, duration=1.5, sufficient=True, interrupted=False, outcomes=ended
    )


def names() -> Iterator[str]:
    """Yield the names of runs, each after the one before, as the engine's are."""
    return (f"20260101T120000-{number:06x}" for number in count())


async def store_in(path: Path, opened: AsyncExitStack) -> SqliteStore:
    """Return a store, which is closed at the end."""
    store = await SqliteStore.open(path)
    opened.push_async_callback(store.close)
    return store


async def bare(path: Path, opened: AsyncExitStack) -> Work:
    """Return what adds a run and its rows again and again with sqlite3 alone, as ours has added them once."""
    store = await SqliteStore.open(path)
    await ours(store, MANY)()
    await store.close()
    connection = opened.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
    connection.execute("PRAGMA synchronous = FULL")
    queries, names_of_runs = load_queries("sqlite"), names()
    _, *run_rest = connection.execute("SELECT * FROM runs").fetchone()
    rests = [rest for _, *rest in connection.execute("SELECT * FROM outcomes")]
    next(names_of_runs)  # that one is there

    async def run() -> None:
        name = next(names_of_runs)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(queries["add_run"], (name, *run_rest))
        connection.executemany(queries["add_outcome"], [(name, *rest) for rest in rests])
        connection.execute("COMMIT")

    return run


def ours(store: SqliteStore, many: int) -> Work:
    """Return what adds a run with so many outcomes."""
    ended, names_of_runs = outcomes(many), names()

    async def run() -> None:
        row = row_of(next(names_of_runs), ended)
        await store.write(lambda transaction: transaction.add_run(row))

    return run


def fetching(store: SqliteStore | None) -> Work:
    """Return a run over so many sources, kept in that store if there is one."""
    sources: list[Source[object]] = [Source(key=f"s{number}", fetcher=instant) for number in range(MANY)]
    return DataSourceOrchestrator(SourceCoordinator(sources), store=store).fetch


async def compared(folder: Path, opened: AsyncExitStack) -> dict[str, tuple[Work, int]]:
    """Return what is compared, and how many rows each adds."""
    return {
        BARE: (await bare(folder / "bare.db", opened), MANY),
        OURS: (ours(await store_in(folder / "ours.db", opened), MANY), MANY),
        SINGLE: (ours(await store_in(folder / "single.db", opened), 1), 1),
        UNKEPT: (fetching(None), MANY),
        KEPT: (fetching(await store_in(folder / "kept.db", opened)), MANY),
    }


def rungs() -> list[Rung]:
    """Measure, print what a row costs, and return our rung."""
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        opened = AsyncExitStack()
        try:
            runs = runner.run(compared(Path(folder), opened))

            def contestant(run: Work, times: int) -> Contestant:
                async def whole() -> None:
                    await run()

                return Contestant(lambda: runner.run(whole()), times)

            contestants = {name: contestant(*each) for name, each in runs.items()}
            cpu, wall = races(contestants, rounds=ROUNDS, clocks=(CPU, WALL))
        finally:
            runner.run(opened.aclose())
    cpu.tell("one row, CPU", BARE)
    wall.tell("one row, on the wall", BARE)
    beside = {name: wall.microseconds(name) for name in (BARE, SINGLE)} | {"ours in CPU alone": cpu.microseconds(OURS)}
    figure = "history: appending one outcome, in batches of 1 000"
    return [Rung(figure=figure, measured=wall.microseconds(OURS), must=10, aim=5, unit="µs", beside=beside)]


if __name__ == "__main__":
    tell(rungs())
