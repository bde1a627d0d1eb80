"""The cache in a SQLite file: it outlasts the process, shares the store's file, and its troubles are `StoreError`s.

That a process may be killed at any moment is SQLite's own affair: every call is one transaction of the store's.
"""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from data_source_orchestrator.core.errors import StoreError
from data_source_orchestrator.core.ports import CacheEntry, Transaction
from data_source_orchestrator.history import SqliteCache, SqliteStore
from data_source_orchestrator.history.failures import DAMAGED, FULL, LOCKED, READ_ONLY
from data_source_orchestrator.history.queries import load_migrations, statements

pytestmark = pytest.mark.real_time

NOON = datetime(2026, 5, 7, 12, tzinfo=UTC)


def entry(payload: bytes = b"data") -> CacheEntry:
    return CacheEntry(stored_at=NOON, payload=payload)


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return connection.execute(sql).fetchall()


def note(number: int) -> Callable[[Transaction], None]:
    return lambda tx: tx.put_document("note", str(number), number)


async def kept(path: Path, payload: bytes = b"data") -> None:
    cache = await SqliteCache.open(path)
    await cache.put("prices", "", entry(payload), max_entries=1)
    await cache.close()


async def found(path: Path) -> CacheEntry | None:
    cache = await SqliteCache.open(path)
    try:
        return await cache.get("prices", "")
    finally:
        await cache.close()


async def test_a_cold_start_has_yesterdays_data(tmp_path: Path):
    await kept(tmp_path / "dso.db")
    assert await found(tmp_path / "dso.db") == entry()


async def test_a_cache_and_a_store_live_in_one_file_and_write_at_the_same_time(tmp_path: Path):
    path = tmp_path / "dso.db"
    store, cache = await SqliteStore.open(path), await SqliteCache.open(path)
    await asyncio.gather(
        *(store.write(note(number)) for number in range(20)),
        *(cache.put("prices", str(number), entry(), max_entries=20) for number in range(20)),
    )
    assert len(await store.read(lambda tx: tx.documents("note"))) == 20
    await cache.close()
    await store.close()
    assert rows(path, "SELECT count(*) FROM cached") == [(20,)]


async def test_a_cache_may_use_the_stores_own_connection(tmp_path: Path):
    store = await SqliteStore.open(tmp_path / "dso.db")
    cache = SqliteCache(store)
    await cache.put("prices", "", entry(), max_entries=1)
    assert await cache.get("prices", "") == entry()
    await store.close()
    with pytest.raises(StoreError, match="is closed: open it again"):
        await cache.get("prices", "")


async def test_a_payload_is_kept_compressed(tmp_path: Path):
    await kept(tmp_path / "dso.db", b"a long name of a pear" * 500)
    assert rows(tmp_path / "dso.db", "SELECT length(payload) < 500 FROM cached") == [(1,)]


async def test_a_store_of_the_first_format_is_brought_to_the_present_one_with_all_that_it_held(tmp_path: Path):
    path = tmp_path / "dso.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements(load_migrations("sqlite")[0]):
            connection.execute(statement)
        connection.execute("PRAGMA user_version = 1")
        connection.execute("INSERT INTO documents (kind, key, json) VALUES ('note', 'old', '1')")
    await kept(path)
    assert await found(path) == entry()
    assert rows(path, "SELECT key FROM documents") == [("old",)]


async def test_a_cache_locked_by_another_process_is_told_within_its_patience_and_can_still_be_read(tmp_path: Path):
    path = tmp_path / "dso.db"
    await kept(path)
    cache = await SqliteCache.open(path, busy_timeout=0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError) as caught:
            await cache.put("prices", "", entry(b"new"), max_entries=1)
        assert await cache.get("prices", "") == entry()
        other.execute("ROLLBACK")
    assert str(caught.value) == f"the store {path} {LOCKED}"
    await cache.put("prices", "", entry(b"new"), max_entries=1)
    assert await cache.get("prices", "") == entry(b"new")
    await cache.close()


async def test_a_cache_that_may_grow_no_further_says_so_and_keeps_what_it_held(tmp_path: Path):
    path = tmp_path / "dso.db"
    await kept(path)
    cache = SqliteCache(await SqliteStore.open(path, max_pages=30))
    payload = b"".join(number.to_bytes(4, "big") * 3 for number in range(0, 4_000_000, 7))
    with pytest.raises(StoreError) as caught:
        await cache.put("prices", "", entry(payload), max_entries=1)
    assert str(caught.value) == f"the store {path} {FULL}"
    assert await cache.get("prices", "") == entry()
    await cache.close()


async def test_a_cache_that_may_not_be_written_says_so_and_can_still_be_read(tmp_path: Path):
    path = tmp_path / "dso.db"
    await kept(path)
    cache = await SqliteCache.open(path)
    connection = cache._store._connection
    assert connection is not None
    await asyncio.get_running_loop().run_in_executor(cache._store._thread, connection.execute, "PRAGMA query_only = ON")
    with pytest.raises(StoreError) as caught:
        await cache.put("prices", "", entry(b"new"), max_entries=1)
    assert str(caught.value) == f"the store {path} {READ_ONLY}"
    assert await cache.get("prices", "") == entry()
    await cache.close()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE cached SET payload = x'00'",
        "UPDATE cached SET payload = substr(payload, 1, length(payload) - 3)",
        "UPDATE cached SET payload = 'text'",
        "UPDATE cached SET stored_at = 'yesterday'",
        "UPDATE cached SET stored_at = '2026-05-07T12:00:00'",
    ],
)
async def test_a_row_that_is_not_what_was_written_is_told(tmp_path: Path, damage: str):
    path = tmp_path / "dso.db"
    await kept(path)
    rows(path, damage)
    with pytest.raises(StoreError) as caught:
        await found(path)
    assert str(caught.value) == f"the store {path} {DAMAGED}"
    await kept(path)
    assert await found(path) == entry()


async def test_a_damaged_file_is_told(tmp_path: Path):
    path = tmp_path / "dso.db"
    await kept(path)
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))
    with pytest.raises(StoreError, match="is damaged"):
        await found(path)


def test_what_was_told_as_kept_outlives_a_kill(tmp_path: Path):
    path = tmp_path / "dso.db"
    program = (
        "import asyncio, sys, threading\n"
        "from datetime import UTC, datetime\n"
        "from pathlib import Path\n"
        "from data_source_orchestrator.core.ports import CacheEntry\n"
        "from data_source_orchestrator.history import SqliteCache\n"
        "async def main():\n"
        "    cache = await SqliteCache.open(Path(sys.argv[1]))\n"
        "    entry = CacheEntry(stored_at=datetime(2026, 5, 7, 12, tzinfo=UTC), payload=b'data')\n"
        "    await cache.put('prices', '', entry, max_entries=1)\n"
        "    print('kept', flush=True)\n"
        "    threading.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 — our own program
        assert process.stdout is not None
        assert process.stdout.readline() == "kept\n"
        process.kill()
    assert asyncio.run(found(path)) == entry()
