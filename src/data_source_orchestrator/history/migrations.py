"""Brings a database to the format that this program knows: all steps or none, whoever else tries it meanwhile."""

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from data_source_orchestrator.core.errors import StoreError
from data_source_orchestrator.history.queries import statements

APPLICATION_ID = int.from_bytes(b"dsoS", "big")
"""What the first migration writes into a database to mark it as ours."""


def migrate(connection: sqlite3.Connection, path: Path, steps: Sequence[str]) -> bool:
    """Apply the steps that this database lacks, in one transaction; return whether a new store began with that.

    Raises `StoreError` for a newer format and for a database that is no store; `sqlite3.Error` as it comes.
    """
    if _version(connection, path, len(steps)) == len(steps):
        return False
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been first; only now does nobody else write.
        version = _version(connection, path, len(steps))
        for step in steps[version:]:
            for statement in statements(step):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    return version == 0


def demand_present(connection: sqlite3.Connection, path: Path, known: int) -> None:
    """Refuse what is no store in the present format; nothing is changed. Raises as `migrate` does."""
    version = _version(connection, path, known)
    if version < known:
        raise StoreError(
            f"the store {path} is in format {version}, and is brought to format {known} when it can be written"
        )


def _version(connection: sqlite3.Connection, path: Path, known: int) -> int:
    version = _pragma(connection, "user_version")
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if (version or tables) and not _is_store(connection):
        raise StoreError(f"{path} is the database of another program: choose another data folder; it was left as it is")
    if version > known:
        raise StoreError(
            f"the store {path} is in format {version}, and this program knows {known}:"
            " install the newer version that wrote it, or choose another data folder; it was left as it is"
        )
    return version


def _is_store(connection: sqlite3.Connection) -> bool:
    return _pragma(connection, "application_id") == APPLICATION_ID


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
