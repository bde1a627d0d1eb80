"""How far a long count is, while a person watches; nothing where nobody does."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.live import Live
from rich.text import Text

from data_source_orchestrator.cli.screen import Screen

WIDTH = 30
"""Cells of the bar."""


@dataclass(slots=True, kw_only=True)
class Count:
    """So many `of` so many `what`."""

    of: int
    what: str
    reached: int = 0

    def drawn(self) -> Text:
        """Return the line that shows it, in ASCII."""
        full = WIDTH * self.reached // self.of
        return Text(f"[{'=' * full}{' ' * (WIDTH - full)}] {self.reached} of {self.of} {self.what}", no_wrap=True)


@contextmanager
def counting(screen: Screen, count: Count) -> Iterator[None]:
    """Show a count while it grows."""
    if screen.watched is None:
        yield
        return
    with Live(
        get_renderable=count.drawn,
        console=screen.watched,
        refresh_per_second=4,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ):
        yield
