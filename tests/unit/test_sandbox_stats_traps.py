"""The made-up stats and rankings keep the real identities, and hold what breaks careless readers."""

import math
from typing import Any

import pytest

from cod_sources.sandbox import codmunity, comparator, rankings
from cod_sources.sandbox.ballistics import Figures, damage_row

WARZONE, MULTIPLAYER = rankings.PATHS


def stats(name: str) -> dict[str, Any]:
    return next(row for row in comparator.weapon_stats() if row["gun"] == name)


def ranking(path: str) -> dict[str, Any]:
    document = rankings.document(path, {})
    assert document is not None
    return document


def cards(path: str) -> list[dict[str, Any]]:
    return [card for section in ranking(path)["sections"] for card in section["cards"]]


def keeps_identities(weapon: dict[str, Any], row: dict[str, Any]) -> bool:
    """Tell whether a row keeps the identities of section 3.4, computed here anew."""
    if not row["chest"]:
        return row["shots_to_kill"] is row["ttk"] is row["enemies_per_magazine"] is None
    shots = -(-300 // row["chest"])
    between = 60_000 / weapon["rpm"]
    flight = max(0, row["dropoff"] - 0.05 * weapon["bv"]) / weapon["bv"] * 1000
    return (
        row["shots_to_kill"] == shots
        and math.isclose(row["time_between_shots"], between)
        and math.isclose(row["ttk"], (shots - 1) * between + flight)
        and row["enemies_per_magazine"] == weapon["mag_size"] // shots
    )


def damage_rows() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [(weapon, row) for weapon in comparator.weapon_stats() for row in weapon["simple_damage"] or ()]


@pytest.mark.parametrize(
    ("figures", "metres", "chest", "ttk"),
    [
        # The worked examples of the notes on the upstream.
        (Figures(rpm=800, ads=270, bv=820, mag_size=30), 0, 30, 675),
        (Figures(rpm=800, ads=270, bv=820, mag_size=30), 51, 20, 1062.2),
        (Figures(rpm=811, ads=240, bv=820, mag_size=30), 43.2, 25, 816.5),
    ],
)
def test_a_time_to_kill_is_what_the_real_upstream_gives(figures: Figures, metres: float, chest: int, ttk: float):
    assert damage_row(figures, metres=metres, chest=chest)["ttk"] == pytest.approx(ttk, abs=0.1)


def test_every_damage_row_but_one_keeps_the_identities():
    broken = [(weapon["gun"], row["dropoff"]) for weapon, row in damage_rows() if not keeps_identities(weapon, row)]
    assert [name for name, _ in broken] == [comparator.MISTIMED]
    assert len(damage_rows()) > 150


def test_every_row_of_a_cards_graph_keeps_the_identities_with_attachments():
    checked = [keeps_identities(c["stats"], r) for c in cards(WARZONE) for r in c["stats"]["simple_damage_graph"]]
    assert len(checked) > 20
    assert all(checked)


def test_rows_name_another_rate_than_the_weapon_and_are_timed_by_the_weapons():
    weapon = stats("Raster 9mm")
    assert all(row["final_rpm"] == 1.5 * weapon["rpm"] for row in weapon["simple_damage"])


def test_one_row_never_kills():
    last = stats(comparator.HARMLESS_FAR_OFF)["simple_damage"][-1]
    assert last["chest"] == 0
    assert last["ttk"] is last["shots_to_kill"] is last["enemies_per_magazine"] is None


def test_a_bullet_velocity_can_be_0_and_a_rate_null():
    assert stats("Stormlamp")["bv"] == 0
    assert stats("Corto-45")["rpm"] is None
    assert stats("BOLLARD 110")["rpm"] is None


def test_a_damage_table_can_be_empty_or_null():
    assert stats("Corto-45")["simple_damage"] is None
    assert stats("Brindle 80")["simple_damage"] is None
    assert stats("Brindle 80")["rpm"]
    assert stats("Scythe")["simple_damage"] == []


def test_drops_are_whole_numbers_and_fractions():
    assert {type(row["dropoff"]) for _, row in damage_rows()} == {int, float}


def test_weapons_of_the_catalogue_lack_a_row_of_stats_and_every_row_has_its_weapon():
    document = comparator.document({})
    catalogue = {(row["appGame"], row.get("WeaponName") or row["name"]) for row in document["weapons"]}
    rows = {(row["appGame"], row["gun"]) for row in document["weaponStats"]}
    assert rows < catalogue
    assert ("mw2", "Thistle 9") in catalogue - rows


def test_the_catalogue_names_its_weapons_in_two_ways():
    rows = comparator.document({})["weapons"]
    assert {"WeaponName" in row for row in rows} == {True, False}
    assert {("WeaponName" in row) != ("name" in row) for row in rows} == {True}


def test_an_empty_slot_of_a_loadout_is_a_text_or_a_number():
    slots = {repr(value) for loadout in comparator.document({})["metaLoadouts"] for value in loadout.values()}
    assert {"'0'", "0"} <= slots


def test_the_state_holds_several_entries_under_numbers_and_one_thing_that_is_none():
    state = codmunity.transfer_state({})
    entries = [entry for entry in state.values() if isinstance(entry, dict)]
    assert len(entries) == 3
    assert len(state) == 4
    assert sum(key.isdecimal() for key in state) == 3


def test_the_wanted_entry_is_told_by_its_address_whatever_its_key():
    for thrown in ({}, {"renamed_state_key": 1.0}):
        state = codmunity.transfer_state(thrown)
        wanted = [held for held in state.values() if "u" in held and held["u"].endswith("/stats-comparator/warzone")]
        assert [(held["s"], "weaponStats" in held["b"]) for held in wanted] == [(200, True)]
    assert codmunity.transfer_state({}).keys() != codmunity.transfer_state({"renamed_state_key": 1.0}).keys()


def test_a_card_names_the_mode_and_the_origin_apart():
    assert {card["appGame"] for card in cards(WARZONE)} == {"warzone-2"}
    assert {card["weaponGame"] for card in cards(WARZONE)} == {"mw2", "mw3", "bo6", "bo7"}


def test_a_weapon_is_on_several_cards_and_in_several_sections():
    where = {
        name: [s["name"] for s in ranking(WARZONE)["sections"] for c in s["cards"] if c["WeaponName"] == name]
        for name in ("AP-92", "Petrel VQ")
    }
    assert where == {"AP-92": ["absolute-meta", "meta"], "Petrel VQ": ["meta", "meta"]}


def test_sections_can_be_empty():
    assert [s["name"] for s in ranking(WARZONE)["sections"] if not s["cards"]] == ["contender", "viable", "other"]


def test_popularity_is_a_share_that_can_be_0_or_absent():
    shares = [card.get("popularity") for card in cards(WARZONE)]
    assert 0 in shares
    assert None in shares
    assert all(0 <= share <= 100 for share in shares if share is not None)
    assert not any("popularity" in card for card in cards(MULTIPLAYER))


def test_a_level_is_a_number_or_a_text():
    levels = {type(part["level"]) for card in cards(WARZONE) for part in card["attachments"].values()}
    assert levels == {int, str}


def test_an_optic_can_belong_to_the_number_0_and_then_lacks_game_and_slug():
    optics = [card["attachments"]["Optic"] for card in cards(WARZONE)]
    odd = [optic for optic in optics if optic["weapon"] == 0]
    assert odd
    assert not any({"game", "slug"} & optic.keys() for optic in odd)


def test_multiplayer_cards_have_no_stats_and_an_old_games_label():
    assert not any("stats" in card for card in cards(MULTIPLAYER))
    assert {(card["meta"], card["collec"], card["appGame"]) for card in cards(MULTIPLAYER)} == {
        ("bo6-ranked", "bo6-rankedplay", "bo7")
    }


def test_marks_are_absent_where_they_are_not_meant():
    held = cards(WARZONE)
    assert {card.get("proFavorite") for card in held} == {True, None}
    assert {"Description" in card for card in held} == {True, False}
    assert any("undefined" in card["image"] for card in held)


def test_one_answer_disagrees_with_itself_on_an_origin():
    document = ranking(WARZONE)
    assert document["global"]["topWeapons"][0]["game"] == "bo2"
    assert document["topWeapons"][0]["game"] == "bo7"
    assert document["topWeapons"][0]["weapon"] == document["global"]["topWeapons"][0]["weapon"]


def test_a_graph_tells_each_drop_twice():
    graph = next(card["stats"]["simple_damage_graph"] for card in cards(WARZONE) if card["WeaponName"] == "AP-92")
    drops = [row["dropoff"] for row in graph]
    assert drops == sorted(drops)
    assert len({*drops}) < len(drops)
