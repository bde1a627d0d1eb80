"""What every store of HTTP answers does. A new one joins the list of implementations and passes all of this."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from data_source_orchestrator.core.errors import ConfigurationError, StoreError
from data_source_orchestrator.core.ports import ResponseStore, StoredResponse
from data_source_orchestrator.history import SqliteResponses, SqliteStore
from data_source_orchestrator.web.caching.memory import MemoryResponses

pytestmark = pytest.mark.real_time

NOON = datetime(2026, 5, 7, 12, 30, 15, 123456, tzinfo=UTC)
ROOM = 10_000

Opened = Callable[[], AbstractAsyncContextManager[ResponseStore]]


@asynccontextmanager
async def in_memory(_path: Path) -> AsyncIterator[ResponseStore]:
    yield MemoryResponses(max_bytes=ROOM)


@asynccontextmanager
async def in_sqlite(path: Path) -> AsyncIterator[ResponseStore]:
    store = await SqliteResponses.open(path, max_bytes=ROOM)
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture(params=[pytest.param(in_memory, id="memory"), pytest.param(in_sqlite, id="sqlite")])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    implementation: Callable[[Path], AbstractAsyncContextManager[ResponseStore]] = request.param
    return lambda: implementation(tmp_path / "dso.db")


def response(address: str = "a", variant: str = "", body: bytes = b"\0\xff", digest: str = "1") -> StoredResponse:
    return StoredResponse(
        address=address,
        variant=variant,
        vary=("accept", "x-language") if variant else (),
        url="https://a.example/rows?a=ü",
        status=203,
        headers=(("etag", '"ä"'), ("x-twice", "1"), ("x-twice", "2")),
        body=body,
        digest=digest,
        received_at=NOON,
        initial_age=1.25,
    )


async def kept_of(store: ResponseStore, addresses: str) -> str:
    return "".join([address for address in addresses if await store.get(address)])


async def test_an_answer_comes_back_as_it_was_put_and_by_its_address_alone(opened: Opened):
    async with opened() as store:
        assert list(await store.get("a")) == []
        await store.put(response())
        assert list(await store.get("a")) == [response()]
        assert list(await store.get("b")) == []


async def test_the_variants_of_an_address_are_kept_beside_each_other(opened: Opened):
    async with opened() as store:
        for variant in ("", "de", "fr"):
            await store.put(response(variant=variant))
        assert {kept.variant for kept in await store.get("a")} == {"", "de", "fr"}
        await store.remove("a", "de")
        await store.remove("a", "de")
        assert {kept.variant for kept in await store.get("a")} == {"", "fr"}


async def test_a_second_answer_takes_the_place_of_the_first(opened: Opened):
    async with opened() as store:
        await store.put(response())
        await store.put(response(body=b"new", digest="2"))
        (kept,) = await store.get("a")
        assert (kept.body, kept.digest) == (b"new", "2")


async def test_a_refreshed_answer_has_its_new_headers_and_times_and_its_old_body(opened: Opened):
    async with opened() as store:
        await store.put(response())
        there = (NOON + timedelta(hours=1)).astimezone(timezone(timedelta(hours=-7)))
        newer = replace(response(), headers=(("etag", '"2"'),), received_at=there, initial_age=0.0)
        await store.refresh(newer)
        assert list(await store.get("a")) == [newer]


async def test_a_body_that_is_gone_or_another_one_is_not_refreshed(opened: Opened):
    async with opened() as store:
        await store.refresh(response())
        assert list(await store.get("a")) == []
        await store.put(response(body=b"new", digest="2"))
        await store.refresh(response(digest="1"))
        assert list(await store.get("a")) == [response(body=b"new", digest="2")]


async def test_the_least_recently_used_answers_go_where_there_is_no_room(opened: Opened):
    async with opened() as store:
        for address in "abc":
            await store.put(response(address, body=bytes(3_000)))
        await store.refresh(response("a", body=bytes(3_000)))
        await store.put(response("d", body=bytes(3_000)))
        assert await kept_of(store, "abcd") == "acd"
        await store.put(response("e", body=bytes(9_000)))
        assert await kept_of(store, "abcde") == "e"


async def test_headers_take_room_too(opened: Opened):
    async with opened() as store:
        await store.put(response("a", body=bytes(6_000)))
        await store.put(replace(response("b"), headers=(("x-long", "x" * 6_000),)))
        assert await kept_of(store, "ab") == "b"


async def test_an_answer_larger_than_all_the_room_is_not_kept_and_costs_no_other_its_place(opened: Opened):
    async with opened() as store:
        await store.put(response("a"))
        await store.put(response("b"))
        await store.put(response("b", body=bytes(ROOM), digest="2"))
        assert await kept_of(store, "ab") == "a"


async def test_many_at_once_lose_nothing(opened: Opened):
    async with opened() as store:
        await asyncio.gather(*(store.put(response(address)) for address in "abcdef"))
        assert await kept_of(store, "abcdef") == "abcdef"


@pytest.mark.parametrize("room", [0, -1, True])
def test_a_store_without_room_is_refused(room: int):
    with pytest.raises(ConfigurationError, match="max_bytes"):
        MemoryResponses(max_bytes=room)


async def test_the_next_process_finds_what_this_one_kept_and_no_body_stays_without_its_answer(
    tmp_path: Path,
):
    path = tmp_path / "dso.db"
    store = await SqliteStore.open(path)
    async with in_sqlite(path) as responses:
        await responses.put(response(body=bytes(5_000)))
        await store.write(lambda tx: tx.put_document("note", "1", 1))
    await store.close()
    async with in_sqlite(path) as responses:
        assert list(await responses.get("a")) == [response(body=bytes(5_000))]
        await responses.remove("a", "")
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT count(*) FROM response_bodies").fetchone() == (0,)


async def test_a_file_that_cannot_be_read_or_written_is_a_store_error(tmp_path: Path):
    path = tmp_path / "dso.db"
    store = await SqliteResponses.open(path, max_bytes=ROOM, busy_timeout=0.05)
    await store.put(response())
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError):
            await store.put(response())
        other.execute("ROLLBACK")
        other.execute("UPDATE responses SET json = '{}'")
    with pytest.raises(StoreError):
        await store.get("a")
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.refresh(response())
