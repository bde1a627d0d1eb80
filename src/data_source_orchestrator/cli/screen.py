"""The two streams that a command speaks to: what was asked for on the one, everything else on the other.

Knows terminals, encodings and closed pipes; nothing of sources.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from data_source_orchestrator.cli.failures import OutputError, silence, unwritable
from data_source_orchestrator.core.claim import Json

NARROWEST = 20
"""Columns; a terminal that says it has fewer is treated as if it had these."""


class PatientConsole(Console):
    """A console whose reader may leave: what it is told from then on goes nowhere, and the command ends as it would.

    Where standard output can take nothing more it raises `OutputError`; of standard error nobody could be told.
    """

    def on_broken_pipe(self) -> None:
        """Speak to nobody."""
        self.quiet = True
        silence(self.file)

    def print_line(self, text: Text) -> None:
        """Print one line, however long it is."""
        with self._left_quietly():
            self.print(text, soft_wrap=True)

    def write(self, text: str) -> None:
        """Write text as it is."""
        with self._left_quietly():
            if not self.quiet:
                self.file.write(text)
                self.file.flush()

    @contextmanager
    def _left_quietly(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            self.on_broken_pipe()
        except OSError as error:
            self.on_broken_pipe()
            if not self.stderr:
                raise OutputError(unwritable(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """Where a command speaks. `json` says that standard output is for one document alone."""

    out: PatientConsole
    err: PatientConsole
    json: bool = False

    @property
    def watched(self) -> Console | None:
        """The console before which a person sits and watches things move, if there is one."""
        if self.err.is_interactive and _is_terminal(self.err):
            return self.err
        return self.out if not self.json and self.out.is_interactive and _is_terminal(self.out) else None

    @property
    def read_along(self) -> bool:
        """Whether a person reads along line by line, on a terminal that cannot move anything."""
        return self.watched is None and _is_terminal(self.err)

    def show(self, lines: Iterable[Text]) -> None:
        """Print the command's answer for people; with `json` it is not for them."""
        for line in () if self.json else lines:
            self.out.print_line(line)

    def document(self, document: Mapping[str, Json]) -> None:
        """Print the command's answer for programs, where that was asked for."""
        if self.json:
            text = json.dumps(document, indent=2, ensure_ascii=ascii_only(self.out), allow_nan=False)
            self.out.write(f"{text}\n")

    def tell(self, sentence: str) -> None:
        """Print a line beside the answer."""
        self.err.print_line(Text(printable(sentence)))


def screen_of_process(*, as_json: bool) -> Screen:
    """Return the screen of this process."""
    for stream in (sys.stdout, sys.stderr):
        _forgive(stream)
    return Screen(out=_console(stderr=False), err=_console(stderr=True), json=as_json)


def ascii_only(console: Console) -> bool:
    """Return whether a console can show nothing but ASCII for sure."""
    return not console.encoding.lower().startswith("utf")


def columns(console: Console) -> int | None:
    """Return how wide lines may be; None where nobody watches, and a line is a line."""
    if console.is_terminal or os.environ.get("COLUMNS", "").isdigit():
        return max(NARROWEST, console.width)
    return None


def printable(text: str) -> str:
    """Return text on one line, without what would steer a terminal: upstreams have their words in it."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in " ".join(text.split()))


def _console(*, stderr: bool) -> PatientConsole:
    return PatientConsole(stderr=stderr, highlight=False, markup=False, emoji=False, force_jupyter=False)


def _is_terminal(console: Console) -> bool:
    try:
        return console.file.isatty()
    except ValueError:  # it is closed
        return False


def _forgive(stream: Any) -> None:
    """Let a stream replace what its encoding cannot say."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
