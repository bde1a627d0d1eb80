"""One source's place in a cache's store: what it holds, as payloads of a known age.

Whatever is wrong with the store or with an entry is a miss here and no error: a cache never fails a fetch. It must
not know any policy of ages, nor who asks.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from data_source_orchestrator.core.age import age_at
from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.contract import Judgement
from data_source_orchestrator.core.patience import PATIENCE, Patience
from data_source_orchestrator.core.ports import CacheEntry, CacheStore
from data_source_orchestrator.resilience.payloads import Payloads

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """A payload, when it was accepted, how many seconds ago, and the places of those of its rows that are set aside."""

    data: T
    checked_at: datetime
    age: float
    set_aside: frozenset[int]


class Shelf(Generic[T]):
    """Reads and writes one source's entries; `judge` judges a payload by its contract of today.

    `warn` hears once that the store cannot be read, or written, and again only after it could be in between. A store
    outside of this process's memory is waited for `within` so many seconds. What was to be cleared and could not be is
    owed: until it has been, nothing is read or written.
    """

    def __init__(  # noqa: PLR0913 — each is another thing that is handed in
        self,
        source: str,
        store: CacheStore,
        *,
        clock: Clock,
        payloads: Payloads[T],
        max_entries: int,
        judge: Callable[[T], Judgement],
        warn: Callable[[str], None],
    ) -> None:
        self._source = source
        self._store = store
        self._clock = clock
        self._payloads = payloads
        self._max_entries = max_entries
        self._judge = judge
        self._warn = warn
        self._told: set[str] = set()
        self._patience = None if store.keeps_objects else Patience(clock)
        self._owes_clearing = False

    async def read(self, key: str, *, oldest: float, within: float = PATIENCE) -> Kept[T] | None:
        """Return what is kept and at most `oldest` seconds old; nothing from the future, whose age nobody knows.

        An entry that is no longer a payload of its type, or breaks the contract, is removed.
        """
        if self._owes_clearing and not await self._clear(within):
            return None
        entry = await self._passing_over("read", self._store.get(self._source, key), within)
        if entry is None:
            return None
        age = age_at(self._clock.now(), entry.stored_at)
        if not 0 <= age <= oldest:
            return None
        kept = self._unpacked(entry, age)
        if kept is None:
            await self._passing_over("written", self._store.remove(self._source, key), within)
        return kept

    async def write(self, key: str, data: T, *, within: float = PATIENCE) -> None:
        """Keep a payload that is accepted at this moment."""
        now = self._clock.now()
        if self._owes_clearing and not await self._clear(within):
            return
        await self._passing_over("written", self._put(key, data, now), within)

    async def clear(self, within: float = PATIENCE) -> bool:
        """Let go of all that is kept of the source; return whether that is done, else it is owed."""
        self._owes_clearing = True
        return await self._clear(within)

    async def _clear(self, within: float) -> bool:
        self._owes_clearing = not await self._passing_over("written", self._cleared(), within)
        return not self._owes_clearing

    async def _cleared(self) -> bool:
        await self._store.clear(self._source)
        return True

    async def _put(self, key: str, data: T, now: datetime) -> None:
        entry = CacheEntry(stored_at=now, payload=self._payloads.pack(data))
        await self._store.put(self._source, key, entry, max_entries=self._max_entries)

    def _unpacked(self, entry: CacheEntry, age: float) -> Kept[T] | None:
        try:
            data = self._payloads.unpack(entry.payload)
            judgement = self._judge(data)
            return None if judgement.breach else Kept(data, entry.stored_at, age, judgement.set_aside)
        except Exception:  # noqa: BLE001 — whatever its type's own checks raise, it is no payload of today
            return None

    async def _passing_over(self, done: str, step: Coroutine[Any, Any, R], within: float) -> R | None:
        try:
            result = await (step if self._patience is None else self._patience.wait_for(step, within))
        except Exception as error:  # noqa: BLE001 — whatever a store raises, and whatever a payload refuses to become
            self._tell(done, error)
            return None
        self._told.discard(done)
        return result

    def _tell(self, done: str, error: Exception) -> None:
        if done not in self._told:
            self._told.add(done)
            self._warn(f"{self._source}: its cache cannot be {done} and is passed over: {error}")
