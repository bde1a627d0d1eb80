"""What a row of made-up data is, and how any upstream's rows can go bad under a 200."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

Row = dict[str, Any]
"""One JSON object."""

Thrown = Mapping[str, float]
"""The switches thrown for a source, with their values."""

OTHER_GAME = "bf6"
"""What rows say they belong to when an upstream answers for another franchise."""

SHRUNKEN = 5
"""How many rows are left of a list that has shrunk."""


def cut(rows: Sequence[Row], thrown: Thrown) -> list[Row]:
    """Return the rows that an empty or shrunken answer leaves."""
    if "empty" in thrown:
        return []
    return list(rows[:SHRUNKEN] if "shrunken" in thrown else rows)


def of_another_game(rows: Sequence[Row], thrown: Thrown, *members: str) -> list[Row]:
    """Return the rows with these members naming another franchise, if that switch is thrown."""
    if "wrong_game" not in thrown:
        return list(rows)
    return [row | {member: OTHER_GAME for member in members if member in row} for row in rows]


def renamed(row: Row, thrown: Thrown, names: Mapping[str, str]) -> Row:
    """Return the object with members renamed, if that switch is thrown."""
    if "renamed_rows_key" not in thrown:
        return row
    return {names.get(member, member): value for member, value in row.items()}


def made_up_id(*parts: object, length: int) -> str:
    """Return that many hexadecimal digits, always the same for the same parts."""
    return hashlib.sha256("/".join(str(part) for part in parts).encode()).hexdigest()[:length]
