"""Rows and sentences in columns where they fit, downwards where they do not."""

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from data_source_orchestrator.cli.layout import Column, Row, marked, paragraph, say, table
from data_source_orchestrator.cli.screen import PatientConsole
from data_source_orchestrator.cli.words import GOOD

HEADS = (Column(heading="Source"), Column(heading="Rows", figures=True), Column(heading="State"))


def terminal(width: int, encoding: str = "utf-8") -> PatientConsole:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    return PatientConsole(file=stream, force_terminal=True, width=width, highlight=False)


def pipe() -> PatientConsole:
    return PatientConsole(file=io.StringIO(), force_terminal=False, highlight=False)


def plain(lines: list[Text]) -> list[str]:
    return [line.plain for line in lines]


ROWS = [Row([say("wzstats"), say("7"), say("done")]), Row([say("a"), say("12"), say("failed")], "it did not answer")]


def test_rows_stand_under_their_headings_and_figures_to_the_right():
    assert plain(table(HEADS, ROWS, terminal(40))) == [
        "Source   Rows  State",
        "wzstats     7  done",
        "a          12  failed",
        "    it did not answer",
    ]


def test_in_a_pipe_a_row_is_one_line_with_its_note_at_the_end():
    assert plain(table(HEADS, ROWS, pipe())) == [
        "Source   Rows  State   Why",
        "wzstats     7  done",
        "a          12  failed  it did not answer",
    ]


def test_too_narrow_for_columns_rows_are_told_downwards():
    assert plain(table(HEADS, ROWS, terminal(20))) == [
        "wzstats",
        "  Rows: 7; State:",
        "  done",
        "a",
        "  Rows: 12; State:",
        "  failed",
        "    it did not",
        "    answer",
    ]


def test_a_long_last_column_is_folded_below_itself():
    rows = [Row([say("a"), say("1"), say("one two three four five six seven")])]
    assert plain(table(HEADS, rows, terminal(42))) == [
        "Source  Rows  State",
        "a          1  one two three four five six",
        "              seven",
    ]


def test_no_rows_leave_the_headings():
    assert plain(table(HEADS, [], terminal(40))) == ["Source  Rows  State"]


def test_marks_are_shapes_and_in_ascii_letters():
    assert marked(GOOD, "done", terminal(40)).plain == "✓ done"
    assert marked(GOOD, "done", terminal(40, "ascii")).plain == "+ done"


WORDS = st.lists(st.text("abc déf漢", max_size=30), min_size=3, max_size=3)


@given(st.lists(st.tuples(WORDS, st.text("abc d", max_size=90)), max_size=4), st.integers(20, 120))
def test_no_line_is_ever_wider_than_the_terminal(rows: list[tuple[list[str], str]], width: int):
    told = table(HEADS, [Row([say(word) for word in words], note) for words, note in rows], terminal(width))
    assert max(line.cell_len for line in told) <= width


@given(st.text("abc déf漢", max_size=200), st.integers(20, 120))
def test_a_paragraph_keeps_to_the_terminal_and_loses_no_letter(text: str, width: int):
    lines = paragraph(say(text), terminal(width), first="* ", rest="  ")
    assert max(line.cell_len for line in lines) <= width
    assert "".join(line.plain for line in lines).replace(" ", "").removeprefix("*") == text.replace(" ", "")
