"""Sentences speak of JSON in words that people read, and never at length."""

from typing import Any

import pytest

from cod_sources.codarmory import Attachment
from cod_sources.damage import read_damage
from cod_sources.decoding import Decoded, decode_row
from cod_sources.notes import LONGEST, Notes
from cod_sources.rankings import read_ranking
from cod_sources.rows import read_rows
from cod_sources.statements import Statement, records_of
from cod_sources.words import LONGEST_QUOTE, quoted
from data_source_orchestrator.core.errors import FetchError

LONG = "K-7 " * 1_000
PYTHON = ("NoneType", "None", "dict", "True", "False", "`")


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


@pytest.mark.parametrize("raw", [None, {}, True, "x", 4])
def test_what_stands_where_a_list_or_an_object_should_is_told_in_those_words(raw: Any):
    notes = Notes()
    read_damage([raw], "K-7", notes)
    told = notes.sentences()
    for refuse in (
        lambda: read_rows(raw, "weapons", Decoded, str, Notes()),
        lambda: read_ranking({"metas": [raw], "sections": []}, "mpranked", Notes()),
        lambda: read_ranking(
            {"metas": [{"name": "r", "game": "bo7", "collection": "c"}], "sections": raw}, "mpranked", Notes()
        ),
    ):
        with pytest.raises(FetchError) as caught:
            refuse()
        told.append(str(caught.value))
    assert not [(word, sentence) for sentence in told for word in PYTHON if word in sentence]


@pytest.mark.parametrize(("one", "other"), [(True, False), ([None], [None, None])])
def test_a_contradiction_tells_its_values_in_those_words(one: Any, other: Any):
    notes = Notes()
    records_of([Statement("k7-mw3", "weapons[0]", {"x": one}), Statement("k7-mw3", "weapons[1]", {"x": other})], notes)
    (told,) = notes.sentences()
    assert quoted(one) in told
    assert quoted(other) in told


def test_a_note_about_endless_texts_keeps_its_reason():
    notes = Notes()
    read_damage([3], LONG, notes)
    read_damage("x", LONG, notes)
    (first, second) = notes.sentences()
    assert "an object was expected" in first
    assert "a list was expected" in second
    assert max(len(first), len(second)) < LONGEST


def test_a_note_about_an_odd_field_keeps_its_reason_whatever_its_row_is_called_and_holds():
    kind = {"id": "a", "game_id": "mw2", "category_id": "optics", "name": LONG[:200], "unlock_level": LONG}
    for rows in ([kind], [kind, *({**kind, "unlock_level": 3} for _ in range(20))]):
        notes = Notes()
        read_rows(rows, "attachments.json", lambda row: decode_row(row, Attachment), lambda row: row.id, notes)
        (told,) = notes.sentences()
        assert "a whole number from 0 to 1,000,000 was expected" in told
