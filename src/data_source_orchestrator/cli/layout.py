"""Lines of text out of rows and sentences: in columns where they fit, one below the other where they do not.

Nothing is coloured, chosen or worded here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.console import Console
from rich.text import Text

from data_source_orchestrator.cli.screen import ascii_only, columns, printable
from data_source_orchestrator.cli.words import Mark

GAP = "  "
LEAST = 24
"""Columns that the last cell of a row wants; with fewer the row is told downwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column's heading; figures stand to the right."""

    heading: str
    figures: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row's cells, and what there is to say of it at more length."""

    cells: Sequence[Text]
    note: str = ""


def say(text: str, style: str = "") -> Text:
    """Return words as a line."""
    return Text(printable(text), style)


def marked(mark: Mark, text: str, console: Console) -> Text:
    """Return words behind a mark."""
    return Text.assemble((mark.ascii if ascii_only(console) else mark.shape, mark.style), " ", printable(text))


def paragraph(text: Text, console: Console, *, first: str = "", rest: str = "") -> list[Text]:
    """Return a text in lines of at most the console's width, with what goes before its first line and the others."""
    width = columns(console)
    lines = [text] if width is None else list(text.wrap(console, max(10, width - max(len(first), len(rest)))))
    return [_without_end(Text(rest if number else first).append_text(line)) for number, line in enumerate(lines)]


def table(heads: Sequence[Column], rows: Sequence[Row], console: Console) -> list[Text]:
    """Return rows under their headings, notes below them.

    Where they are too wide, each row is told downwards, its first cell as heading. Where nobody watches, a row is
    one line, its note at the end.
    """
    width = columns(console)
    if width is None:
        return _across(heads, rows, _widths(heads, rows), console, inline=True)
    widths = _widths(heads, rows)
    *others, last = widths
    room = width - sum(others) - len(GAP) * len(others)
    if room < min(last, LEAST):
        return _downwards(heads, rows, console)
    return _across(heads, rows, [*others, min(last, room)], console, inline=False)


def _widths(heads: Sequence[Column], rows: Sequence[Row]) -> list[int]:
    cells = zip_longest(*(row.cells for row in rows), fillvalue=Text()) if rows else [()] * len(heads)
    return [
        max([len(head.heading), *(cell.cell_len for cell in below)]) for head, below in zip(heads, cells, strict=True)
    ]


def _across(
    heads: Sequence[Column], rows: Sequence[Row], widths: list[int], console: Console, *, inline: bool
) -> list[Text]:
    noted = inline and any(row.note for row in rows)
    lines = [_row(heads, [Text(head.heading, "bold") for head in heads], widths, "Why" if noted else "")]
    for row in rows:
        *cells, last = row.cells
        first, *more = last.wrap(console, widths[-1]) if last.cell_len > widths[-1] else [last]
        lines.append(_row(heads, [*cells, first], widths, row.note if inline else ""))
        indent = " " * (sum(widths[:-1]) + len(GAP) * len(cells))
        lines += [Text(indent).append_text(line) for line in more]
        lines += [] if inline else _note(row, console)
    return lines


def _row(heads: Sequence[Column], cells: Sequence[Text], widths: Sequence[int], note: str) -> Text:
    line = Text()
    for head, cell, width in zip(heads, cells, widths, strict=True):
        space = " " * (width - cell.cell_len)
        line.append(space if head.figures else "").append_text(cell).append("" if head.figures else space).append(GAP)
    return _without_end(line.append(printable(note)))


def _downwards(heads: Sequence[Column], rows: Iterable[Row], console: Console) -> list[Text]:
    lines: list[Text] = []
    for row in rows:
        heading = row.cells[0].copy()
        heading.stylize("bold")
        lines += paragraph(heading, console)
        told = [
            Text(f"{head.heading}: ").append_text(cell)
            for head, cell in zip(heads[1:], row.cells[1:], strict=True)
            if cell.plain
        ]
        lines += paragraph(Text("; ").join(told), console, first="  ", rest="  ")
        lines += _note(row, console)
    return lines


def _note(row: Row, console: Console) -> list[Text]:
    return paragraph(say(row.note), console, first="    ", rest="    ") if row.note else []


def _without_end(line: Text) -> Text:
    line.rstrip()
    return line
