"""The HTTP cache's answers in a SQLite file, so that the next process too asks under conditions.

They have tables of their own, in the file of the store or in one beside it. It must not know what a header means, nor
when an answer is too old.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from data_source_orchestrator.core.durations import count
from data_source_orchestrator.core.ports import StoredResponse
from data_source_orchestrator.history import codec
from data_source_orchestrator.history.atomic import Atomic
from data_source_orchestrator.history.cache import PATIENCE
from data_source_orchestrator.history.store import SqliteStore


class ResponseRows(Atomic):
    """One transaction on what is kept of HTTP answers."""

    def of(self, address: str) -> list[StoredResponse]:
        """Return the variants of an address."""
        return self._rows("responses", _response, (address,))

    def put(self, response: StoredResponse) -> None:
        """Keep an answer in place of the one of the same address and variant."""
        place = response.address, response.variant
        self._change("remove_response", [place])
        self._change("put_response", [(*place, response.size, response.digest, _text(response))])
        self._change("put_response_body", [(*place, response.body)])

    def refresh(self, response: StoredResponse) -> None:
        """Keep all but the body."""
        place = response.address, response.variant
        self._change("refresh_response", [(*place, response.size, response.digest, _text(response))])

    def remove(self, address: str, variant: str) -> None:
        """Let go of an answer, if there is one."""
        self._change("remove_response", [(address, variant)])

    def trim(self, max_bytes: int) -> None:
        """Let go of the least recently used answers until all together have no more bytes."""
        self._change("trim_responses", [(max_bytes,)])


class SqliteResponses:
    """Keeps HTTP answers in a SQLite file; `open` it, and `close` it. `max_bytes` bounds them, as they are served."""

    def __init__(self, store: SqliteStore, *, max_bytes: int) -> None:
        self._store = store
        self._max_bytes = count(max_bytes, "max_bytes", least=1)

    @classmethod
    async def open(cls, path: Path, *, max_bytes: int, busy_timeout: float = PATIENCE) -> "SqliteResponses":
        """Return what is kept in that file, which may be a store's too, or raise `StoreError`.

        It writes through a connection of its own, so that it waits for other writers no longer than `busy_timeout`
        seconds.
        """
        return cls(await SqliteStore.open(path, busy_timeout=busy_timeout), max_bytes=max_bytes)

    async def get(self, address: str) -> Sequence[StoredResponse]:
        """Return the variants that are kept of an address; raise `StoreError` where they cannot be read."""
        return await self._store.transact(ResponseRows, lambda rows: rows.of(address), writes=False)

    async def put(self, response: StoredResponse) -> None:
        """Keep an answer, and let go of the least recently used ones; one larger than all the room is not kept."""
        await self._store.transact(ResponseRows, partial(self._put, response), writes=True)

    async def refresh(self, response: StoredResponse) -> None:
        """Keep all but the body of an answer whose body is kept already, as the one used last."""
        await self._store.transact(ResponseRows, lambda rows: rows.refresh(response), writes=True)

    async def remove(self, address: str, variant: str) -> None:
        """Let go of an answer, if there is one."""
        await self._store.transact(ResponseRows, lambda rows: rows.remove(address, variant), writes=True)

    async def close(self) -> None:
        """Let go of the file."""
        await self._store.close()

    def _put(self, response: StoredResponse, rows: ResponseRows) -> None:
        if response.size > self._max_bytes:
            rows.remove(response.address, response.variant)
        else:
            rows.put(response)
            rows.trim(self._max_bytes)


def _text(response: StoredResponse) -> str:
    return codec.to_text(
        {
            "vary": response.vary,
            "url": response.url,
            "status": response.status,
            "headers": response.headers,
            "received_at": codec.moment_text(response.received_at),
            "initial_age": response.initial_age,
        }
    )


def _response(address: str, variant: str, digest: str, text: str, body: bytes) -> StoredResponse:
    told = codec.from_text(text)
    return StoredResponse(
        address=address,
        variant=variant,
        vary=tuple(told["vary"]),
        url=told["url"],
        status=told["status"],
        headers=tuple((name, value) for name, value in told["headers"]),
        body=body,
        digest=digest,
        received_at=codec.moment_of(told["received_at"]),
        initial_age=told["initial_age"],
    )
