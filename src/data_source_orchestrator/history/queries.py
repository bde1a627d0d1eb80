"""The SQL that the package carries: named queries and numbered migrations, one folder for each dialect."""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

Queries = Mapping[str, str]
"""SQL by name."""

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_NUMBERED = re.compile(r"(\d{4})_\w+\.sql")


def load_queries(dialect: str) -> Queries:
    """Return a dialect's named queries."""
    _, *parts = _NAME.split(_folder(dialect).joinpath("queries.sql").read_text("utf-8"))
    return dict(zip(parts[::2], (sql.strip() for sql in parts[1::2]), strict=True))


def load_migrations(dialect: str) -> tuple[str, ...]:
    """Return a dialect's migrations, in order of their numbers; the first makes an empty database a store."""
    scripts = {item.name: item for item in _folder(dialect).iterdir() if _NUMBERED.fullmatch(item.name)}
    return tuple(scripts[name].read_text("utf-8") for name in sorted(scripts))


def statements(script: str) -> Iterator[str]:
    """Split a script into its statements; semicolons in text, comments and triggers split nothing."""
    statement = ""
    for piece in script.split(";")[:-1]:
        statement += piece + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _folder(dialect: str) -> Traversable:
    return files("data_source_orchestrator.history") / "sql" / dialect
