"""What every store of a cache does. A new one joins the list of implementations and passes all of this."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import pytest

from data_source_orchestrator.core.clock import system_chance
from data_source_orchestrator.core.errors import ConfigurationError, StoreError
from data_source_orchestrator.core.ports import CacheEntry, CacheStore, Live
from data_source_orchestrator.history import SqliteCache
from data_source_orchestrator.resilience.memory_cache import MemoryCache

pytestmark = pytest.mark.real_time

NOON = datetime(2026, 5, 7, 12, 30, 15, 123456, tzinfo=UTC)
ROOM = 10_000

Opened = Callable[[], AbstractAsyncContextManager[CacheStore]]


@asynccontextmanager
async def in_memory(_path: Path) -> AsyncIterator[CacheStore]:
    yield MemoryCache(max_bytes=ROOM)


@asynccontextmanager
async def in_sqlite(path: Path) -> AsyncIterator[CacheStore]:
    cache = await SqliteCache.open(path, max_bytes=ROOM)
    try:
        yield cache
    finally:
        await cache.close()


@pytest.fixture(params=[pytest.param(in_memory, id="memory"), pytest.param(in_sqlite, id="sqlite")])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    implementation: Callable[[Path], AbstractAsyncContextManager[CacheStore]] = request.param
    return lambda: implementation(tmp_path / "dso.db")


def noise(size: int, seed: int = 1) -> bytes:
    """Return bytes that no compression makes fewer."""
    chance = system_chance(seed)
    return bytes(int(chance.random() * 256) for _ in range(size))


def entry(payload: bytes = b"data", at: datetime = NOON) -> CacheEntry:
    return CacheEntry(stored_at=at, payload=payload)


async def keys_in(store: CacheStore, source: str, keys: str) -> str:
    return "".join([key for key in keys if await store.get(source, key) is not None])


async def test_what_was_put_is_got_with_its_moment_and_what_was_not_is_none(opened: Opened):
    async with opened() as store:
        assert await store.get("prices", "") is None
        await store.put("prices", "", entry(b"\0\xff"), max_entries=3)
        assert await store.get("prices", "") == entry(b"\0\xff")
        assert await store.get("prices", "other") is None
        assert await store.get("stock", "") is None


async def test_a_moment_of_another_zone_is_the_same_moment(opened: Opened):
    async with opened() as store:
        there = NOON.astimezone(timezone(timedelta(hours=-7)))
        await store.put("prices", "", entry(at=there), max_entries=3)
        found = await store.get("prices", "")
        assert found is not None
        assert found.stored_at == NOON


async def test_a_second_entry_takes_the_place_of_the_first(opened: Opened):
    async with opened() as store:
        await store.put("prices", "a", entry(b"1"), max_entries=1)
        await store.put("prices", "a", entry(b"2"), max_entries=1)
        assert await store.get("prices", "a") == entry(b"2")


async def test_what_was_removed_is_gone_and_removing_nothing_does_nothing(opened: Opened):
    async with opened() as store:
        for key in "ab":
            await store.put("prices", key, entry(), max_entries=3)
        await store.remove("prices", "a")
        await store.remove("prices", "a")
        await store.remove("stock", "b")
        assert await keys_in(store, "prices", "ab") == "b"


async def test_a_source_that_was_cleared_has_no_entries_and_the_others_keep_theirs(opened: Opened):
    async with opened() as store:
        for source, key in ("prices", "a"), ("prices", "b"), ("stock", "a"):
            await store.put(source, key, entry(), max_entries=3)
        await store.clear("prices")
        await store.clear("nobody")
        assert await keys_in(store, "prices", "ab") == ""
        assert await keys_in(store, "stock", "a") == "a"
        await store.put("prices", "a", entry(), max_entries=3)
        assert await keys_in(store, "prices", "ab") == "a"


async def test_of_one_source_no_more_entries_stay_than_allowed_and_the_oldest_goes_first(opened: Opened):
    async with opened() as store:
        await store.put("stock", "a", entry(), max_entries=3)
        for key in "abcd":
            await store.put("prices", key, entry(), max_entries=3)
        assert await keys_in(store, "prices", "abcd") == "bcd"
        await store.put("prices", "b", entry(), max_entries=3)
        await store.put("prices", "e", entry(), max_entries=2)
        assert await keys_in(store, "prices", "abcde") == "be"
        assert await keys_in(store, "stock", "a") == "a"


async def test_an_entry_whose_moment_lies_in_the_future_makes_room_like_any_other(opened: Opened):
    async with opened() as store:
        await store.put("prices", "a", entry(at=NOON + timedelta(days=9000)), max_entries=2)
        for key in "bc":
            await store.put("prices", key, entry(), max_entries=2)
        assert await keys_in(store, "prices", "abc") == "bc"


async def test_all_payloads_together_never_take_more_room_than_there_is(opened: Opened):
    async with opened() as store:
        for number, key in enumerate("abcdefgh"):
            await store.put(f"s{key}", "", entry(noise(3000, number)), max_entries=9)
        left = [key for key in "abcdefgh" if await store.get(f"s{key}", "")]
        assert left == ["f", "g", "h"]
        await store.put("sh", "", entry(noise(9000)), max_entries=9)
        assert [key for key in "abcdefgh" if await store.get(f"s{key}", "")] == ["h"]


async def test_an_entry_larger_than_all_the_room_is_refused_and_what_was_there_stays(opened: Opened):
    async with opened() as store:
        await store.put("prices", "", entry(), max_entries=3)
        with pytest.raises(StoreError, match=r"bytes are more than the whole cache"):
            await store.put("prices", "", entry(noise(ROOM + 100)), max_entries=3)
        assert await store.get("prices", "") == entry()
        await store.put("prices", "", entry(noise(ROOM - 100)), max_entries=3)


async def test_calls_take_effect_and_end_in_the_order_in_which_they_were_made(opened: Opened):
    async with opened() as store:
        ended: list[int] = []

        async def noted(number: int) -> CacheEntry | None:
            found = await store.get("prices", "")
            ended.append(number)
            return found

        steps = [
            noted(1),
            store.put("prices", "", entry(b"1"), max_entries=3),
            noted(2),
            store.put("prices", "", entry(b"2"), max_entries=3),
            noted(3),
            store.remove("prices", ""),
            noted(4),
        ]
        found = await asyncio.gather(*steps)
        assert [found[place] for place in (0, 2, 4, 6)] == [None, entry(b"1"), entry(b"2"), None]
        assert ended == [1, 2, 3, 4]


async def test_an_object_is_kept_as_it_is_or_refused_with_what_to_do(opened: Opened):
    async with opened() as store:
        thing = object()
        put = partial(store.put, "prices", "", CacheEntry(stored_at=NOON, payload=Live(thing)), max_entries=3)
        if not store.keeps_objects:
            with pytest.raises(
                StoreError, match="prices keeps objects, and a file holds bytes alone: tell its payload_"
            ):
                await put()
            return
        await put()
        found = await store.get("prices", "")
        assert found is not None
        assert isinstance(found.payload, Live)
        assert found.payload.value is thing


def test_an_entry_whose_moment_has_no_zone_is_none():
    with pytest.raises(ValueError, match="tells no time zone"):
        entry(at=NOON.replace(tzinfo=None))


@pytest.mark.parametrize("room", [0, -1, 1.5, True])
def test_a_room_that_is_no_number_of_bytes_is_refused(room: int):
    with pytest.raises(ConfigurationError, match=r"max_bytes is .*; give a whole number of 1 or more"):
        MemoryCache(max_bytes=room)


async def test_in_memory_what_was_used_least_recently_goes_first():
    store = MemoryCache(max_bytes=ROOM)
    for key in "abc":
        await store.put("prices", key, entry(), max_entries=3)
    await store.get("prices", "a")
    await store.put("prices", "d", entry(), max_entries=3)
    assert await keys_in(store, "prices", "abcd") == "acd"


async def test_in_memory_the_room_of_what_was_let_go_is_there_again():
    store = MemoryCache(max_bytes=ROOM)
    for number in range(50):
        await store.put("prices", "a", entry(noise(9000)), max_entries=2)
        await (store.remove("prices", "a") if number % 2 else store.clear("prices"))
    assert (store._bytes, store._entries, store._keys) == (0, {}, {})


async def test_what_fills_all_of_the_memory_is_kept():
    store = MemoryCache(max_bytes=ROOM)
    await store.put("prices", "whole", entry(b"x" * ROOM), max_entries=9)
    assert await store.get("prices", "whole") is not None
    for key in ("one half", "other half"):
        await store.put("prices", key, entry(b"x" * (ROOM // 2)), max_entries=9)
    assert [await store.get("prices", key) is not None for key in ("whole", "one half", "other half")] == [
        False,
        True,
        True,
    ]


async def test_objects_take_none_of_the_room_that_bytes_have():
    store = MemoryCache(max_bytes=1)
    for key in "abc":
        await store.put("prices", key, CacheEntry(stored_at=NOON, payload=Live([key])), max_entries=9)
    assert await keys_in(store, "prices", "abc") == "abc"
