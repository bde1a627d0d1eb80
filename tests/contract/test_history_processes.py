"""Several processes on one store, and processes that are killed: a run is kept whole or not at all.

Run as a program, this file is one of those processes.
"""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data_source_orchestrator.core.claim import Contribution, Record
from data_source_orchestrator.core.clock import Chance, system_chance
from data_source_orchestrator.core.outcome import Success
from data_source_orchestrator.core.ports import RunRow, Transaction
from data_source_orchestrator.core.snapshot import Claim, Entity, FieldValue
from data_source_orchestrator.history import SqliteStore

pytestmark = pytest.mark.real_time

NOON = datetime(2026, 5, 7, 12, tzinfo=UTC)
MAKER = "maker"
SOURCES = ("blog", "farm", "shop")
ENTITIES = 60
KILLS = 50 if os.environ.get("DSO_TEST_EFFORT") == "full" else 5


def a_whole_run(name: str) -> Callable[[Transaction], None]:
    """Return work that keeps a run with all that belongs to it, in several statements."""

    def work(tx: Transaction) -> None:
        at = NOON + timedelta(seconds=len(tx.documents("run")))
        claim = Claim(source="farm", value=name * 20, run_id=name, checked_at=at)
        fields = {f"n{number}": FieldValue(claim=claim) for number in range(8)}
        outcomes = tuple(Success(source=s, data=None, attempts=1, duration=0.1, latency=0.1) for s in SOURCES)
        tx.put_document("run", name, True)
        for source in SOURCES:
            records = tuple(Record(f"pear-{number}", {"n": name * 20}) for number in range(ENTITIES))
            tx.put_contribution(Contribution(source=source, run_id=name, checked_at=at, records=records))
        tx.put_entities(Entity(id=f"pear-{number}", fields=fields) for number in range(ENTITIES))
        tx.confirm_snapshot(f"snapshot-of-{name}", ENTITIES, at)
        tx.add_run(
            RunRow(
                id=name, verb="sync", started_at=at, duration=0.1, sufficient=True, interrupted=False, outcomes=outcomes
            )
        )

    return work


async def make_stores(folder: Path, count: int) -> None:
    """Make that many stores, or open those that another process has made meanwhile."""
    for number in range(count):
        store = await SqliteStore.open(folder / f"{number}.db")
        await store.close()


async def keep_runs(path: Path, name: str, count: int) -> None:
    """Keep that many runs and tell of each when it is kept."""
    store = await SqliteStore.open(path)
    for number in range(count):
        await store.write(a_whole_run(f"{name}-{number}"))
        print(f"{name}-{number}", flush=True)  # noqa: T201 — the parent reads it
    await store.close()


def let_go(*processes: "subprocess.Popen[str]") -> None:
    """Let processes begin at one moment, when all are ready."""
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


def started(path: Path, name: str, count: int) -> "subprocess.Popen[str]":
    """Start this file as a program: it says when it is ready, and begins when it is let go."""
    command = [sys.executable, "-W", "error", __file__, str(path), name, str(count)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 — our own words


def runs_in(path: Path) -> set[str]:
    """Return the runs in a store, after having looked that it is sound and every run whole."""
    with closing(sqlite3.connect(path)) as connection:

        def ask(sql: str) -> list[tuple[str, ...]]:
            return connection.execute(sql).fetchall()

        assert ask("PRAGMA integrity_check") == [("ok",)]
        assert ask("PRAGMA foreign_key_check") == []
        if not ask("SELECT * FROM sqlite_master"):
            return set()
        runs = {name for (name,) in ask("SELECT id FROM runs")}
        assert {name for (name,) in ask("SELECT key FROM documents")} == runs
        assert {name.removeprefix("snapshot-of-") for (name,) in ask("SELECT id FROM snapshots")} == runs
        assert set(ask("SELECT run_id, source FROM outcomes")) == {(name, s) for name in runs for s in SOURCES}
        last = ask("SELECT run_id FROM contributions")
        held = [json.loads(text) for (text,) in ask("SELECT json FROM entities")]
    told = {claims[0]["run_id"] for fields in held for claims in fields.values()}
    assert len(last) == (len(SOURCES) if runs else 0)
    assert len(held) == (ENTITIES if runs else 0)
    assert {name for (name,) in last} == told
    assert len(told) == (1 if runs else 0)
    assert told <= runs
    return runs


def test_processes_that_make_and_fill_one_store_at_the_same_time_all_finish_and_lose_nothing(tmp_path: Path):
    path = tmp_path / "data" / "dso.db"
    processes = [started(path, name, 15) for name in "abcd"]
    let_go(*processes)
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    assert runs_in(path) == {f"{name}-{number}" for name in "abcd" for number in range(15)}


def test_processes_that_make_stores_at_the_same_time_never_stand_in_each_others_way(tmp_path: Path):
    processes = [started(tmp_path, MAKER, 40) for _ in range(6)]
    let_go(*processes)
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0] * 6
    # Two that close at one moment may each leave the log for the other to remove: it is no store.
    assert [runs_in(path) for path in tmp_path.glob("*.db")] == [set()] * 40


def killed(path: Path, name: str, chance: Chance) -> set[str]:
    """Let a process keep runs, kill it at a random moment, and return the runs that it said were kept."""
    process = started(path, name, 100_000)
    let_go(process)
    threading.Event().wait(0.25 * chance.random())
    process.kill()
    said, _ = process.communicate(timeout=30)
    return {line for line in said.split("\n")[:-1] if line}


@pytest.mark.timeout(600)
def test_a_process_killed_at_any_moment_leaves_every_run_whole_or_absent(tmp_path: Path):
    """B06: what was told as kept is kept; five kills by default, fifty with `DSO_TEST_EFFORT=full`."""
    chance = system_chance(20260507)
    told: set[str] = set()
    for number in range(KILLS):
        path = tmp_path / f"{number // 5}.db"
        if number % 5 == 0:
            told = set()
        told |= killed(path, f"p{number}", chance)
        found = runs_in(path) if path.exists() else set()
        assert told <= found
        assert len(found - told) <= number % 5 + 1, "only the last run of each process may have been kept unsaid"


def test_a_store_that_was_killed_in_the_making_is_made_whole_by_the_next_opening(tmp_path: Path):
    chance = system_chance(7)
    for number in range(KILLS):
        path = tmp_path / f"{number}.db"
        process = started(path, "p", 1)
        let_go(process)
        threading.Event().wait(0.03 * chance.random())
        process.kill()
        process.communicate(timeout=30)
        asyncio.run(opened_and_used(path))
        assert "again" in runs_in(path)


async def opened_and_used(path: Path) -> None:
    store = await SqliteStore.open(path)
    await store.write(a_whole_run("again"))
    await store.close()


async def main(path: Path, name: str, count: int) -> None:
    print("ready", flush=True)  # noqa: T201 — the parent reads it
    await asyncio.to_thread(sys.stdin.readline)
    await (make_stores(path, count) if name == MAKER else keep_runs(path, name, count))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
