"""Durations, sizes, moments and rows as the command tells them."""

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_source_orchestrator.cli.documents import as_json, moment
from data_source_orchestrator.cli.screen import printable
from data_source_orchestrator.cli.words import ago, counted, joined, on, percent, size, span
from data_source_orchestrator.core.claim import Record

NOON = datetime(2026, 5, 7, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0.00 s"),
        (0.354, "0.35 s"),
        (9.99, "9.99 s"),
        (12.54, "12.5 s"),
        (60, "1 min"),
        (150, "2 min"),
        (3600, "1 h"),
        (47 * 3600, "47 h"),
        (4 * 86400, "4 days"),
        (400 * 86400, "400 days"),
    ],
)
def test_a_duration_is_told_in_its_own_unit(seconds: float, told: str):
    assert span(seconds) == told


@pytest.mark.parametrize(
    ("count", "told"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (943_200, "943 kB"), (1_234_567, "1.2 MB"), (5 * 10**9, "5.0 GB")],
)
def test_a_size_is_told_with_two_figures_or_three(count: int, told: str):
    assert size(count) == told


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, "just now"), (-5, "just now"), (1, "1 s ago"), (59.4, "59 s ago"), (180, "3 min ago")]
)
def test_an_age_is_told_without_fractions_of_seconds(seconds: float, told: str):
    assert ago(NOON - timedelta(seconds=seconds), NOON) == told


def test_moments_are_told_in_utc_wherever_they_come_from():
    elsewhere = NOON.astimezone(timezone(timedelta(hours=9)))
    assert on(elsewhere) == "2026-05-07 12:00 UTC"
    assert moment(elsewhere) == "2026-05-07T12:00:00+00:00"
    assert moment(None) is None


def test_counts_lists_and_shares_are_told_in_words():
    assert (counted(1, "row"), counted(0, "row"), counted(2, "entity", "entities")) == ("1 row", "0 rows", "2 entities")
    assert (joined(["a"]), joined(["a", "b"]), joined(["a", "b", "c"])) == ("a", "a and b", "a, b and c")
    assert (percent(None), percent(0), percent(0.954)) == ("-", "0 %", "95 %")


def test_words_of_upstreams_cannot_steer_a_terminal():
    assert printable("a\x1b[2Jb\x07\r\nc\u202ed") == "a\ufffd[2Jb\ufffd c\ufffdd"


@given(st.text())
def test_whatever_upstreams_say_is_one_printable_line(text: str):
    assert printable(text).isprintable()


@dataclass
class Row:
    name: str
    worth: float
    parts: tuple[Any, ...] = ()


def test_rows_are_told_as_json_knows_them():
    record = Record("m4-mw2", {"tier": "A", "ttk": 612.5})
    assert as_json(record) == {"entity": "m4-mw2", "fields": {"tier": "A", "ttk": 612.5}}
    row = Row("a", math.nan, (math.inf, NOON, {1: {2}}, object))
    assert as_json(row) == {
        "name": "a",
        "worth": None,
        "parts": [None, "2026-05-07T12:00:00+00:00", {"1": [2]}, "<class 'object'>"],
    }


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=10,
)


@given(ANYTHING)
def test_any_row_can_be_told_in_strict_json(row: Any):
    json.dumps(as_json(row), allow_nan=False)
