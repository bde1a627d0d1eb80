"""Text into values, values into rows: strict where it matters, indifferent to what is not asked."""

import re
from dataclasses import dataclass, field, fields
from typing import Any

import pytest
from msgspec import inspect

from cod_sources import codarmory, codmunity, rankings, wzstats
from cod_sources.damage import DamageRow
from cod_sources.decoding import Decoded, Number, Whole, decode_json, decode_row, decode_whole
from cod_sources.salvage import VITAL, Odd, expected
from data_source_orchestrator.core.errors import FetchError


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    name: str
    count: Number | None = None
    flag: bool | None = None
    level: Whole | None = None
    either: str | int | None = None
    tags: tuple[str, ...] | None = None
    kit: str | None = field(default=None, metadata=VITAL)
    second: Whole | None = None


KEYS = {"name": ("WeaponName", "name")}
ROW_TYPES = (
    *(codarmory.Weapon, codarmory.Attachment, codarmory.Category, codarmory.Platform),
    *(codarmory.AttachmentCategory, codarmory.AttachmentStat),
    *(wzstats.Weapon, codmunity.Weapon, codmunity.WeaponStats, rankings.Card, rankings.Topic, DamageRow),
)


def refusal(text: str) -> FetchError:
    with pytest.raises(FetchError) as caught:
        decode_json(text, "the state")
    assert caught.value.kind == "content"
    assert "the state" in str(caught.value)
    return caught.value


@pytest.mark.parametrize("text", ['{"a": NaN}', "[Infinity]", "[-Infinity]", "[1e999]", "[1,]", "1 2", "{'a': 1}"])
def test_what_strict_json_does_not_know_is_refused(text: str):
    assert not refusal(text).truncated


@pytest.mark.parametrize("text", ['[{"a": 1}', '{"a": "x', "[1, 2"])
def test_a_text_that_ends_early_is_told_as_truncated_because_that_alone_is_worth_a_retry(text: str):
    assert refusal(text).truncated


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_text_is_refused(text: str):
    assert not refusal(text).truncated


def test_json_nested_too_deep_is_refused_and_not_followed():
    assert not refusal("[" * 100_000 + "]" * 100_000).truncated


@pytest.mark.parametrize("text", [r'["\ud800"]', '["\ud800"]'])
def test_half_a_character_is_refused(text: str):
    refusal(text)


def test_two_equal_keys_are_refused_because_readers_differ_about_them():
    assert not refusal('{"a": 1, "a": 2}').truncated


@pytest.mark.parametrize("absent", [{}, {"count": None}, {"count": ""}, {"count": "  "}])
def test_null_empty_and_missing_are_all_absent(absent: dict[str, object]):
    assert decode_row({"name": "M4", **absent}, Row) == Decoded(Row(name="M4"))


def test_zero_and_false_are_values():
    row = decode_whole({"name": "M4", "count": 0, "flag": False}, Row)
    assert row.count == 0
    assert row.flag is False


def test_keys_nobody_asked_for_are_allowed():
    assert decode_whole({"name": "M4", "imageVersion": 3, "x": {"y": []}}, Row) == Row(name="M4")


def test_the_first_given_of_several_keys_is_taken_and_spaces_around_it_are_dropped():
    assert decode_whole({"WeaponName": "", "name": "Pickaxe "}, Row, KEYS).name == "Pickaxe"
    assert decode_whole({"WeaponName": "M4", "name": "other"}, Row, KEYS).name == "M4"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ({}, "it has no WeaponName or name"),
        ({"name": ""}, "it has no WeaponName or name"),
        ({"name": 4}, "name is 4, and a text was expected"),
        ({"WeaponName": [], "name": "M4"}, "WeaponName is a list of 0, and a text was expected"),
        ({"name": "M4", "kit": 4}, "kit is 4, and a text was expected"),
        ({"name": "M4", "kit": False, "count": "3"}, "kit is false, and a text was expected"),
    ],
)
def test_a_row_without_a_field_that_it_cannot_do_without_is_no_row(raw: dict[str, object], why: str):
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        decode_row(raw, Row, KEYS)


@pytest.mark.parametrize(
    ("key", "odd", "why"),
    [
        ("count", "3", "count is '3', and a number from 0 to 1,000,000 was expected"),
        ("count", True, "count is true, and a number from 0 to 1,000,000 was expected"),
        ("flag", 1, "flag is 1, and true or false was expected"),
        ("level", 20.5, "level is 20.5, and a whole number from 0 to 1,000,000 was expected"),
        ("level", -1, "level is -1, and a whole number from 0 to 1,000,000 was expected"),
        ("either", 1.5, "either is 1.5, and a text or a whole number was expected"),
        ("tags", "a", "tags is 'a', and a list of texts was expected"),
        ("tags", [1, None], "tags is a list of 2, and a list of texts was expected"),
        ("tags", {"a": 1}, "tags is an object, and a list of texts was expected"),
    ],
)
def test_a_row_with_an_odd_field_is_read_without_it_and_says_so(key: str, odd: object, why: str):
    sound: dict[str, Any] = {"count": 3, "flag": True, "level": 20, "either": 4, "tags": ["a"], "kit": "k"}
    decoded = decode_row({"name": "M4", **sound, key: odd}, Row)
    assert decoded.row == Row(name="M4", **{**sound, "tags": ("a",), key: None})
    assert decoded.odd == (Odd(key, why),)
    with pytest.raises(ValueError, match=re.escape(why)):
        decode_whole({"name": "M4", **sound, key: odd}, Row)


def test_a_list_is_read_without_its_odd_elements():
    decoded = decode_row({"name": "M4", "tags": ["a", 5, "b", None]}, Row)
    assert decoded.row.tags == ("a", "b")
    (odd,) = decoded.odd
    assert odd == Odd("a part of tags", "tags holds 5, and a list of texts was expected; left out: 2 of 4 elements")


def test_what_a_row_accepts_is_worked_out_once_and_not_for_every_odd_row(monkeypatch: pytest.MonkeyPatch):
    decode_row({"name": "M4", "count": "x"}, Row)
    monkeypatch.setattr(inspect, "type_info", None)
    assert decode_row({"name": "M4", "level": "x", "tags": [5]}, Row).row == Row(name="M4")


def test_a_text_that_is_too_long_to_be_a_name_costs_itself_and_a_row_that_cannot_do_without_it():
    long = "x" * 201
    about = {"id": "a", "name": "Dot", "game_id": "mw2", "category_id": "optics"}
    decoded = decode_row({**about, "slug": long, "description": long, "pros": ["b", long]}, codarmory.Attachment)
    assert (decoded.row.slug, decoded.row.description, decoded.row.pros) == (None, long, ("b",))
    assert "and a text of at most 200 characters was expected" in decoded.odd[0].why
    with pytest.raises(ValueError, match=r"^name is 'x+…, and a text of at most 200 characters was expected$"):
        decode_row({**about, "name": long}, codarmory.Attachment)


def test_an_empty_list_is_a_value():
    assert decode_whole({"name": "M4", "tags": []}, Row).tags == ()


def test_an_odd_value_under_the_first_key_is_not_replaced_by_the_next():
    decoded = decode_row({"name": "M4", "Count": "x", "count": 3}, Row, {"count": ("Count", "count")})
    assert decoded.row.count is None
    assert [odd.what for odd in decoded.odd] == ["Count"]


def test_a_value_that_stands_in_for_two_fields_is_told_once():
    decoded = decode_row({"name": "M4", "x": 5.5}, Row, {"level": ("level", "x"), "second": ("x",)})
    assert [odd.what for odd in decoded.odd] == ["x"]


@pytest.mark.parametrize("count", [-1, -0.5, 10**7, 10**400, float("nan"), float("inf")])
def test_a_number_below_zero_or_beyond_reason_is_no_number(count: float):
    decoded = decode_row({"name": "M4", "count": count}, Row)
    assert decoded.row.count is None
    assert [odd.what for odd in decoded.odd] == ["count"]


def test_an_int_stays_an_int_and_a_float_a_float():
    assert isinstance(decode_whole({"name": "M4", "count": 800}, Row).count, int)
    assert isinstance(decode_whole({"name": "M4", "count": 609.6}, Row).count, float)


@pytest.mark.parametrize("row_type", ROW_TYPES)
def test_every_field_of_every_row_has_words_for_what_it_accepts(row_type: Any):
    accepted = [expected(inspect.type_info(one.type)) for one in fields(row_type) if one.name != "damage"]
    assert all(accepted)


@pytest.mark.parametrize("raw", [None, [], "M4", 4])
def test_what_is_no_object_is_no_row(raw: object):
    with pytest.raises(ValueError, match="an object was expected"):
        decode_row(raw, Row)
