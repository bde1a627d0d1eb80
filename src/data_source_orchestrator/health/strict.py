"""Strict readers of JSON values: each returns what it promises or raises `ValueError` or `OverflowError`.

They know nothing of what the values mean.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from data_source_orchestrator.core.claim import Json

LARGEST = 10**12
"""Far beyond any true count or sum of seconds, and small enough to reckon with."""


def moment(value: Json) -> datetime:
    """Return a moment that was written as ISO 8601 with its offset, or raise `ValueError`."""
    read = datetime.fromisoformat(text(value))
    if read.tzinfo is None:
        raise ValueError(f"{value!r} has no offset from UTC")
    return read.astimezone(UTC)


def number(value: Json) -> float:
    """Return a number from 0 to `LARGEST`, or raise `ValueError`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LARGEST:
        raise ValueError(f"{value!r} is no number from 0 to {LARGEST}")
    return float(value)


def whole(value: Json) -> int:
    """Return a whole number from 0 to `LARGEST`, or raise `ValueError`."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST:
        raise ValueError(f"{value!r} is no whole number from 0 to {LARGEST}")
    return value


def text(value: Json) -> str:
    """Return a string, or raise `ValueError`."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")  # noqa: TRY004 — whoever reads a document catches one kind of error
    return value


def members(document: Json, schema: str) -> Mapping[str, Json]:
    """Return the members of an object of that schema, or raise `ValueError`."""
    if not isinstance(document, Mapping) or document.get("schema") != schema:
        raise ValueError(f"not a document of {schema}")
    return document


def truth(value: Json) -> bool:
    """Return a boolean, or raise `ValueError`."""
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")  # noqa: TRY004 — as in `text`
    return value


def items(value: Json) -> Sequence[Json]:
    """Return a list, or raise `ValueError`."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"{value!r} is no list")  # noqa: TRY004 — as in `text`
    return value
