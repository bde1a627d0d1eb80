"""Log records and Python's warnings as plain lines on standard error; a traceback goes to a file, and is named."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data_source_orchestrator.cli.failures import keep, kept_in
from data_source_orchestrator.cli.screen import Screen


class Lines(logging.Handler):
    """Tells each record as one line."""

    def __init__(self, screen: Screen, folder: Path) -> None:
        super().__init__(logging.WARNING)
        self._screen = screen
        self._folder = folder
        self._tracebacks = logging.Formatter("%(asctime)s %(name)s %(levelname)s: %(message)s")

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record, and keep its traceback."""
        told = f"{record.levelname.lower()}: {record.getMessage()}"
        if record.exc_info and record.exc_info[0] is not None:
            told = f"{told}; {kept_in(keep(self._tracebacks.format(record), self._folder))}"
        self._screen.tell(told)


@contextmanager
def told_on(screen: Screen, folder: Path) -> Iterator[None]:
    """Tell what is logged on a screen, until the context ends; logging is then as it was."""
    handler = Lines(screen, folder)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        with _warnings_logged():
            yield
    finally:
        root.removeHandler(handler)


@contextmanager
def _warnings_logged() -> Iterator[None]:
    """Log Python's warnings, until the context ends; whoever logged them already goes on doing so."""
    before = warnings.showwarning
    logging.captureWarnings(capture=True)
    try:
        yield
    finally:
        if warnings.showwarning is not before:
            logging.captureWarnings(capture=False)
