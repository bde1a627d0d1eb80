"""Values as a person writes them in a settings file, for sentences that tell what was given.

It knows no setting; nothing of Python shows.
"""

from collections.abc import Mapping
from datetime import date, time
from pathlib import Path

LONGEST = 60
"""Characters of a value that are told; whoever wrote more knows it by these."""


def written(value: object) -> str:
    """Return a value in the words of TOML: text in quotes, true and false, moments in ISO 8601, tables by name only."""
    match value:
        case Mapping():
            return "a table"
        case list() | tuple() if value and all(isinstance(item, Mapping) for item in value):
            return "an array of tables"
        case list() | tuple():
            return _short(f"[{', '.join(map(written, value))}]")
        case _:
            return _plain(value)


def _plain(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str() | Path():
            return repr(_short(str(value)))
        case date() | time():
            return value.isoformat()
        case _:
            return _short(str(value))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
