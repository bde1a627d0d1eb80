"""Text into values, values into rows: strict where it matters, indifferent to what is not asked."""

from dataclasses import dataclass

import pytest

from cod_sources.decoding import Number, decode_json, decode_row
from data_source_orchestrator.core.errors import FetchError


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    name: str
    count: Number | None = None
    flag: bool | None = None


KEYS = {"name": ("WeaponName", "name")}


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
    assert decode_row({"name": "M4", **absent}, Row).count is None


def test_zero_and_false_are_values():
    row = decode_row({"name": "M4", "count": 0, "flag": False}, Row)
    assert row.count == 0
    assert row.flag is False


def test_keys_nobody_asked_for_are_allowed():
    assert decode_row({"name": "M4", "imageVersion": 3, "x": {"y": []}}, Row) == Row(name="M4")


def test_the_first_given_of_several_keys_is_taken_and_spaces_around_it_are_dropped():
    assert decode_row({"WeaponName": "", "name": "Pickaxe "}, Row, KEYS).name == "Pickaxe"
    assert decode_row({"WeaponName": "M4", "name": "other"}, Row, KEYS).name == "M4"


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"name": 4},
        {"name": ""},
        {"name": "M4", "count": "3"},
        {"name": "M4", "count": True},
        {"name": "M4", "flag": 1},
    ],
)
def test_a_row_of_other_types_is_no_row(raw: dict[str, object]):
    with pytest.raises(ValueError, match=r"name|count|flag"):
        decode_row(raw, Row)


@pytest.mark.parametrize("count", [-1, -0.5, 10**7, 10**400, float("nan"), float("inf")])
def test_a_number_below_zero_or_beyond_reason_is_no_number(count: float):
    with pytest.raises(ValueError, match="count"):
        decode_row({"name": "M4", "count": count}, Row)


def test_an_int_stays_an_int_and_a_float_a_float():
    assert isinstance(decode_row({"name": "M4", "count": 800}, Row).count, int)
    assert isinstance(decode_row({"name": "M4", "count": 609.6}, Row).count, float)


@pytest.mark.parametrize("raw", [None, [], "M4", 4])
def test_what_is_no_object_is_no_row(raw: object):
    with pytest.raises(ValueError, match="an object was expected"):
        decode_row(raw, Row)
