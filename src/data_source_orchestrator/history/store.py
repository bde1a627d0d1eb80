"""The store on SQLite: every call is one transaction, on one thread of the store's own.

It may be used from one event loop after another. It knows threads and cancellation, and no rows.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from data_source_orchestrator.core.errors import StoreError
from data_source_orchestrator.core.ports import Transaction
from data_source_orchestrator.core.waiting import to_their_end
from data_source_orchestrator.history.atomic import Atomic
from data_source_orchestrator.history.connection import connect, connect_to_read
from data_source_orchestrator.history.failures import store_error
from data_source_orchestrator.history.queries import load_queries
from data_source_orchestrator.history.transaction import SqliteTransaction

R = TypeVar("R")
A = TypeVar("A", bound=Atomic)

BUSY_TIMEOUT = 5.0
"""Seconds to wait for another process to let go of the database."""


@dataclass(frozen=True, slots=True)
class _Raised:
    """What a job raised: an event loop's future cannot carry every exception, and would never be done."""

    error: BaseException


class SqliteStore:
    """Keeps what must last in one SQLite file; `open` one, and `close` it.

    What was handed to the store is done to its end, also where the caller is cancelled meanwhile: the
    `CancelledError` passes when the transaction has ended.
    """

    def __init__(self, path: Path, trouble: StoreError | None = None) -> None:
        self._path = path
        self._trouble = trouble
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="dso-store")
        self._queries = load_queries("sqlite")
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    @classmethod
    async def open(
        cls, path: Path, *, max_pages: int | None = None, busy_timeout: float = BUSY_TIMEOUT
    ) -> "SqliteStore":
        """Return the store in that file, made where it is not there yet, or raise `StoreError`.

        `max_pages` limits how far the file may grow, in pages of SQLite; `busy_timeout` is seconds to wait for
        another process.
        """
        store = cls(path)
        return await store._opened(lambda: connect(path, max_pages=max_pages, busy_timeout=busy_timeout))

    @classmethod
    async def open_to_read(
        cls, path: Path, trouble: StoreError, *, busy_timeout: float = BUSY_TIMEOUT
    ) -> "SqliteStore":
        """Return the store in that file as it is, for reading alone, or raise `StoreError`.

        `trouble` is why it cannot be written, and what `write` raises.
        """
        store = cls(path, trouble)
        return await store._opened(lambda: connect_to_read(path, busy_timeout=busy_timeout))

    @property
    def trouble(self) -> StoreError | None:
        """Why nothing can be written; None where the store was opened for writing too."""
        return self._trouble

    async def read(self, work: Callable[[Transaction], R]) -> R:
        """Run `work` on a consistent view and return what it returns; what it raises passes unchanged."""
        return await self.transact(SqliteTransaction, work, writes=False)

    async def write(self, work: Callable[[Transaction], R]) -> R:
        """Run `work` in one transaction and return what it returns; what it raises passes, and nothing is kept."""
        return await self.transact(SqliteTransaction, work, writes=True)

    async def transact(self, kind: type[A], work: Callable[[A], R], *, writes: bool) -> R:
        """Run `work` in one transaction of that kind: what this room keeps beside runs has tables of its own."""
        if writes and self._trouble is not None:
            raise StoreError(str(self._trouble), self._trouble.flaw)
        return await self._do(lambda: self._transact(kind, work, writes=writes))

    async def close(self) -> None:
        """Let go of the file and the thread, after what was handed over before; a second time does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            await _in_thread(self._thread, self._disconnect)
        finally:
            self._thread.shutdown()

    async def _do(self, job: Callable[[], R]) -> R:
        if self._closed:
            raise StoreError(f"the store {self._path} is closed: open it again")
        return await _in_thread(self._thread, job)

    async def _opened(self, connecting: Callable[[], sqlite3.Connection]) -> Self:
        try:
            await self._do(lambda: self._connect(connecting))
        except BaseException:
            await self.close()
            raise
        return self

    def _connect(self, connecting: Callable[[], sqlite3.Connection]) -> None:
        try:
            self._connection = connecting()
        except (OSError, sqlite3.Error) as error:
            raise store_error(error, self._path) from error

    def _transact(self, kind: type[A], work: Callable[[A], R], *, writes: bool) -> R:
        if self._connection is None:
            raise StoreError(f"the store {self._path} is not open: use SqliteStore.open")
        with kind(self._connection, self._queries, self._path, writes=writes) as transaction:
            return work(transaction)

    def _disconnect(self) -> None:
        if self._connection is None:
            return
        try:
            self._connection.close()
        except sqlite3.Error as error:
            raise store_error(error, self._path) from error


async def _in_thread(thread: ThreadPoolExecutor, job: Callable[[], R]) -> R:
    """Do a job in that thread and wait for its end, cancelled or not."""
    future = asyncio.get_running_loop().run_in_executor(thread, _caught, job)
    await to_their_end([future])
    ending = future.result()
    if isinstance(ending, _Raised):
        raise ending.error
    return ending


def _caught(job: Callable[[], R]) -> R | _Raised:
    try:
        return job()
    except BaseException as error:  # noqa: BLE001 — it is raised again where the job was handed over
        return _Raised(error)
