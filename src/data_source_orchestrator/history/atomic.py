"""One SQLite transaction, kept whole or not at all, whatever is done in it.

It knows statements and how they fail, and no rows.
"""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self, TypeVar

from data_source_orchestrator.core.errors import StoreError
from data_source_orchestrator.history import codec
from data_source_orchestrator.history.failures import damaged, store_error
from data_source_orchestrator.history.queries import Queries

T = TypeVar("T")

Values = Sequence[str | bytes | int | float | None]


class Atomic:
    """One transaction, from entering its context to leaving it; an exception undoes it.

    After one statement has failed, no other is run and nothing is kept, whatever the caller makes of the error.
    """

    def __init__(self, connection: sqlite3.Connection, queries: Queries, path: Path, *, writes: bool) -> None:
        self._connection = connection
        self._queries = queries
        self._path = path
        self._writes = writes
        self._refusal: StoreError | None = None

    def __enter__(self) -> Self:
        self._run("BEGIN IMMEDIATE" if self._writes else "BEGIN DEFERRED")
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            if error is None:
                self._run("COMMIT")
        finally:
            self._refusal = StoreError(f"this transaction on the store {self._path} has ended: begin another")
            self._undo()

    def _rows(self, query: str, read: Callable[..., T], values: Values = ()) -> list[T]:
        rows = self._run(self._queries[query], values)
        try:
            return [read(*row) for row in rows]
        except codec.UNREADABLE as error:
            raise damaged(self._path) from error

    def _change(self, query: str, rows: Sequence[Values]) -> None:
        if not self._writes:
            raise StoreError(f"nothing can be written to the store {self._path} inside read(): use write()")
        self._guard(lambda: self._connection.executemany(self._queries[query], rows))

    def _run(self, statement: str, values: Values = ()) -> list[Sequence[object]]:
        return self._guard(lambda: self._connection.execute(statement, values).fetchall())

    def _guard(self, step: Callable[[], T]) -> T:
        if self._refusal is not None:
            raise self._refusal
        try:
            return step()
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            self._refusal = store_error(error, self._path)
            raise self._refusal from error

    def _undo(self) -> None:
        # Where this fails as well, SQLite has already undone it or will on the next opening.
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
