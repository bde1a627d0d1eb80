"""Sentences speak of JSON in words that people read, and never at length."""

from typing import Any

import pytest

from cod_sources.notes import Notes
from cod_sources.statements import Statement, records_of
from cod_sources.words import LONGEST_QUOTE, quoted

LONG = "K-7 " * 1_000


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (20, "20"),
        (20.5, "20.5"),
        ("ten", "'ten'"),
        ([], "a list of 0"),
        ([1, None], "a list of 2"),
        ({"a": None}, "an object"),
    ],
)
def test_a_value_is_quoted_in_the_words_of_json(value: object, told: str):
    assert quoted(value) == told


@pytest.mark.parametrize("value", [LONG, "\u200b" * 1_000, 10**400, [LONG], {LONG: LONG}])
def test_a_quote_is_short_whatever_is_quoted(value: object):
    assert len(quoted(value)) <= LONGEST_QUOTE + 1


def test_half_a_character_is_quoted_so_that_it_can_be_printed():
    assert quoted("\ud800").encode()


@pytest.mark.parametrize(("one", "other"), [(True, False), ([None], [None, None])])
def test_a_contradiction_tells_its_values_in_those_words(one: Any, other: Any):
    notes = Notes()
    records_of([Statement("k7-mw3", "weapons[0]", {"x": one}), Statement("k7-mw3", "weapons[1]", {"x": other})], notes)
    (told,) = notes.sentences()
    assert quoted(one) in told
    assert quoted(other) in told
