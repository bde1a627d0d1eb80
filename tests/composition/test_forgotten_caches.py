"""What `reset` forgets of a cache it forgets in the cache's store too: for later processes, and durably."""

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest

from data_source_orchestrator import (
    CachePolicy,
    DataSourceOrchestrator,
    Source,
    SourceCoordinator,
    SqliteCache,
    SqliteStore,
    StoreError,
    UnknownSourceError,
)
from data_source_orchestrator.core.ports import CacheEntry
from data_source_orchestrator.health.document import to_json
from data_source_orchestrator.health.state import SourceHealth
from data_source_orchestrator.resilience.memory_cache import MemoryCache

pytestmark = pytest.mark.real_time


class Counting:
    """An upstream that answers with how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self) -> int:
        self.asked += 1
        return self.asked


class Refusing(MemoryCache):
    """A store outside of the process that lets go of nothing while it refuses."""

    keeps_objects = False
    refuses = False

    async def clear(self, source: str) -> None:
        if self.refuses:
            raise StoreError("it is read-only")
        await super().clear(source)


class Delayed(MemoryCache):
    """A store outside of the process that lets go at once, and says so only when it may."""

    keeps_objects = False

    def __init__(self) -> None:
        super().__init__()
        self.clearing, self.go_on = asyncio.Event(), asyncio.Event()
        self.entry = CacheEntry(stored_at=datetime.now(UTC), payload=b"\x01")  # noqa: TID251 — the clock is the machine's

    async def clear(self, source: str) -> None:
        await super().clear(source)
        self.clearing.set()
        await self.go_on.wait()


def source(upstream: Counting, key: str = "a") -> Source[int]:
    return Source(key=key, fetcher=upstream.__call__, payload_type=int, cache=CachePolicy(ttl=3600))


@asynccontextmanager
async def process(folder: Path, *upstreams: Counting) -> AsyncIterator[DataSourceOrchestrator]:
    """A house as a process builds it: what it leaves is in the file alone."""
    sources = [source(upstream, key) for key, upstream in zip("ab", upstreams, strict=False)]
    cache, store = await SqliteCache.open(folder / "dso.db"), await SqliteStore.open(folder / "dso.db")
    try:
        yield DataSourceOrchestrator(SourceCoordinator(sources), store=store, cached=cache)
    finally:
        await store.close()
        await cache.close()


def kept(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "dso.db")) as connection:
        return [row[0] for row in connection.execute("SELECT source FROM cached ORDER BY source")]


async def test_a_reset_is_in_the_store_when_it_returns(tmp_path: Path):
    a, b = Counting(), Counting()
    async with process(tmp_path, a, b) as orchestrator:
        await orchestrator.fetch()
        assert kept(tmp_path) == ["a", "b"]
        await orchestrator.reset("a")
        assert kept(tmp_path) == ["b"]
        assert orchestrator.get_metrics().source_metrics["a"].executions == 0
    async with process(tmp_path, a, b) as orchestrator:
        result = await orchestrator.fetch()
        assert (result["a"], result["b"]) == (2, 1)
        assert orchestrator.get_metrics().source_metrics["a"].executions == 1


async def test_a_reset_of_all_forgets_all(tmp_path: Path):
    async with process(tmp_path, Counting(), Counting()) as orchestrator:
        await orchestrator.fetch()
        await orchestrator.reset()
        assert kept(tmp_path) == []
        with pytest.raises(UnknownSourceError, match="did you mean 'a'"):
            await orchestrator.reset("aa")


async def test_a_reset_by_the_coordinator_is_in_the_store_at_once_inside_the_context_and_when_it_is_left(
    tmp_path: Path,
):
    async with process(tmp_path, Counting(), Counting()) as orchestrator:
        async with orchestrator:
            await orchestrator.fetch()
            orchestrator.coordinator.reset("a")
            await orchestrator.finish_refreshes()  # all that is under way in the background
            assert kept(tmp_path) == ["b"]
            orchestrator.coordinator.unregister_source("b")
        assert kept(tmp_path) == []


def test_a_reset_where_no_event_loop_runs_is_done_before_the_source_is_asked_again():
    store, upstream = Refusing(), Counting()
    orchestrator = DataSourceOrchestrator(SourceCoordinator([source(upstream)]), cached=store)
    assert orchestrator.fetch_sync()["a"] == 1
    orchestrator.coordinator.reset("a")
    assert [orchestrator.fetch_sync()["a"] for _ in range(2)] == [2, 2]


async def test_what_a_store_refuses_to_forget_is_not_served_and_is_forgotten_as_soon_as_it_can_be(
    caplog: pytest.LogCaptureFixture,
):
    store, upstream = Refusing(), Counting()
    orchestrator = DataSourceOrchestrator(SourceCoordinator([source(upstream)]), cached=store)
    await orchestrator.fetch()
    store.refuses = True
    with pytest.raises(StoreError, match="it is read-only"):
        await orchestrator.reset("a")
    assert [(await orchestrator.fetch())["a"] for _ in range(2)] == [2, 3]
    assert "its cache cannot be written and is passed over: it is read-only" in caplog.text
    orchestrator.coordinator.update_source("a", cache=CachePolicy(ttl=60))  # another cache, and as little of the past
    assert (await orchestrator.fetch())["a"] == 4
    async with orchestrator:
        assert "not forgotten yet: it is read-only" not in caplog.text
    assert "not forgotten yet: it is read-only" in caplog.text
    store.refuses = False
    assert [(await orchestrator.fetch())["a"] for _ in range(2)] == [5, 5]


async def test_what_a_fetch_brings_that_began_before_the_reset_is_not_kept():
    began, go_on = asyncio.Event(), asyncio.Event()
    answers: list[Any] = []

    async def upstream() -> int:
        answers.append(len(answers) + 1)
        if len(answers) == 1:
            began.set()
            await go_on.wait()
        return len(answers)

    a: Source[int] = Source(key="a", fetcher=upstream, payload_type=int, cache=CachePolicy(ttl=3600))
    orchestrator = DataSourceOrchestrator(SourceCoordinator([a]), cached=Refusing())
    running = asyncio.ensure_future(orchestrator.fetch())
    await began.wait()
    await orchestrator.reset("a")
    go_on.set()
    await running
    assert (await orchestrator.fetch())["a"] == 2


async def test_memory_forgets_as_a_store_does():
    upstream = Counting()
    orchestrator = DataSourceOrchestrator(SourceCoordinator([source(upstream)]))
    await orchestrator.fetch()
    await orchestrator.reset("a")
    assert [(await orchestrator.fetch())["a"] for _ in range(2)] == [2, 2]


async def test_a_reset_while_an_earlier_one_is_being_forgotten_is_forgotten_too():
    upstream, store = Counting(), Delayed()
    orchestrator = DataSourceOrchestrator(SourceCoordinator([source(upstream)]), cached=store)
    async with orchestrator:
        await orchestrator.fetch()
        orchestrator.coordinator.reset("a")
        await store.clearing.wait()
        await MemoryCache.put(store, "a", "", store.entry, max_entries=1)  # by another process
        orchestrator.coordinator.reset("a")
        store.go_on.set()
    assert await store.get("a", "") is None


KILLED = """
import asyncio, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from data_source_orchestrator import *

async def upstream():
    return 1

async def main():
    path = Path(sys.argv[1]) / "dso.db"
    cache, store = await SqliteCache.open(path), await SqliteStore.open(path)
    a: Source[int] = Source(key="a", fetcher=upstream, payload_type=int, cache=CachePolicy(ttl=3600))
    orchestrator = DataSourceOrchestrator(SourceCoordinator([a]), store=store, cached=cache)
    await orchestrator.fetch()
    assert await cache.get("a", "") is not None
    await orchestrator.reset("a")
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def test_a_process_that_is_killed_right_after_a_reset_has_forgotten_all_the_same(tmp_path: Path):
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False, timeout=60)  # noqa: S603 — our own words
    assert ended.returncode == -SIGKILL
    assert kept(tmp_path) == []
    with closing(sqlite3.connect(tmp_path / "dso.db")) as connection:
        [(health,)] = connection.execute("SELECT json FROM documents WHERE kind = 'health'").fetchall()
    assert json.loads(health) == to_json(SourceHealth())
