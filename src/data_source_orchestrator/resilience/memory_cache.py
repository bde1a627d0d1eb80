"""A cache's store in this process's memory: bounded, and the least recently used goes first."""

from collections import OrderedDict

from data_source_orchestrator.core.durations import count
from data_source_orchestrator.core.errors import StoreError
from data_source_orchestrator.core.ports import CacheEntry

MOST_BYTES = 64 * 1024 * 1024
"""Bytes of payload that are kept in memory, unless told otherwise."""

Place = tuple[str, str]


class MemoryCache:
    """Keeps entries for as long as the process lives; may be shared by any number of sources.

    `max_bytes` bounds payloads that are bytes. Objects have no size that could be told; each source's `max_entries`
    alone bounds those.
    """

    keeps_objects = True

    def __init__(self, *, max_bytes: int = MOST_BYTES) -> None:
        self._max_bytes = count(max_bytes, "max_bytes", least=1)
        self._entries: OrderedDict[Place, CacheEntry] = OrderedDict()  # the least recently used first
        self._keys: dict[str, OrderedDict[str, None]] = {}  # the same, for each source
        self._bytes = 0

    async def get(self, source: str, key: str) -> CacheEntry | None:
        """Return the entry, which becomes the one most recently used, or None."""
        entry = self._entries.get((source, key))
        if entry is not None:
            self._entries.move_to_end((source, key))
            self._keys[source].move_to_end(key)
        return entry

    async def put(self, source: str, key: str, entry: CacheEntry, *, max_entries: int) -> None:
        """Keep an entry; raise `StoreError`, and keep what was there before, where it is larger than all the room."""
        size = _size(entry)
        if size > self._max_bytes:
            raise StoreError(f"{size} bytes are more than the whole cache in memory, which holds {self._max_bytes}")
        self._drop((source, key))
        self._entries[(source, key)] = entry
        self._keys.setdefault(source, OrderedDict())[key] = None
        self._bytes += size
        while len(self._keys[source]) > max_entries:
            self._drop((source, next(iter(self._keys[source]))))
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))

    async def remove(self, source: str, key: str) -> None:
        """Let go of an entry, if there is one."""
        self._drop((source, key))

    async def clear(self, source: str) -> None:
        """Let go of all entries of a source."""
        for key in tuple(self._keys.get(source, ())):
            self._drop((source, key))

    def _drop(self, place: Place) -> None:
        entry = self._entries.pop(place, None)
        if entry is None:
            return
        source, key = place
        self._bytes -= _size(entry)
        del self._keys[source][key]
        if not self._keys[source]:
            del self._keys[source]


def _size(entry: CacheEntry) -> int:
    return len(entry.payload) if isinstance(entry.payload, bytes) else 0
