"""What the house asks of a store: one transaction at a time, all or nothing; and of the caches' stores, less."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from data_source_orchestrator.core.claim import Contribution, Json
from data_source_orchestrator.core.outcome import Outcome
from data_source_orchestrator.core.served import Served
from data_source_orchestrator.core.snapshot import Entity

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One finished or interrupted run, as it is kept; `verb` is what was asked: sync, fetch, ….

    `offline` are the sources that were not reached because our own network was down.
    """

    id: str
    verb: str
    started_at: datetime
    duration: float
    sufficient: bool
    interrupted: bool
    outcomes: tuple[Outcome[object], ...]
    offline: tuple[str, ...] = ()


class Transaction(Protocol):
    """What can be read and written inside one transaction."""

    def documents(self, kind: str) -> dict[str, Json]:
        """Return all small documents of a kind (health, breaker, switch, …) by key."""
        ...

    def put_document(self, kind: str, key: str, value: Json) -> None:
        """Keep a document in place of the one of the same kind and key."""
        ...

    def add_run(self, run: RunRow) -> None:
        """Keep a run and its outcomes, without their data."""
        ...

    def contributions(self) -> dict[str, Contribution]:
        """Return each source's last good contribution by key."""
        ...

    def last_checked(self) -> dict[str, datetime]:
        """Return when each source's last good contribution was accepted, by key."""
        ...

    def put_contribution(self, contribution: Contribution) -> None:
        """Keep a contribution in place of its source's last one."""
        ...

    def entities(self) -> dict[str, Entity]:
        """Return the entities of the current snapshot by id."""
        ...

    def put_entities(self, entities: Iterable[Entity]) -> None:
        """Keep these entities in place of those of the same id."""
        ...

    def remove_entities(self, ids: Iterable[str]) -> None:
        """Let go of entities that nobody claims any longer."""
        ...

    def confirm_snapshot(self, snapshot_id: str, entities: int, at: datetime) -> None:
        """Note that this snapshot is current at that moment, adding it where it was never seen."""
        ...

    def held_entities(self) -> dict[str, Entity]:
        """Return the entities of the snapshot that is held back, by id."""
        ...

    def hold_entities(self, entities: Iterable[Entity]) -> None:
        """Hold back these entities in place of those that were held; nothing is held where there are none."""
        ...

    def standing(self) -> dict[str, Contribution]:
        """Return what sources had said before something was held, by key, where they say something else since."""
        ...

    def keep_standing(self, contributions: Iterable[Contribution]) -> None:
        """Keep what sources had said, unless something older is kept of them already."""
        ...

    def clear_standing(self) -> None:
        """Let go of what sources had said before."""
        ...


class Store(Protocol):
    """Keeps what must last; every call is one transaction, and raises `StoreError` where it cannot be done."""

    async def read(self, work: Callable[[Transaction], R]) -> R:
        """Run `work` on a consistent view and return what it returns."""
        ...

    async def write(self, work: Callable[[Transaction], R]) -> R:
        """Run `work` in one transaction, kept whole or not at all, and return what it returns."""
        ...

    async def close(self) -> None:
        """Let go of the store's resources."""
        ...


@dataclass(frozen=True, slots=True)
class Live:
    """An object as it is, which only a store in this process's memory can keep."""

    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheEntry:
    """A source's checked data as a cache keeps it, and the moment at which it was accepted, aware."""

    stored_at: datetime
    payload: bytes | Live

    def __post_init__(self) -> None:
        if self.stored_at.utcoffset() is None:
            raise ValueError(f"{self.stored_at!r} tells no time zone; give an aware moment")


class CacheStore(Protocol):
    """Keeps entries by source and key, never more than it has room for.

    Calls take effect in the order in which they were made. One that cannot be done raises `StoreError`.
    """

    @property
    def keeps_objects(self) -> bool:
        """Whether it keeps `Live` payloads too, or bytes alone."""
        ...

    async def get(self, source: str, key: str) -> CacheEntry | None:
        """Return the entry, or None."""
        ...

    async def put(self, source: str, key: str, entry: CacheEntry, *, max_entries: int) -> None:
        """Keep an entry in place of the one of the same source and key.

        Of the source's entries at most `max_entries` stay, this one among them.
        """
        ...

    async def remove(self, source: str, key: str) -> None:
        """Let go of an entry, if there is one."""
        ...

    async def clear(self, source: str) -> None:
        """Let go of all entries of a source."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """Answers that were no data: of which source, when, why not, and what was served."""

    source: str
    at: datetime
    message: str
    served: tuple[Served, ...]


class Inspection(Protocol):
    """Keeps answers that were no data, so that somebody can look at them; the last few of each source."""

    async def keep(self, breach: Breach) -> None:
        """Keep a breach; raises `StoreError` where that cannot be done."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResponse:
    """An accepted HTTP answer as the HTTP cache keeps it: nothing in it is secret.

    `address` was asked, and `url` answered. `variant` is a digest of what was sent under the header names of `vary`, ""
    where there are none. `headers` have lower-case names, and lack what is not to be kept;
    `body` is decoded, `digest` its SHA-256 in hexadecimal. `received_at` is aware, and `initial_age` the seconds that
    the answer was old already when it was received.
    """

    address: str
    variant: str
    vary: tuple[str, ...]
    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    digest: str
    received_at: datetime
    initial_age: float

    def __post_init__(self) -> None:
        if self.received_at.utcoffset() is None:
            raise ValueError(f"{self.received_at!r} tells no time zone; give an aware moment")

    @property
    def size(self) -> int:
        """The bytes of body and headers."""
        return len(self.body) + sum(len(name) + len(value) for name, value in self.headers)


class ResponseStore(Protocol):
    """Keeps HTTP answers by address and variant, never more than it has room for; the least recently used goes first.

    A call that cannot be done raises `StoreError`.
    """

    async def get(self, address: str) -> Sequence[StoredResponse]:
        """Return the variants that are kept of an address."""
        ...

    async def put(self, response: StoredResponse) -> None:
        """Keep an answer, as the one used last, in place of the one of the same address and variant."""
        ...

    async def refresh(self, response: StoredResponse) -> None:
        """Keep all but the body of an answer whose very body is kept already, as the one used last.

        Where that is not kept any longer, nothing happens.
        """
        ...

    async def remove(self, address: str, variant: str) -> None:
        """Let go of an answer, if there is one."""
        ...


Documents = Mapping[str, Json]
