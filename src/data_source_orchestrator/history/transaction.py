"""What can be read and written inside one SQLite transaction, kept whole or not at all.

It knows rows and their order, and speaks to other rooms in their words only.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Self, TypeVar

from data_source_orchestrator.core.claim import Contribution, Json
from data_source_orchestrator.core.errors import StoreError
from data_source_orchestrator.core.outcome import Failure, Outcome, Skipped, Success
from data_source_orchestrator.core.ports import RunRow
from data_source_orchestrator.core.snapshot import Entity
from data_source_orchestrator.history import codec
from data_source_orchestrator.history.failures import damaged, store_error
from data_source_orchestrator.history.queries import Queries

T = TypeVar("T")

Values = Sequence[str | bytes | int | float | None]


class SqliteTransaction:
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

    def documents(self, kind: str) -> dict[str, Json]:
        """Return all small documents of a kind by key."""
        return dict(self._rows("documents", lambda key, text: (key, codec.from_text(text)), (kind,)))

    def put_document(self, kind: str, key: str, value: Json) -> None:
        """Keep a document in place of the one of the same kind and key."""
        self._change("put_document", [(kind, key, codec.to_text(value))])

    def add_run(self, run: RunRow) -> None:
        """Keep a run and its outcomes, without their data."""
        started = codec.moment_text(run.started_at)
        outcomes = [_outcome_row(run.id, outcome) for outcome in run.outcomes]
        self._change("add_run", [(run.id, run.verb, started, run.duration, run.sufficient, run.interrupted)])
        self._change("add_outcome", outcomes)

    def contributions(self) -> dict[str, Contribution]:
        """Return each source's last good contribution by key."""
        return {held.source: held for held in self._rows("contributions", codec.contribution_of)}

    def put_contribution(self, contribution: Contribution) -> None:
        """Keep a contribution in place of its source's last one."""
        checked = codec.moment_text(contribution.checked_at)
        body = codec.contribution_body(contribution)
        self._change("put_contribution", [(contribution.source, contribution.run_id, checked, body)])

    def entities(self) -> dict[str, Entity]:
        """Return the entities of the current snapshot by id."""
        return {entity.id: entity for entity in self._rows("entities", codec.entity_of)}

    def put_entities(self, entities: Iterable[Entity]) -> None:
        """Keep these entities in place of those of the same id."""
        self._change("put_entity", [(entity.id, codec.entity_text(entity)) for entity in entities])

    def remove_entities(self, ids: Iterable[str]) -> None:
        """Let go of entities that nobody claims any longer."""
        self._change("remove_entity", [(name,) for name in ids])

    def confirm_snapshot(self, snapshot_id: str, entities: int, at: datetime) -> None:
        """Note that this snapshot is current at that moment, adding it where it was never seen."""
        self._change("confirm_snapshot", [(snapshot_id, entities, codec.moment_text(at))])

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


def _outcome_row(run_id: str, outcome: Outcome[object]) -> Values:
    status, kind, message = _ending(outcome)
    warnings = codec.to_text(outcome.warnings)
    return run_id, outcome.source, status, outcome.attempts, outcome.duration, kind, message, warnings


def _ending(outcome: Outcome[object]) -> tuple[str, str | None, str | None]:
    match outcome:
        case Success():
            return "success", None, None
        case Failure():
            return "failure", outcome.kind.value, _storable(outcome.message)
        case Skipped():
            return "skipped", outcome.reason.value, _storable(outcome.detail)


def _storable(message: str) -> str:
    """Return text that UTF-8 can hold: an upstream's words may carry half a surrogate pair."""
    return message.encode("utf-8", "backslashreplace").decode("utf-8")
