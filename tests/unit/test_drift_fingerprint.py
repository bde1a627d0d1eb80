"""What a fingerprint says of a document: its places, what stands there, and which names are data."""

import json
from typing import Any

import pytest

from data_source_orchestrator.drift.fingerprint import MOST_LEVELS, MOST_PATHS, MOST_VALUES, Kinds, fingerprint
from data_source_orchestrator.drift.paths import segment, shown, split, written


def places(document: object) -> list[str]:
    return [shown(path) for path in fingerprint(document).paths if path]


def kinds(document: object, path: str) -> Kinds:
    return fingerprint(document).paths[path]


def test_the_indices_of_a_list_are_one_place():
    rows = [{"name": "a", "size": 1}, {"name": "b", "size": 2.5}, {"name": "", "size": None}]
    assert places({"rows": rows}) == ["rows", "rows[]", "rows[].name", "rows[].size"]
    assert kinds({"rows": rows}, ".rows[]") == Kinds(object=3)


def test_null_and_the_empty_text_say_nothing_and_each_other_value_has_its_kind():
    values = [None, "", "text", 0, 1.5, True, {}, [], (), object()]
    assert kinds(values, "[]") == Kinds(nothing=2, text=1, number=2, boolean=1, object=1, list=2, other=1)


def test_an_empty_list_has_no_rows_to_tell_of():
    assert places({"rows": []}) == ["rows"]


def test_a_document_may_be_a_single_value():
    assert fingerprint(3).paths == {"": Kinds(number=1)}


def test_modes_that_map_to_the_same_tiers_are_entries_beside_the_fields_and_the_tiers_stay_fields():
    """Values mix objects and texts in a real upstream's answer."""
    tiers = {"META": ["a"], "A": ["b", "c"], "B": [], "C": [], "D": []}
    modes = {f"mode{letter}": tiers for letter in "abcdefgh"}
    assert places({"createdAt": "2024", **modes}) == [
        "createdAt",
        "{}",
        "{}.A",
        "{}.A[]",
        "{}.B",
        "{}.C",
        "{}.D",
        "{}.META",
        "{}.META[]",
    ]


def test_seven_alike_are_fields_and_eight_are_entries():
    seven = {f"mode{letter}": {"rank": 1, "name": "x"} for letter in "abcdefg"}
    assert "modea.rank" in places(seven)
    assert places({**seven, "modeh": {"rank": 1, "name": "x"}}) == ["{}", "{}.name", "{}.rank"]


def test_eight_lists_of_different_things_are_fields():
    different = {name: [{f"{name}_{part}": 1 for part in "xyz"}] for name in "abcdefgh"}
    assert {"a", "b", "h"} <= set(places(different))


@pytest.mark.parametrize(
    "name",
    [
        "17",
        "2024-11-25",
        "2024-11-25T10:00:00Z",
        "2024-W47",
        "0.5",
        "65a1b2c3d4e5f60718293a4b",
        "0b1ec9f2-6f39-4a2e-9a1c-8a3f5f0f7a11",
        "x" * 81,
        "\x00" * 1_000_000,
        "9" * 1_000_000 + "!",
        "1" * 1_000_000 + "x",
    ],
    ids=lambda name: name[:20].encode("unicode_escape").decode(),
)
def test_a_name_that_looks_like_data_is_an_entry_even_alone(name: str):
    assert places({name: 1}) == ["{}"]


@pytest.mark.parametrize("name", ["name", "avgTtk1", "mp5", "facade", "x2", "Season 3", "_id", "größe", "cafebabe"])
def test_a_name_with_letters_is_a_field(name: str):
    assert places({name: 1}) == [name]


def test_many_texts_by_name_are_entries_and_a_wide_record_is_none():
    words = {f"word{'abcdefghij'[n // 10]}{'abcdefghij'[n % 10]}": "text" for n in range(65)}
    assert places(words) == ["{}"]
    first_64 = dict(list(words.items())[:64])
    assert len(places(first_64)) == 64
    assert len(places([words] * 3)) == 1 + 65, "three objects have these names in common"


def test_the_records_of_a_list_keep_their_fields_even_where_they_are_alike():
    row = {
        name: {"value": 1, "unit": "m"} for name in ("damage", "range", "speed", "ads", "sway", "kick", "mag", "ttk")
    }
    assert "[].damage.unit" in places([row] * 3)
    assert places(row) == ["{}", "{}.unit", "{}.value"]


def test_what_single_records_have_beside_what_all_have_in_common_are_fields_too():
    common = {f"field{letter}": 1 for letter in "abcdefghijklmnopqrst"}
    rows = [common, common, {**common, **{f"part{letter}": {"x": 1} for letter in "abcdefgh"}}]
    assert "[].parta.x" in places(rows)


def test_alike_fields_that_all_records_have_stay_fields_whatever_else_there_is():
    alike = {
        name: {"value": 1, "unit": "m"} for name in ("damage", "range", "speed", "ads", "sway", "kick", "mag", "ttk")
    }
    letters = "abcdefghijklmnopqrstuvwxyz"
    rows = [{**alike, **{f"{row}{letter}{other}": 1 for letter in letters for other in "ab"}} for row in "wxyz"]
    assert "[].damage.unit" in places(rows)
    assert "[].{}" in places(rows)


def test_an_entry_that_holds_nothing_is_one_all_the_same():
    modes = {f"mode{letter}": {"META": ["a"], "A": []} for letter in "abcdefgh"}
    assert places({**modes, "modei": {}, "modej": []}) == ["{}", "{}.A", "{}.META", "{}.META[]"]


def test_more_than_256_names_are_data_whatever_they_look_like():
    def named(count: int) -> list[dict[str, int]]:
        return [{f"f{'abcdefghijklmnopqrst'[n // 20]}{'abcdefghijklmnopqrst'[n % 20]}": n for n in range(count)}] * 3

    assert len(places(named(256))) == 257
    assert places(named(257)) == ["[]", "[].{}"]


@pytest.mark.parametrize(
    "name", ["a.b", "a[]", "{}", "[]", "", " a", 'a"b', "a\\b", "line\nbreak", "\x1b[2J", "\ud800"]
)
def test_a_name_that_would_be_misread_is_quoted_and_read_again(name: str):
    path = (segment("rows"), "[]", segment(name), segment("x"))
    assert split(written(path)) == path
    assert written(path).isprintable()
    assert json.loads(segment(name)[1:-1]) == name


def test_a_name_that_is_no_text_is_one_all_the_same():
    assert places({None: 1, "None": 2, False: 3}) == ["False", "None"]
    assert kinds({None: 1, "None": 2}, ".None") == Kinds(number=2)


def nested(levels: int, inside: Any) -> Any:
    document = inside
    for _ in range(levels):
        document = {"a": document}
    return document


def test_what_lies_too_deep_is_counted_at_the_first_step_and_not_followed():
    told = fingerprint(nested(100_000, {"x": [1]}))
    assert len(told.paths) == MOST_LEVELS + 2
    assert told.cut == (".a" * MOST_LEVELS + ".{}",)


def test_a_list_that_is_too_long_is_counted_and_not_followed():
    rows = [{"a": 1}] * (MOST_VALUES + 1)
    told = fingerprint({"rows": rows, "other": 1})
    assert told.paths[".rows[]"] == Kinds(other=MOST_VALUES + 1)
    assert told.cut == (".rows[]",)
    assert ".other" in told.paths


def test_all_lists_together_may_have_so_many_values():
    rows = [1] * (MOST_VALUES // 2 + 1)
    assert fingerprint({"b": rows, "a": rows}).cut == (".b[]",)


def test_more_places_than_there_may_be_are_only_counted_and_which_depends_on_no_order():
    parts = {f"part{a}": {f"{a}{b}{c}": 1 for b in "abcdefghij" for c in "klmn"} for a in "abcdefghijklmnopqrst"}
    told = fingerprint(parts)
    assert len(told.paths) - len(told.cut) <= MOST_PATHS
    assert told.cut != ()
    assert fingerprint({name: dict(reversed(part.items())) for name, part in reversed(parts.items())}) == told
