"""Opens the database file of a store: made private, set to lose nothing, brought to the present format."""

import os
import sqlite3
from pathlib import Path
from threading import Event

from data_source_orchestrator.history.migrations import migrate
from data_source_orchestrator.history.queries import load_migrations

PAUSE = 0.02
"""Seconds between two tries to switch a new database to its write-ahead log."""


def connect(path: Path, *, max_pages: int | None, busy_timeout: float) -> sqlite3.Connection:
    """Return a connection for the thread that calls, or raise `StoreError`, `sqlite3.Error` or `OSError`."""
    _make(path)
    connection = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None)
    try:
        _use_write_ahead_log(connection, busy_timeout)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        if max_pages is not None:
            connection.execute(f"PRAGMA max_page_count = {max_pages:d}")
        migrate(connection, path, load_migrations("sqlite"))
    except BaseException:
        connection.close()
        raise
    return connection


def _make(path: Path) -> None:
    """Make a new folder and a new file this user's alone; those that exist keep their modes."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _use_write_ahead_log(connection: sqlite3.Connection, patience: float) -> None:
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        return
    # SQLite does not wait by itself where two processes make this switch at once.
    for _ in range(int(patience / PAUSE)):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            Event().wait(PAUSE)
        else:
            return
    connection.execute("PRAGMA journal_mode = WAL")
