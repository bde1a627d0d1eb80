"""The result cache's entries in a SQLite file, so that a cold start has yesterday's data.

They have a table of their own, in the file of the store or in one beside it. It must not know what a payload means,
nor when it is too old.
"""

import zlib
from datetime import datetime
from functools import partial
from pathlib import Path

from data_source_orchestrator.core.durations import count
from data_source_orchestrator.core.errors import StoreError
from data_source_orchestrator.core.ports import CacheEntry, Live
from data_source_orchestrator.history import codec
from data_source_orchestrator.history.atomic import Atomic
from data_source_orchestrator.history.store import SqliteStore

MOST_BYTES = 64 * 1024 * 1024
"""Bytes of compressed payload that are kept in a file, unless told otherwise."""

PATIENCE = 0.25
"""Seconds to wait for whoever else writes to the file: a fetch waits that long at most for its answer to be kept."""


class CacheRows(Atomic):
    """One transaction on what is cached."""

    def entry(self, source: str, key: str) -> CacheEntry | None:
        """Return an entry, or None."""
        return next(iter(self._rows("cached", _entry, (source, key))), None)

    def put(self, source: str, key: str, stored_at: datetime, body: bytes) -> None:
        """Keep an entry as the newest of all, in place of the one of the same source and key."""
        self._change("put_cached", [(source, key, codec.moment_text(stored_at), body)])

    def remove(self, source: str, key: str) -> None:
        """Let go of an entry, if there is one."""
        self._change("remove_cached", [(source, key)])

    def clear(self, source: str) -> None:
        """Let go of all entries of a source."""
        self._change("clear_cached", [(source,)])

    def trim(self, source: str, *, max_entries: int, max_bytes: int) -> None:
        """Let go of the oldest entries of a source, and of all, until both bounds are kept."""
        self._change("trim_cached_entries", [(source, max_entries)])
        self._change("trim_cached_bytes", [(max_bytes,)])


class SqliteCache:
    """Keeps entries in a SQLite file; `open` one, and `close` it.

    Of several entries the one that was kept longest ago goes first. `max_bytes` bounds all payloads together, as
    compressed.
    """

    keeps_objects = False

    def __init__(self, store: SqliteStore, *, max_bytes: int = MOST_BYTES) -> None:
        self._store = store
        self._max_bytes = count(max_bytes, "max_bytes", least=1)

    @classmethod
    async def open(cls, path: Path, *, max_bytes: int = MOST_BYTES, busy_timeout: float = PATIENCE) -> "SqliteCache":
        """Return the cache in that file, which may be a store's too, or raise `StoreError`.

        It writes through a connection of its own, so that it waits for other writers no longer than `busy_timeout`
        seconds.
        """
        return cls(await SqliteStore.open(path, busy_timeout=busy_timeout), max_bytes=max_bytes)

    async def get(self, source: str, key: str) -> CacheEntry | None:
        """Return the entry, or None; raise `StoreError` where it cannot be read."""
        return await self._store.transact(CacheRows, lambda rows: rows.entry(source, key), writes=False)

    async def put(self, source: str, key: str, entry: CacheEntry, *, max_entries: int) -> None:
        """Keep an entry, and let go of others; raise `StoreError`, and keep what was there before, where it cannot."""
        await self._store.transact(CacheRows, partial(self._put, source, key, entry, max_entries), writes=True)

    async def remove(self, source: str, key: str) -> None:
        """Let go of an entry, if there is one."""
        await self._store.transact(CacheRows, lambda rows: rows.remove(source, key), writes=True)

    async def clear(self, source: str) -> None:
        """Let go of all entries of a source."""
        await self._store.transact(CacheRows, lambda rows: rows.clear(source), writes=True)

    async def close(self) -> None:
        """Let go of the file."""
        await self._store.close()

    def _put(self, source: str, key: str, entry: CacheEntry, max_entries: int, rows: CacheRows) -> None:
        if isinstance(entry.payload, Live):
            raise StoreError(f"{source} keeps objects, and a file holds bytes alone: tell its payload_type")
        body = zlib.compress(entry.payload)
        if len(body) > self._max_bytes:
            raise StoreError(f"{len(body)} bytes are more than the whole cache, which holds {self._max_bytes}")
        rows.put(source, key, entry.stored_at, body)
        rows.trim(source, max_entries=max_entries, max_bytes=self._max_bytes)


def _entry(stored_at: str, body: bytes) -> CacheEntry:
    return CacheEntry(stored_at=codec.moment_of(stored_at), payload=zlib.decompress(body))
