"""One source's place in a cache's store: what it holds, as payloads of a known age.

Whatever is wrong with the store or with an entry is a miss here and no error: a cache never fails a fetch, nor holds
it up for long. It must not know any policy of ages, nor who asks.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from data_source_orchestrator.core.age import age_at
from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.ports import CacheEntry, CacheStore
from data_source_orchestrator.core.waiting import within
from data_source_orchestrator.resilience.payloads import Payloads

T = TypeVar("T")
R = TypeVar("R")

PATIENCE = 1.0
"""Seconds after which a store that has not answered is passed over."""


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """A payload, when it was accepted, and how many seconds ago."""

    data: T
    checked_at: datetime
    age: float


class Shelf(Generic[T]):
    """Reads and writes one source's entries; `breach` tells what is wrong with a payload, by its contract of today.

    `warn` hears once that the store cannot be read, or written, and again only after it could be in between.
    """

    def __init__(  # noqa: PLR0913 — each is another thing that is handed in
        self,
        source: str,
        store: CacheStore,
        *,
        clock: Clock,
        payloads: Payloads[T],
        max_entries: int,
        breach: Callable[[T], FetchError | None],
        warn: Callable[[str], None],
    ) -> None:
        self._source = source
        self._store = store
        self._clock = clock
        self._payloads = payloads
        self._max_entries = max_entries
        self._breach = breach
        self._warn = warn
        self._told: set[str] = set()

    async def read(self, key: str, *, oldest: float) -> Kept[T] | None:
        """Return what is kept and at most `oldest` seconds old; nothing from the future, whose age nobody knows.

        An entry that is no longer a payload of its type, or breaks the contract, is removed.
        """
        entry = await self._passing_over("read", self._store.get(self._source, key))
        if entry is None:
            return None
        age = age_at(self._clock.now(), entry.stored_at)
        if not 0 <= age <= oldest:
            return None
        data = self._unpacked(entry)
        if data is None:
            await self.remove(key)
            return None
        return Kept(data, entry.stored_at, age)

    async def write(self, key: str, data: T) -> None:
        """Keep a payload that is accepted at this moment."""
        now = self._clock.now()
        await self._passing_over("written", self._put(key, data, now))

    async def remove(self, key: str) -> None:
        """Let go of what is kept there."""
        await self._passing_over("written", self._store.remove(self._source, key))

    async def clear(self) -> None:
        """Let go of all that is kept of the source."""
        await self._passing_over("written", self._store.clear(self._source))

    async def _put(self, key: str, data: T, now: datetime) -> None:
        entry = CacheEntry(stored_at=now, payload=self._payloads.pack(data))
        await self._store.put(self._source, key, entry, max_entries=self._max_entries)

    def _unpacked(self, entry: CacheEntry) -> T | None:
        try:
            data = self._payloads.unpack(entry.payload)
            return data if self._breach(data) is None else None
        except Exception:  # noqa: BLE001 — whatever its type's own checks raise, it is no payload of today
            return None

    async def _passing_over(self, done: str, step: Awaitable[R]) -> R | None:
        try:
            # What keeps objects is this process's memory, and never waits.
            result = await (step if self._store.keeps_objects else within(PATIENCE, step, self._clock))
        except Exception as error:  # noqa: BLE001 — whatever a store raises, and whatever a payload refuses to become
            self._tell(done, error)
            return None
        self._told.discard(done)
        return result

    def _tell(self, done: str, error: Exception) -> None:
        if done not in self._told:
            self._told.add(done)
            self._warn(f"{self._source}: its cache cannot be {done} and is passed over: {error}")
