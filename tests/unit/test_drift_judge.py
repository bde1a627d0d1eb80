"""What is told of a document that is not made as it used to be, and of which changes nothing is said."""

from collections.abc import Sequence
from typing import Any

import pytest

from data_source_orchestrator.drift.fingerprint import MOST_VALUES, fingerprint
from data_source_orchestrator.drift.judge import judge


def told(before: object, after: object, *, times: int = 5) -> list[tuple[Any, ...]]:
    return told_of([before] * times, after)


def told_of(before: Sequence[object], after: object) -> list[tuple[Any, ...]]:
    found = judge(fingerprint(after), [fingerprint(each) for each in before])
    return [(str(each.change), each.path, each.before, each.after) for each in found]


def rows(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"id": f"id {number}", "name": "x", **fields} for number in range(count)]


def test_without_a_past_nothing_is_told():
    assert judge(fingerprint([1]), []) == ()


def test_a_renamed_field_vanished_and_appeared():
    renamed = [{"id": row["id"], "title": row["name"]} for row in rows(40)]
    assert told(rows(40), renamed) == [("vanished", "[].name", 1.0, 0.0), ("appeared", "[].title", 0.0, 1.0)]


def test_of_what_vanished_only_the_outermost_is_told():
    before = {"weapons": rows(40), "tiers": {"META": ["a"], "A": ["b"]}}
    assert told(before, {"weapons": rows(40)}) == [("vanished", ".tiers", 1.0, 0.0)]


def test_another_type_is_told_once_and_nothing_of_what_was_below():
    assert told(rows(40), {"weapons": rows(40)}) == [("type", "", "list", "object")]
    assert told(rows(40, size=1), rows(40, size="1")) == [("type", "[].size", "number", "text")]
    assert told({"meta": {"page": 1}}, {"meta": None}) == []


def test_a_whole_number_is_a_number_like_any_other():
    assert told(rows(40, size=1), rows(40, size=1.5)) == []


def test_a_new_type_is_told_from_a_tenth_on_and_a_known_one_when_its_share_jumps():
    def mixed(texts: int) -> list[dict[str, Any]]:
        return [*rows(40 - texts, level=1), *rows(texts, level="Season 3")]

    assert told(mixed(0), mixed(3)) == []
    assert told(mixed(0), mixed(4)) == [("type", "[].level", "number", "number (90 %) and text (10 %)")]
    assert told(mixed(10), mixed(16)) == []
    assert told(mixed(10), mixed(40)) == [("type", "[].level", "number (75 %) and text (25 %)", "text")]


def test_a_nulled_column_is_told_and_a_few_nulls_more_are_not():
    def nulled(nulls: int) -> list[dict[str, Any]]:
        return [*rows(100 - nulls, size=1), *rows(nulls, size=None)]

    assert told(nulled(30), nulled(100)) == [("nulls", "[].size", 0.3, 1.0)]
    assert told(nulled(30), nulled(0)) == [("nulls", "[].size", pytest.approx(0.3), 0.0)]
    assert told(nulled(30), nulled(50)) == []
    assert told(nulled(0), nulled(14)) == []


def test_null_an_empty_text_and_no_field_at_all_are_the_same_nothing():
    def without(share: int, nothing: dict[str, Any]) -> list[dict[str, Any]]:
        return [*rows(share, kit="jak"), *rows(100 - share, **nothing)]

    assert told(without(50, {"kit": None}), without(50, {"kit": ""})) == []
    assert told(without(50, {"kit": ""}), without(50, {})) == []
    assert told(without(50, {}), without(100, {})) == [("nulls", "[].kit", 0.5, 0.0)]


def test_one_null_in_five_rows_is_chance():
    assert told(rows(5, size=1), [*rows(4, size=1), *rows(1, size=None)]) == []


def test_a_rare_field_is_missed_where_five_of_it_were_to_be_expected():
    def ranked(count: int, of: int) -> list[dict[str, Any]]:
        return [*rows(count, rank=1), *rows(of - count)]

    assert told(ranked(8, 40), ranked(0, 40)) == [("vanished", "[].rank", 0.2, 0.0)]
    assert told(ranked(4, 20), ranked(0, 20)) == []


def test_a_new_field_is_told_where_five_objects_and_a_tenth_of_them_have_it_or_all():
    assert told(rows(40), [*rows(36), *rows(4, rank=1)]) == []
    assert told(rows(50), [*rows(45), *rows(5, rank=1)]) == [("appeared", "[].rank", 0.0, 0.1)]
    assert told(rows(200), [*rows(190), *rows(10, rank=1)]) == []
    assert told({"a": 1}, {"a": 1, "b": 2}) == [("appeared", ".b", 0.0, 1.0)]


def test_a_few_rows_of_before_say_as_little_as_a_few_of_now():
    few = [{"rows": [*rows(3, size=1), *rows(1, size=None)]}] * 5
    assert told_of(few, {"rows": [*rows(40, size=1), *rows(60, size=None)]}) == [("volume", ".rows[]", 4.0, 100.0)]
    few = [{"rows": [*rows(3, size=1), *rows(1, size="s")]}] * 5
    assert told_of(few, {"rows": [*rows(40, size=1), *rows(60, size="s")]}) == [("volume", ".rows[]", 4.0, 100.0)]
    few = [{"rows": rows(2, parts=["a", "b"])}] * 5
    after = {"rows": [*rows(50, parts=["a"]), *rows(50, parts=[])]}
    assert told_of(few, after) == [("volume", ".rows[]", 2.0, 100.0)]


def test_a_field_that_came_and_went_before_may_do_so_again():
    before = [rows(40, offer=1), rows(40), rows(40), rows(40, offer=1), rows(40)]
    assert told_of(before, rows(40)) == []
    assert told_of(before, rows(40, offer=1)) == []
    seldom = [rows(40), rows(40, offer=1), rows(40, offer=1), rows(40, offer=1), rows(40)]
    assert told_of(seldom, rows(40)) == []


def test_a_field_of_a_single_object_is_missed_at_once():
    assert told({"a": 1, "updatedAt": "x"}, {"a": 1}) == [("vanished", ".updatedAt", 1.0, 0.0)]


@pytest.mark.parametrize(
    ("after", "is_told"),
    [(78, True), (80, False), (100, False), (150, False), (151, True), (1000, True), (0, True)],
)
def test_a_list_may_lose_a_fifth_and_grow_by_half(after: int, *, is_told: bool):
    assert bool(told({"rows": rows(100)}, {"rows": rows(after)})) is is_told


def test_a_short_list_may_run_empty_by_chance():
    assert told({"tier": ["a", "b", "c"]}, {"tier": []}) == []
    assert told({"tier": list("abcdefghij")}, {"tier": []}) == [("volume", ".tier[]", 10.0, 0.0)]


def test_the_lists_inside_rows_are_judged_by_their_average_and_more_leniently():
    def with_parts(count: int) -> list[dict[str, Any]]:
        return rows(50, parts=["p"] * count)

    assert told(with_parts(20), with_parts(11)) == []
    assert told(with_parts(20), with_parts(39)) == []
    assert told(with_parts(20), with_parts(9)) == [("volume", "[].parts[]", 20.0, 9.0)]
    assert told(with_parts(20), with_parts(0)) == [("volume", "[].parts[]", 20.0, 0.0)]
    assert told(with_parts(20), with_parts(41)) == [("volume", "[].parts[]", 20.0, 41.0)]


def test_a_list_that_has_always_varied_may_vary():
    before = [{"rows": rows(count)} for count in (60, 100, 140, 80, 120)]
    assert told_of(before, {"rows": rows(45)}) == []
    assert told_of([{"rows": rows(100)}] * 5, {"rows": rows(45)}) != []


def test_two_odd_days_of_five_move_nothing():
    before = [{"rows": rows(count)} for count in (100, 5, 101, 5, 99)]
    assert told_of(before, {"rows": rows(100)}) == []


def test_most_modes_gone_is_told_and_one_more_or_fewer_is_not():
    def modes(count: int) -> dict[str, Any]:
        return {"updatedAt": "x"} | {f"mode {'abcdefghijklmnop'[n]}": {"META": ["a"], "A": ["b"]} for n in range(count)}

    assert told(modes(14), modes(13)) == []
    assert told(modes(14), modes(16)) == []
    assert told(modes(14), modes(3)) == [("volume", ".{}", 14.0, 3.0)]


def test_a_field_beside_a_map_is_missed_and_seen():
    def answer(**fields: Any) -> dict[str, Any]:
        return fields | {f"mode {letter}": {"META": ["a"]} for letter in "abcdefghij"}

    assert told(answer(updatedAt="x"), answer()) == [("vanished", ".updatedAt", 1.0, 0.0)]
    assert told(answer(), answer(updatedAt="x")) == [("appeared", ".updatedAt", 0.0, 1.0)]


def test_where_one_document_is_folded_and_another_is_not_they_are_compared_all_the_same():
    def slots(count: int) -> dict[str, Any]:
        return {f"slot {'abcdefghijkl'[n]}": {"label": "x", "level": 1} for n in range(count)}

    for one, other in ((7, 8), (8, 7), (7, 9), (9, 6)):
        assert told({"slots": slots(one)}, {"slots": slots(other)}) == []
    without_level = {name: {"label": "x"} for name in slots(8)}
    assert told({"slots": slots(7)}, {"slots": without_level}) == [("vanished", ".slots.{}.level", 1.0, 0.0)]


def test_where_lists_and_maps_stand_in_one_place_rows_are_not_taken_for_entries():
    def mixed(name: str) -> list[dict[str, Any]]:
        return [*rows(20, v=[1, 2, 3]), *rows(20, v={name: 1})]

    assert told(mixed("a"), mixed("17")) == []
    assert told(mixed("17"), mixed("a")) == []
    half = " (50 %) and object (50 %)"
    without = [*rows(20, v=1), *rows(20, v={"17": 1})]
    assert told(mixed("a"), without) == [("type", "[].v", f"list{half}", f"number{half}")]


def test_a_thousandfold_list_is_told_as_volume_alone_though_nobody_looked_into_it():
    assert told(rows(500), [{"id": 1, "name": "x"}] * (MOST_VALUES + 1)) == [("volume", "[]", 500.0, 1_000_001.0)]
    assert told([{"id": 1, "name": "x"}] * (MOST_VALUES + 1), rows(500)) == [("volume", "[]", 1_000_001.0, 500.0)]


def test_a_list_that_was_only_counted_is_so_where_its_name_is_taken_for_an_entrys_too():
    assert told({"a": [{"id": 1}] * (MOST_VALUES + 1)}, {"17": [{"id": 1}] * 5}) == [
        ("volume", ".{}[]", 1_000_001.0, 5.0)
    ]


def test_rows_of_which_nobody_looked_at_the_fields_lost_none():
    wide = [{"a": 1, "b": 2, "c": 3}] * (MOST_VALUES // 3)
    assert told([{"a": 1, "b": 2, "c": 3}] * (MOST_VALUES // 4), wide) == []
