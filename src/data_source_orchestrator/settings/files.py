"""Reads `dso.toml` and `.env`: what is there, or one sentence on why it cannot be read.

It knows nothing of what the settings mean.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.settings.dotenv import parse
from data_source_orchestrator.settings.layers import Environment

LARGEST = 1_000_000
"""Bytes; a larger file is none of settings, and some devices never end."""

_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsFile:
    """A settings file's tables; `name` is how the person calls it."""

    name: str
    path: Path
    document: Mapping[str, Any] = field(default_factory=dict)


def read_environment(environ: Mapping[str, str], folder: Path) -> Environment:
    """Lay the variables that are set to something over those of the folder's `.env`."""
    own = {name: value for name, value in environ.items() if value.strip()}
    try:
        text = _text(folder / ".env", ".env") if (folder / ".env").is_file() else ""
    except ConfigurationError as error:
        return Environment(values=own, problems=(str(error),))
    told, problems = parse(text, ".env")
    below = {name: value for name, value in told.items() if value.strip() and name not in own}
    return Environment(values=below | own, from_file=frozenset(below), problems=problems)


def read_settings_file(path: Path, name: str, *, demanded_by: str = "") -> SettingsFile:
    """Read a settings file, which may be absent unless somebody demanded it; or raise `ConfigurationError`."""
    try:
        text = _text(path, name)
    except FileNotFoundError:
        if path.is_symlink():
            raise ConfigurationError(f"file {name} is a link that leads nowhere; mend it, or remove it") from None
        if not demanded_by:
            return SettingsFile(name=name, path=path)
        raise ConfigurationError(
            f"file {name}, given by {demanded_by}, does not exist; give the path of a settings file (TOML)"
        ) from None
    return SettingsFile(name=name, path=path, document=_toml(text, name))


def _text(path: Path, name: str) -> str:
    try:
        return _bytes(path, name).decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise ConfigurationError(f"file {name} is not UTF-8 text; save it in that encoding") from None
    except (FileNotFoundError, ConfigurationError):
        raise
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigurationError(f"file {name} cannot be read: {reason}; give a file that this user may read") from None


def _bytes(path: Path, name: str) -> bytes:
    with path.open("rb") as file:
        held = file.read(LARGEST + 1)
    if len(held) > LARGEST:
        raise ConfigurationError(f"file {name} holds more than {LARGEST} bytes, which no settings do; give another")
    return held


def _toml(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigurationError(f"file {name} is nested too deeply to be settings; flatten it") from None
    except ValueError as error:
        line, column, reason = _fault(str(error), text)
        raise ConfigurationError(
            f"file {name}, line {line}, column {column}: this is not TOML ({reason}); correct it there"
        ) from None


def _fault(message: str, text: str) -> tuple[int, int, str]:
    """Return line, column and reason of a TOML error; one without a place is at the end of the text."""
    place = _PLACE.search(message)
    reason = message[: place.start()] if place else message.removesuffix(" (at end of document)")
    if place:
        return int(place[1]), int(place[2]), reason
    lines = text.split("\n")
    return len(lines), len(lines[-1]) + 1, reason
