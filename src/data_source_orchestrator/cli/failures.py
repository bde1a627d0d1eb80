"""From what went wrong to a sentence on standard error and an exit status; nobody is shown a traceback.

What nobody expected is kept with its traceback in a file, and the sentence names it. Loads nothing of the house but
its errors, and no library: it must be able to tell that one is missing.
"""

import contextlib
import os
import sys
import tempfile
import traceback
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import IO

from data_source_orchestrator.cli.options import Common
from data_source_orchestrator.core.errors import ConfigurationError, StoreError, UnknownSourceError

SUFFICIENT, INSUFFICIENT, WRONG_USE, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143

ERRORS = "errors.log"
"""The file in the data folder that keeps tracebacks."""

LARGEST = 1_000_000
"""Bytes; a larger file of tracebacks is begun anew."""

EXTRA: Mapping[str, str] = MappingProxyType({"rich": "cli", "platformdirs": "cli"})
"""What the command line itself needs, by the extra that brings it."""


class OutputError(Exception):
    """What a command has to say cannot be written where it was to go."""


class Terminated(BaseException):
    """The process was asked to end by SIGTERM."""


def guarded(does: str, options: Common) -> int:
    """Do a verb, given as `module.function` of this room, and return its exit status or that of what went wrong."""
    module, _, function = does.rpartition(".")
    try:
        status: int = getattr(import_module(f"data_source_orchestrator.cli.{module}"), function)(options)
    except KeyboardInterrupt:
        return _told("interrupted", INTERRUPTED)
    except Terminated:
        return _told("ended by SIGTERM", TERMINATED)
    except Exception as error:  # noqa: BLE001 — whatever nobody expected is told in one sentence, and kept in full
        return _told_of(error, options)
    return status


def _told_of(error: Exception, options: Common) -> int:
    match error:
        case ConfigurationError() | UnknownSourceError():
            return _told(str(error), WRONG_USE)
        case StoreError() | OutputError():
            return _told(str(error), INSUFFICIENT)
        case ModuleNotFoundError(name=str(name)) if name.partition(".")[0] in EXTRA:
            extra = EXTRA[name.partition(".")[0]]
            wanted = f"install data-source-orchestrator[{extra}]"
            return _told(f"this command needs {name}, which is not installed; {wanted}", WRONG_USE)
        case _:
            return _unexpected(error, options)


def keep(text: str, folder: Path | None) -> Path | None:
    """Keep a traceback in the data folder, else in a temporary file, and return where; None where that fails too."""
    with contextlib.suppress(OSError):
        if folder is not None:
            return _append(text, folder)
    with contextlib.suppress(OSError):
        descriptor, name = tempfile.mkstemp(prefix="dso-", suffix=".log")
        os.close(descriptor)
        return _write(text, Path(name), anew=True)
    return None


def _append(text: str, folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / ERRORS
    return _write(text, path, anew=path.exists() and path.stat().st_size > LARGEST)


def _write(text: str, path: Path, *, anew: bool) -> Path:
    with path.open("w" if anew else "a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text.rstrip() + "\n\n")
    return path


def kept_in(path: Path | None) -> str:
    """Say where a traceback is."""
    return f"the traceback is in {path}" if path else "its traceback could not be kept"


def unwritable(error: OSError) -> str:
    """Say that standard output takes nothing more."""
    reason = error.strerror or "it is closed"
    return f"standard output cannot be written ({reason}): send it to a place that takes it, and try again"


def tell(sentences: str) -> None:
    """Print each sentence on standard error, or nothing where nobody may be listening: the status tells enough."""
    try:
        for sentence in sentences.splitlines():
            sys.stderr.write(f"dso: {sentence}\n")
        sys.stderr.flush()
    except OSError:
        silence(sys.stderr)
    except (ValueError, AttributeError):
        pass  # it is closed, or there never was one


def silence(stream: IO[str]) -> None:
    """Let what a stream is told from now on go nowhere, or the interpreter would complain of it at its end."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _told(sentences: str, status: int) -> int:
    tell(sentences)
    return status


def _unexpected(error: Exception, options: Common) -> int:
    path = keep("".join(traceback.format_exception(error)), _folder(options))
    return _told(f"something unforeseen went wrong ({_named(error)}); {kept_in(path)}", INSUFFICIENT)


def _named(error: Exception) -> str:
    """Return an error's own words; where they are too few to understand, with the name of its kind."""
    words = str(error).split()
    return " ".join(words if len(words) > 1 else [f"{type(error).__name__}:", *words])


def _folder(options: Common) -> Path | None:
    """Return the data folder, None where not even that can be told."""
    try:
        from data_source_orchestrator.cli.settled import data_folder, settled  # noqa: PLC0415 — it may be what failed

        return data_folder(settled(options))
    except Exception:  # noqa: BLE001 — an error is being told already
        return None
