"""How the SQLite store keeps things in its file: privately, durably, and in columns that others can read."""

import asyncio
import json
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from data_source_orchestrator.core.claim import Contribution, Record
from data_source_orchestrator.core.errors import StoreError
from data_source_orchestrator.core.outcome import Failure, Skipped, Success
from data_source_orchestrator.core.ports import RunRow, Transaction
from data_source_orchestrator.core.verdicts import FailureKind, SkipReason
from data_source_orchestrator.history import SqliteStore

pytestmark = pytest.mark.real_time

NOON = datetime(2026, 5, 7, 12, tzinfo=UTC)


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


async def written(path: Path, *works: Callable[[Transaction], object]) -> None:
    store = await SqliteStore.open(path)
    try:
        for work in works:
            await store.write(work)
    finally:
        await store.close()


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


async def test_a_new_store_and_its_folder_are_this_users_alone(tmp_path: Path):
    store = await SqliteStore.open(tmp_path / "deep" / "data" / "dso.db")
    await store.write(lambda tx: tx.put_document("note", "a", 1))
    files = sorted((tmp_path / "deep" / "data").iterdir())
    assert [file.name for file in files] == ["dso.db", "dso.db-shm", "dso.db-wal"]
    assert {mode(file) for file in files} == {"0o600"}
    assert mode(tmp_path / "deep" / "data") == "0o700"
    await store.close()


async def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path):
    folder = tmp_path / "mine"
    folder.mkdir(mode=0o755)
    before = mode(folder)
    await written(folder / "dso.db")
    assert mode(folder) == before


def test_a_closed_store_is_one_file(tmp_path: Path):
    asyncio.run(written(tmp_path / "dso.db", lambda tx: tx.put_document("note", "a", 1)))
    assert [file.name for file in tmp_path.iterdir()] == ["dso.db"]


async def test_the_file_is_set_to_lose_nothing(tmp_path: Path):
    store = await SqliteStore.open(tmp_path / "dso.db")

    def settings(_: Transaction) -> dict[str, Any]:
        assert store._connection is not None
        wanted = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return {name: store._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted}

    try:
        found = await store.read(settings)
    finally:
        await store.close()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


async def test_a_run_is_kept_with_how_each_source_ended_and_without_data(tmp_path: Path):
    """D06: attempts and duration of a failure are kept."""
    run = RunRow(
        id="r1",
        verb="sync",
        started_at=NOON,
        duration=1.5,
        sufficient=True,
        interrupted=False,
        outcomes=(
            Success(source="farm", data=["secret"], attempts=1, duration=0.5, latency=0.4, warnings=("late", "é")),
            Failure(
                source="shop",
                kind=FailureKind.SERVER,
                error=ValueError("half \ud800 a\nline"),
                attempts=3,
                duration=1.5,
            ),
            Skipped(source="blog", reason=SkipReason.DISABLED, detail="switched off"),
        ),
        offline=("shop",),
    )
    path = tmp_path / "dso.db"
    await written(path, lambda tx: tx.add_run(run))
    assert rows(path, "SELECT id, verb, started_at, duration, sufficient, interrupted FROM runs") == [
        ("r1", "sync", "2026-05-07T12:00:00.000000+00:00", 1.5, 1, 0)
    ]
    columns = "SELECT run_id, source, status, attempts, duration, kind, message, warnings, offline FROM outcomes"
    assert sorted(rows(path, columns)) == [
        ("r1", "blog", "skipped", 0, 0.0, "disabled", "switched off", "[]", 0),
        ("r1", "farm", "success", 1, 0.5, None, None, r'["late","\u00e9"]', 0),
        ("r1", "shop", "failure", 3, 1.5, "server", r"half \ud800 a line", "[]", 1),
    ]
    assert b"secret" not in path.read_bytes()


async def test_a_contribution_is_kept_compressed(tmp_path: Path):
    records = tuple(Record(f"pear-{number}", {"name": "a long name of a pear"}) for number in range(500))
    contribution = Contribution(source="farm", run_id="r1", checked_at=NOON, records=records)
    await written(tmp_path / "dso.db", lambda tx: tx.put_contribution(contribution))
    [(size,)] = rows(tmp_path / "dso.db", "SELECT length(body) FROM contributions")
    assert size < len(json.dumps([(r.entity, r.fields) for r in records])) / 5


async def test_a_snapshot_keeps_when_it_was_first_seen_and_last_confirmed(tmp_path: Path):
    """A22: an identical sync adds no version, and a clock that ran backwards takes nothing back."""
    later, path = NOON + timedelta(hours=3), tmp_path / "dso.db"
    await written(
        path,
        lambda tx: tx.confirm_snapshot("abc", 2, NOON),
        lambda tx: tx.confirm_snapshot("def", 3, NOON),
        lambda tx: tx.confirm_snapshot("abc", 2, later),
        lambda tx: tx.confirm_snapshot("abc", 2, NOON),
    )
    first, last = NOON.isoformat(timespec="microseconds"), later.isoformat(timespec="microseconds")
    assert rows(path, "SELECT id, entities, first_seen, last_confirmed FROM snapshots ORDER BY id") == [
        ("abc", 2, first, last),
        ("def", 3, first, first),
    ]


async def test_opening_a_store_again_changes_nothing_in_it(tmp_path: Path):
    path = tmp_path / "dso.db"
    await written(path, lambda tx: tx.put_document("note", "a", 1))
    before = path.read_bytes()
    await written(path)
    assert path.read_bytes() == before


async def test_an_id_that_no_text_can_hold_is_refused_and_nothing_is_kept(tmp_path: Path):
    def work(tx: Transaction) -> None:
        tx.put_document("note", "a", 1)
        tx.put_document("note", "half \ud800", 1)

    with pytest.raises(StoreError, match="surrogates not allowed"):
        await written(tmp_path / "dso.db", work)
    assert rows(tmp_path / "dso.db", "SELECT * FROM documents") == []
