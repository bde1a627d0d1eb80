"""The made-up catalogues hold what makes the real ones hard to read."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cod_sources.sandbox import attachments, codarmory, comparator, wzstats
from cod_sources.sandbox.weapons import all_weapons

GAMES = {"mw2", "mw3", "bo6", "bo7"}
TIERS = {"META", "A", "B", "C", "D"}


def collapsed(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name).lower()
    return re.sub(r"[^a-z0-9]", "", folded)


def doubled(values: Iterable[Any]) -> set[Any]:
    return {value for value, times in Counter(values).items() if times > 1}


def modes() -> dict[str, dict[str, list[str]]]:
    return {name: held for name, held in wzstats.tier_list({}).items() if isinstance(held, dict)}


def by_name(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(row for row in rows if row.get("name") == name)


def test_there_are_about_thirty_weapons_for_each_of_four_games():
    assert Counter(weapon.game for weapon in all_weapons()).keys() == GAMES
    assert min(Counter(weapon.game for weapon in all_weapons()).values()) >= 30


def test_every_upstream_lists_enough_rows():
    assert len(codarmory.weapons()) >= 50
    assert len(wzstats.weapons()) >= 90
    assert len(comparator.listed()) >= 100


def test_the_same_data_are_made_every_time():
    assert json.dumps(wzstats.document(wzstats.PATHS[0], {}, {})) == json.dumps(
        wzstats.document(wzstats.PATHS[0], {}, {})
    )
    assert codarmory.document(codarmory.PATHS[1], {}) == codarmory.document(codarmory.PATHS[1], {})


def captured_names(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from captured_names(item)
    elif isinstance(value, dict):
        yield from (value[key] for key in ("name", "gun", "WeaponName") if isinstance(value.get(key), str))
        for item in value.values():
            yield from captured_names(item)


def test_no_name_is_one_of_the_real_ones(upstream: Path):
    files = [*upstream.glob("*/*.json")]
    real = {collapsed(name) for file in files for name in captured_names(json.loads(file.read_text()))}
    assert len(real) > 200
    assert real.isdisjoint(collapsed(weapon.name) for weapon in all_weapons())


def test_a_name_stands_in_two_games_of_codarmory():
    pairs = [(row["name"], row["game_id"], row["id"]) for row in codarmory.weapons()]
    assert ("TILPA", "mw2", "tilpa") in pairs
    assert ("TILPA", "mw3", "tilpa-mw3") in pairs


def test_codarmory_lists_two_games_only_and_its_ids_are_unique():
    rows = codarmory.weapons()
    assert {row["game_id"] for row in rows} == {"mw2", "mw3"}
    assert not doubled(row["id"] for row in rows)


def test_codarmory_leaves_out_what_is_unknown_as_null():
    rows = codarmory.weapons()
    assert any(row["max_level"] is None for row in rows)
    assert all(row["platform_id"] is None for row in rows if row["game_id"] == "mw3")
    assert any(row["platform_id"] for row in rows)


def test_unlock_ids_of_codarmory_are_weapons_for_some_and_something_else_for_others():
    rows = codarmory.weapons()
    ids = {row["id"] for row in rows}
    meant = {row["unlock_type"]: row["unlock_id"] for row in rows if row["unlock_id"]}
    assert meant["weapon"] in ids
    assert meant["battle-pass"] not in ids
    assert meant["dmz"] == "The Beekeeper"
    assert {"auto", "level", "challenge", "not-available", "one-of-challenge"} <= {row["unlock_type"] for row in rows}


def test_every_attachment_that_a_weapon_names_exists_in_its_game_and_once():
    parts = {row["id"]: row["game_id"] for row in attachments.rows()}
    assert len(parts) == len(attachments.rows())
    for weapon in codarmory.weapons():
        assert not doubled(weapon["attachments"])
        assert all(parts[part] == weapon["game_id"] for part in weapon["attachments"])


def test_launchers_and_blades_take_no_attachments():
    bare = {row["category_id"] for row in codarmory.weapons() if not row["attachments"]}
    assert bare == {"launchers", "melee"}


def test_attachments_repeat_slugs_and_some_belong_to_no_weapon():
    rows = attachments.rows()
    used = {part for weapon in codarmory.weapons() for part in weapon["attachments"]}
    assert ("mw2", "40-round-mag") in doubled((row["game_id"], row["slug"]) for row in rows)
    assert {row["name"] for row in rows if row["id"] not in used} == {"Spare", "Stub"}


def test_attachments_hold_odd_spaces_letters_beyond_ascii_and_nothing_at_all():
    rows = attachments.rows()
    assert any("  " in row["name"] for row in rows)
    assert any(not row["name"].isascii() for row in rows)
    assert any(not row["pros"] and not row["cons"] for row in rows)
    assert any(row["description"] is None for row in rows)
    assert {row["unlock_type"] for row in rows} == {"weapon", "auto", "challenge", "unknown"}


def test_every_category_of_a_row_is_explained_in_its_own_file():
    files = {path: codarmory.document(path, {}) or [] for path in codarmory.PATHS}
    ids = {path.rsplit("/", 1)[1]: {row["id"] for row in rows} for path, rows in files.items()}
    assert {row["category_id"] for row in codarmory.weapons()} == ids["categories.json"]
    assert {row["category_id"] for row in attachments.rows()} == ids["attachment-categories.json"]
    effects = {effect for row in attachments.rows() for effect in row["pros"] + row["cons"]}
    assert effects <= ids["attachment-stats.json"]


def test_conversion_kits_share_the_name_of_their_base_weapon():
    rows = wzstats.weapons()
    ids = {row["id"]: row for row in rows}
    kits = [row for row in rows if row["conversionKitId"]]
    assert len(kits) >= 5
    for kit in kits:
        assert ids[kit["id"].split("-conversion-kit-")[0]]["name"] == kit["name"]
        assert kit["displayType"] == ids[kit["id"].split("-conversion-kit-")[0]]["displayType"]


def test_a_kit_can_misspell_the_id_of_its_base_weapon():
    rows = wzstats.weapons()
    ids = {row["id"] for row in rows}
    lost = [row["baseWeaponId"] for row in rows if row["conversionKitId"] and row["baseWeaponId"] not in ids]
    assert lost == ["N23B"]
    assert "n23b" in ids


def test_no_kit_is_told_in_two_ways_and_a_rank_by_its_absence():
    rows = wzstats.weapons()
    assert {None, ""} < {row["conversionKitId"] for row in rows}
    assert {None, ""} < {row["conversionKitId"] for row in rows if row["game"] == "mw3"}
    assert {"sniperSupportRank" in row for row in rows} == {True, False}


def test_display_type_and_type_differ_in_some_rows():
    rows = wzstats.weapons()
    assert by_name(rows, "Dor88x")["type"] != by_name(rows, "Dor88x")["displayType"]
    assert any(row["type"] != row["displayType"] and row["conversionKitId"] for row in rows)


@pytest.mark.parametrize(
    ("name", "id_"),
    [
        ("DK-56", "dk-58"),
        ("FQ 5.56", "fq-5.56"),
        (".40ns", "40ns"),
        ("Köhler 45", "k%C3%B6hler-45"),
        ("Falconer's Pair", "falconer's-pair"),
    ],
)
def test_ids_of_wzstats_cannot_be_derived_from_names(name: str, id_: str):
    assert by_name(wzstats.weapons(), name)["id"] == id_


def test_ids_of_wzstats_are_unique():
    assert not doubled(row["id"] for row in wzstats.weapons())


def test_tier_lists_mix_modes_with_members_that_are_none():
    assert {type(held) for held in wzstats.tier_list({}).values()} == {dict, str}
    assert len(modes()) >= 10
    assert all(tiers.keys() == TIERS for tiers in modes().values())


def test_tiers_can_be_empty_and_hold_an_id_twice_or_in_two_tiers():
    held = modes()
    assert held["mw3Ranked"]["B"] == held["mw3Ranked"]["C"] == []
    assert doubled(held["mw3"]["A"])
    assert set(held["wz2Ranked"]["A"]) & set(held["wz2Ranked"]["C"])


def test_a_mode_ranks_some_weapons_only_and_every_id_is_known():
    rows = {row["id"]: row["game"] for row in wzstats.weapons()}
    bo6 = {id_ for ids in modes()["bo6"].values() for id_ in ids}
    assert {rows[id_] for id_ in bo6} == {"bo6"}
    assert sum(len(ids) for ids in modes()["bo7Ranked"].values()) == 5
    assert {id_ for tiers in modes().values() for ids in tiers.values() for id_ in ids} <= rows.keys()


def test_a_kit_has_a_tier_of_its_own():
    tier_of = {id_: tier for tier, ids in modes()["alMazrah"].items() for id_ in ids}
    kits = [row for row in wzstats.weapons() if row["baseWeaponId"] in tier_of]
    assert any(tier_of[kit["id"]] != tier_of[kit["baseWeaponId"]] for kit in kits)


def test_wzstats_projects_and_filters_as_asked():
    asked = {"weaponGames[]": ["bo6", "bo7"], "weaponAttributes[]": ["name", "game"]}
    answer = wzstats.document("/wz2/weapons/meta/weapons-and-tier-lists/", asked, {})
    assert answer is not None
    assert {row["game"] for row in answer["weapons"]} == {"bo6", "bo7"}
    assert {*answer["weapons"][0]} == {"id", "name", "game", "conversionKitId", "baseWeaponId"}


def test_names_clash_across_games_and_one_ends_in_a_space():
    names = {(weapon.game, comparator.name_of(weapon)) for weapon in comparator.listed()}
    assert {("mw2", "Rake"), ("bo6", "Rake "), ("bo6", "Ladle"), ("bo7", "Ladle")} <= names


def test_two_games_share_a_slug_of_codmunity():
    slugs = [(comparator.slug_of(weapon), weapon.game) for weapon in comparator.listed()]
    assert {("ladle", "bo6"), ("ladle", "bo7"), ("rake", "mw2"), ("rake", "bo6")} <= {*slugs}


def test_codmunity_does_not_list_the_second_of_two_that_share_a_name():
    assert [weapon.game for weapon in comparator.listed() if weapon.name == "TILPA"] == ["mw2"]


def test_names_are_inside_other_names():
    names = {collapsed(weapon.name) for weapon in all_weapons()}
    for part, whole in [("v4", "xv4"), ("ncw", "ncw68"), ("striva", "striva9"), ("scythe", "scythes")]:
        assert {part, whole} <= names
        assert part in whole
    assert sum("ladle" in name for name in names) == 2


def test_spellings_differ_between_upstreams_and_collapse_to_one():
    armory = {(row["game_id"], collapsed(row["name"])): row["name"] for row in codarmory.weapons()}
    stats = {(row["game"], collapsed(row["name"])): row["name"] for row in wzstats.weapons()}
    community = {
        (weapon.game, collapsed(comparator.name_of(weapon))): comparator.name_of(weapon)
        for weapon in comparator.listed()
    }
    everywhere = armory.keys() & stats.keys() & community.keys()
    assert len(everywhere) > 40
    assert sum(len({armory[key], stats[key], community[key]}) > 1 for key in everywhere) >= 4
    assert stats.keys() <= community.keys()
    assert armory.keys() - community.keys() == {("mw3", "tilpa")}


def test_a_collapsed_name_stands_once_in_a_game_but_for_kits():
    assert not doubled((weapon.game, collapsed(weapon.name)) for weapon in all_weapons())


def test_upstreams_disagree_on_categories():
    stats = {row["name"]: row["type"] for row in wzstats.weapons()}
    community = {weapon.name: comparator.category_of(weapon) for weapon in comparator.listed()}
    assert (stats["Stormlamp"], community["Stormlamp"]) == ("SHOTGUN", "Launcher")
    assert (stats["RGX-80"], community["RGX-80"]) == ("MARKSMAN_RIFLE", "Launcher")
    assert (stats["Sirocco-9mm"], community["Sirocco-9mm"]) == ("PISTOL", "Special")
    assert (community["HR 338"], community["Hawse HX"]) == ("Sniper", "Sniper Rifle")
