"""What a database's errors mean for a person: one sentence that names the store, what is wrong and what to do."""

import errno
import shutil
import sqlite3
from pathlib import Path

from data_source_orchestrator.core.errors import StoreError, StoreFlaw

LITTLE = 256 * 1024
"""Bytes; with less than this free, a disk that refuses to write is called full."""

FULL = "has no room to grow, its disk is full: free some space and try again; what it held before is intact"
READ_ONLY = (
    "cannot be written, its file, folder or mount is read-only: give this user the right to write there,"
    " or choose another data folder"
)
LOCKED = (
    "was locked by another process for longer than this one may wait: let that one finish, or end it, and try again;"
    " nothing was changed"
)
DAMAGED = "is damaged: move it away or put a copy back in its place, then try again; it was left as it is"

_FLAWS = {
    FULL: StoreFlaw.FULL,
    READ_ONLY: StoreFlaw.READ_ONLY,
    LOCKED: StoreFlaw.LOCKED,
    DAMAGED: StoreFlaw.DAMAGED,
}

_MEANINGS = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_PERM: READ_ONLY,
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
}


def store_error(error: Exception, path: Path) -> StoreError:
    """Return the `StoreError` that tells what this error means for the store at that path."""
    meaning = _meaning(error, path)
    return StoreError(f"the store {path} {meaning}", _FLAWS.get(meaning, StoreFlaw.OTHER))


def damaged(path: Path) -> StoreError:
    """Return the error of a store whose content is not what was once written."""
    return StoreError(f"the store {path} {DAMAGED}", StoreFlaw.DAMAGED)


def _meaning(error: Exception, path: Path) -> str:
    if isinstance(error, OSError):
        return _meaning_of_system(error)
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return DAMAGED if "Could not decode" in str(error) else f"refused what was asked of it: {error}"
    return _meaning_of_code(code & 0xFF, error, path)


def _meaning_of_system(error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return FULL
    if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
        return READ_ONLY
    return f"cannot be made ({error.strerror}: {error.filename}): choose another data folder"


def _meaning_of_code(code: int, error: Exception, path: Path) -> str:
    if code in _MEANINGS:
        return _MEANINGS[code]
    if code not in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}:
        return f"refused what was asked of it: {error}"
    if _room(path) < LITTLE:
        # SQLite tells a full disk in these words where it failed beside the database: its log, its shared memory.
        return FULL
    return f"cannot be read or written ({error}): look after its disk and its folder, then try again"


def _room(path: Path) -> int:
    try:
        return shutil.disk_usage(path.parent).free
    except OSError:
        return LITTLE
