"""CODArmory's files, in small made-up rows: one test for each trap."""

from collections.abc import Iterator
from typing import Any

import pytest

from cod_sources.codarmory import Attachment, CodArmory, Weapon, _attachments, read
from cod_sources.notes import Notes
from cod_sources.rows import Found
from data_source_orchestrator.core.errors import FetchError


def weapon(**given: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": "k7",
        "game_id": "mw2",
        "category_id": "smgs",
        "platform_id": None,
        "name": "K-7",
        "max_level": 20,
        "unlock_type": "level",
        "unlock_id": None,
        "unlock_level": 4,
        "unlock_summary": None,
        "unlock_description": None,
        "attachments": [],
    }
    return {**row, **given}


def attachment(**given: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": "a1",
        "game_id": "mw2",
        "category_id": "optics",
        "slug": "dot",
        "name": "Dot",
        "pros": [],
        "cons": [],
    }
    return {**row, "description": None, "unlock_type": "weapon", "unlock_id": "k7", "unlock_level": 2, **given}


def files(weapons: list[Any] | None = None, attachments: list[Any] | None = None, **given: Any) -> dict[str, Any]:
    return {
        "weapons": [weapon()] if weapons is None else weapons,
        "attachments": [attachment()] if attachments is None else attachments,
        "categories": [{"id": "smgs", "name": "SMGs", "alias": "Submachine guns", "slot": "primary"}],
        "platforms": [{"id": "k", "name": "K Platform"}],
        "attachment-categories": [{"id": "optics", "name": "Optics", "singular_name": "Optic", "sorting": 3}],
        "attachment-stats": [{"id": "ads_speed", "name": "Aim Down Sight Speed"}],
        **given,
    }


def told(*weapons: dict[str, Any], **given: Any) -> tuple[CodArmory, list[str]]:
    notes = Notes()
    return read(files(list(weapons), **given), notes), notes.sentences()


def fields(*weapons: dict[str, Any], **given: Any) -> dict[str, Any]:
    payload, warnings = told(*weapons, **given)
    assert warnings == []
    (record,) = payload.records
    return dict(record.fields)


def test_a_weapon_says_what_its_row_and_the_files_beside_it_say():
    row = weapon(platform_id="k", unlock_type="weapon", unlock_id="k5", attachments=["a1"])
    assert fields(row) == {
        "name": "K-7",
        "game": "mw2",
        "category": "smg",
        "slot": "primary",
        "platform": "K Platform",
        "max_level": 20,
        "unlock.type": "weapon",
        "unlock.by": "k5",
        "unlock.level": 4,
        "attachments": [{"id": "a1", "name": "Dot", "slot": "optics"}],
    }


def test_no_statistics_are_made_up_for_a_catalogue_that_has_none():
    """S3 to S21: a default is never told as if it had been observed."""
    assert not {name for name in fields(weapon()) if name.startswith(("ballistics", "base_stats", "win", "pick"))}


@pytest.mark.parametrize("nothing", [None, ""])
def test_null_and_empty_are_absent_and_zero_is_a_value(nothing: str | None):
    row = weapon(max_level=nothing, unlock_type=nothing, unlock_level=0, unlock_summary=nothing, platform_id=nothing)
    given = fields(row)
    assert given["unlock.level"] == 0
    assert not {"max_level", "unlock.type", "unlock.summary", "platform"} & set(given)


def test_a_missing_key_is_absent_too():
    row = weapon()
    for key in ("max_level", "unlock_level", "platform_id", "attachments"):
        del row[key]
    assert not {"max_level", "unlock.level", "platform", "attachments"} & set(fields(row))


def test_a_weapon_without_attachments_says_that_it_has_none():
    assert fields(weapon(attachments=[]))["attachments"] == []


def test_a_name_of_two_games_makes_two_entities():
    payload, warnings = told(weapon(id="pila", name="PILA"), weapon(id="pila-mw3", name="PILA", game_id="mw3"))
    assert [record.entity for record in payload.records] == ["pila-mw2", "pila-mw3"]
    assert warnings == []


def test_the_id_is_not_the_identity():
    payload, _ = told(weapon(id="mcw-68", name="MCW 6.8", game_id="mw3"))
    assert payload.records[0].entity == "mcw68-mw3"


def test_attachments_are_told_by_slot_whatever_their_order_and_doubled_ones_once():
    attachments = [attachment(), attachment(id="b2", name="Long", category_id="barrels"), attachment(id="a0")]
    given = fields(weapon(attachments=["a1", "a0", "b2", "a1"]), attachments=attachments)
    assert [one["id"] for one in given["attachments"]] == ["b2", "a0", "a1"]


def test_attachments_that_share_a_slug_are_told_apart_by_their_ids():
    attachments = [attachment(id="a1", name="60 Round Mag"), attachment(id="a2", name="60 Round Mag")]
    assert len(fields(weapon(attachments=["a1", "a2"]), attachments=attachments)["attachments"]) == 2


def test_an_attachment_that_no_file_describes_is_left_out_with_a_warning():
    payload, warnings = told(weapon(attachments=["a1", "gone"]))
    assert payload.records[0].fields["attachments"] == [{"id": "a1", "name": "Dot", "slot": "optics"}]
    assert warnings == ["weapons.json[0] names the attachment 'gone', which no file describes"]


def test_attachments_nobody_uses_and_those_without_pros_and_cons_are_part_of_the_payload():
    payload, _ = told(weapon(), attachments=[attachment(id="orphan", pros=[], cons=[])])
    assert [one.id for one in payload.attachments] == ["orphan"]


def test_an_unknown_category_is_left_out_with_a_warning():
    payload, warnings = told(weapon(category_id="railguns"))
    assert "category" not in payload.records[0].fields
    assert "railguns" in warnings[0]


def test_identical_doubled_rows_collapse_and_contradictory_ones_lose_the_field():
    same, _ = told(weapon(), weapon())
    assert len(same.records) == 1
    differing, warnings = told(weapon(), weapon(max_level=30))
    assert "max_level" not in differing.records[0].fields
    assert "weapons.json[0]" in warnings[0]
    assert "weapons.json[1]" in warnings[0]


@pytest.mark.parametrize("wrong", [{"weapons": [weapon(game_id="bf6")]}, {"attachments": [attachment(game_id="bf6")]}])
def test_a_row_of_a_wrong_game_refuses_the_whole_answer(wrong: dict[str, Any]):
    with pytest.raises(FetchError, match="'bf6' is not a game") as caught:
        read(files(**wrong), Notes())
    assert caught.value.kind == "content"


@pytest.mark.parametrize("name", list(files()))
@pytest.mark.parametrize("raw", [[], {}, None, "x"])
def test_an_empty_file_or_one_that_is_no_list_is_a_failure_of_content(name: str, raw: object):
    with pytest.raises(FetchError, match=name) as caught:
        read({**files(), name: raw}, Notes())
    assert caught.value.kind == "content"


def test_one_bad_row_in_ten_is_set_aside_and_two_spoil_the_file():
    good = [weapon(name=f"K-{index}") for index in range(9)]
    payload, warnings = told(*good, weapon(name=None))
    assert len(payload.weapons) == 9
    assert "weapons.json[9] ('k7') is set aside" in warnings[0]
    with pytest.raises(FetchError, match="2 of 11 rows"):
        told(*good, weapon(name=""), weapon(game_id=7))


@pytest.mark.parametrize(
    ("key", "odd", "field"),
    [
        ("max_level", "ten", "max_level"),
        ("unlock_level", -1, "unlock.level"),
        ("unlock_type", 5, "unlock.type"),
        ("unlock_summary", ["x"], "unlock.summary"),
        ("platform_id", {}, "platform"),
        ("attachments", "a1", "attachments"),
        ("attachments", [1, 2], "attachments"),
    ],
)
def test_an_odd_field_costs_that_field_and_a_warning_and_nothing_else(key: str, odd: object, field: str):
    given: dict[str, Any] = {"platform_id": "k", "unlock_summary": "x", "attachments": ["a1"]}
    whole = fields(weapon(**given))
    payload, warnings = told(weapon(**{**given, key: odd}))
    assert dict(payload.records[0].fields) == {name: value for name, value in whole.items() if name != field}
    assert len(warnings) == 1
    assert f"{key} could not be read in 1 of 1 rows of weapons.json" in warnings[0]
    assert "the first is weapons.json[0] ('K-7')" in warnings[0]


def test_a_weapon_keeps_the_attachments_beside_an_odd_one():
    payload, warnings = told(weapon(attachments=[5, "a1"]))
    assert payload.records[0].fields["attachments"] == [{"id": "a1", "name": "Dot", "slot": "optics"}]
    assert "attachments holds 5, and a list of texts was expected" in warnings[0]


def test_a_field_that_is_odd_in_every_row_does_not_fail_the_source():
    payload, warnings = told(*(weapon(name=f"K-{index}", max_level="ten") for index in range(50)))
    assert len(payload.records) == 50
    assert warnings[0].startswith("max_level could not be read in 50 of 50 rows of weapons.json")
    assert len(warnings) == 1


class Counted(dict[str, Any]):
    """Counts how often it is gone through as a whole."""

    whole = 0

    def __iter__(self) -> Iterator[str]:
        self.whole += 1
        return super().__iter__()


def test_the_attachments_of_a_weapon_are_looked_up_and_not_compared_with_all_there_are():
    files = Counted(a1=Attachment(id="a1", name="Dot", game_id="mw2", category_id="optics"))
    row = Weapon(id="k7", name="K-7", game_id="mw2", category_id="smgs", attachments=("a2", "a1", "a1"))
    notes = Notes()
    listed = _attachments(Found("weapons.json[0]", "k7-mw2", row), files, notes)
    assert listed == [{"id": "a1", "name": "Dot", "slot": "optics"}]
    assert len(notes.sentences()) == 1
    assert files.whole == 0
