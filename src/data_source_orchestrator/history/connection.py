"""Opens the database file of a store: made private, set to lose nothing, brought to the present format.

Where it cannot be written, opens it as it is, and makes and changes nothing beside it.
"""

import logging
import os
import sqlite3
from pathlib import Path
from threading import Event

from data_source_orchestrator.history.failures import damaged
from data_source_orchestrator.history.migrations import demand_present, migrate
from data_source_orchestrator.history.queries import load_migrations

_LOG = logging.getLogger("data_source_orchestrator")

PAUSE = 0.02
"""Seconds between two tries to switch a new database to its write-ahead log."""

MAKING = 0.25
"""Seconds; a file that was empty for longer is not just being made a store by another process."""


def connect(path: Path, *, max_pages: int | None, busy_timeout: float) -> sqlite3.Connection:
    """Return a connection for the thread that calls, or raise `StoreError`, `sqlite3.Error` or `OSError`."""
    logged = not _is_empty(_log_of(path), absent=True)  # asked first: while another process makes a store, it is last
    emptied = _emptied_at(path)
    if logged and emptied is not None:
        raise damaged(path)  # SQLite would take it for new, and throw away the log, which holds what is left
    _make(path)
    connection = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None)
    try:
        _use_write_ahead_log(connection, busy_timeout)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        if max_pages is not None:
            connection.execute(f"PRAGMA max_page_count = {max_pages:d}")
        began = migrate(connection, path, load_migrations("sqlite"))
    except BaseException:
        connection.close()
        raise
    if began and emptied is not None and path.stat().st_mtime - emptied > MAKING:
        _LOG.warning(
            "%s was there and empty, and a new store begins in it; if it held data before, put a copy back", path
        )
    return connection


def connect_to_read(path: Path, *, busy_timeout: float) -> sqlite3.Connection:
    """Return a connection that only reads what is there; raises as `connect` does."""
    # Without a log nobody is writing, and SQLite must not look for one: where it finds none, it would make it.
    mode = "mode=ro&immutable=1" if _is_empty(_log_of(path), absent=True) else "mode=ro"
    address = f"{path.absolute().as_uri()}?{mode}"
    connection = sqlite3.connect(address, uri=True, timeout=busy_timeout, isolation_level=None)
    try:
        demand_present(connection, path, len(load_migrations("sqlite")))
    except BaseException:
        connection.close()
        raise
    return connection


def _log_of(path: Path) -> Path:
    """Return where SQLite keeps what it has not yet moved into the database itself."""
    return path.with_name(f"{path.name}-wal")


def _emptied_at(path: Path) -> float | None:
    """Return since when a file has held nothing, by its own clock; None where it holds something, or is not there."""
    return path.stat().st_mtime if _is_empty(path) else None


def _is_empty(path: Path, *, absent: bool = False) -> bool:
    """Return whether a file holds nothing; of one that is not there, what was given."""
    try:
        return path.is_file() and path.stat().st_size == 0 if path.exists() else absent
    except OSError:
        return False


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
