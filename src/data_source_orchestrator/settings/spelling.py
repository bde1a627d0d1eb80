"""Settings by the names that a person wrote, and what else could have been meant.

It knows the table of settings and nothing of their values.
"""

import json
import re
from collections.abc import Mapping

from data_source_orchestrator.core.errors import nearest
from data_source_orchestrator.settings.reference import ANY, SETTINGS
from data_source_orchestrator.settings.written import written

Key = tuple[str, ...]
"""A setting's place in the file, table by table."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def spelled(key: Key) -> str:
    """Return a setting as it stands in the file: `[run] timeout`."""
    *tables, name = map(_quoted, key)
    return f"[{'.'.join(tables)}] {name}" if tables else name


def table(key: Key) -> str:
    """Return a table's heading: `[sources.codarmory]`."""
    return f"[{'.'.join(map(_quoted, key))}]"


def known(tables: Key) -> tuple[str, ...]:
    """Return the names that may stand in a table."""
    above = (tables[0], ANY[tables[0]], *tables[2:]) if tables[0:1] and tables[0] in ANY and len(tables) > 1 else tables
    keys = [tuple(setting.key.split(".")) for setting in SETTINGS]
    return tuple(dict.fromkeys(key[len(above)] for key in keys if key[: len(above)] == above and len(key) > len(above)))


def unknown(key: Key, value: object) -> str:
    """Say of a key that is no setting what it holds, and what was meant or would be accepted."""
    here = known(key[:-1])
    near = nearest(key[-1], here)
    if near:
        return f"{_holds(value)}; did you mean {near!r}?"
    elsewhere = _elsewhere(key[-1])
    if elsewhere:
        return f"{_holds(value)}; did you mean {elsewhere}?"
    return f"{_holds(value)}; there are {', '.join(here)}"


def _holds(value: object) -> str:
    return "is not a known table" if isinstance(value, Mapping) else f"(= {written(value)}) is not a known setting"


def _elsewhere(name: str) -> str | None:
    """Return a setting of nearly that name in another table."""
    by_name = {setting.key.split(".")[-1]: tuple(setting.key.split(".")) for setting in reversed(SETTINGS)}
    near = nearest(name, by_name)
    return spelled(by_name[near]) if near else None


def _quoted(part: str) -> str:
    return part if _BARE.fullmatch(part) else json.dumps(part, ensure_ascii=False)
