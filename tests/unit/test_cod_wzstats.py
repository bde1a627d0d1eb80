"""WZStats' document, in small made-up rows: one test for each trap."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cod_sources.notes import Notes
from cod_sources.tiers import PLAIN_MEMBERS
from cod_sources.wzstats import WZStats, read, source
from data_source_orchestrator.core.errors import FetchError

NOTHING = {"streamerProfileId": "wzstats", "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-03-01T00:00:00Z"}


def weapon(id_: str = "k-7", name: str | None = "K-7", game: str = "mw3", **given: Any) -> dict[str, Any]:
    row = {"id": id_, "name": name, "game": game, "type": "SMG", "displayType": "SMG", "isNew": False}
    return {**row, "updateMW2": "", "conversionKitId": None, "baseWeaponId": None, **given}


def kit(id_: str = "k-7-kit", base: str | None = "k-7", **given: Any) -> dict[str, Any]:
    return weapon(id_, conversionKitId="jak-long-kit", baseWeaponId=base, **given)


def told(*weapons: Any, **modes: Any) -> tuple[WZStats, list[str]]:
    lists = {**NOTHING, **(modes or {"mw3": {"META": ["k-7"], "A": [], "B": [], "C": [], "D": []}})}
    notes = Notes()
    return read({"weapons": list(weapons), "wzStatsTierList": lists}, notes), notes.sentences()


def fields(payload: WZStats) -> dict[str, dict[str, Any]]:
    return {record.entity: dict(record.fields) for record in payload.records}


def test_a_weapon_says_its_tier_in_every_mode_that_lists_it():
    payload, warnings = told(
        weapon(), mw3={"META": [], "B": ["k-7"]}, rankedResurgence={"META": ["k-7"]}, bo6={"A": []}
    )
    assert fields(payload) == {
        "k7-mw3": {
            "name": "K-7",
            "game": "mw3",
            "category": "smg",
            "is_new": False,
            "tier.mw3": "B",
            "tier.rankedResurgence": "META",
        }
    }
    assert warnings == []
    assert payload.updated_at == "2026-03-01T00:00:00Z"


def test_neither_win_rate_nor_pick_rate_is_made_up():
    payload, _ = told(weapon())
    assert not {name for name in fields(payload)["k7-mw3"] if "rate" in name}


def test_a_kit_that_shares_its_weapons_name_is_an_entity_of_its_own_with_its_own_tier():
    payload, warnings = told(weapon(), kit(), mw3={"META": ["k-7-kit"], "D": ["k-7"]})
    said = fields(payload)
    assert said["k7-mw3"]["tier.mw3"] == "D"
    assert said["k7-mw3+jaklongkit"]["tier.mw3"] == "META"
    assert said["k7-mw3+jaklongkit"]["kit"] == "jak-long-kit"
    assert said["k7-mw3+jaklongkit"]["base"] == "k7-mw3"
    assert warnings == []


@pytest.mark.parametrize("nothing", [{"conversionKitId": None}, {"conversionKitId": ""}, {}])
def test_null_empty_and_missing_kits_are_no_kit(nothing: dict[str, Any]):
    row = {key: value for key, value in weapon().items() if key not in ("conversionKitId", "baseWeaponId")}
    payload, _ = told({**row, **nothing})
    assert list(fields(payload)) == ["k7-mw3"]
    assert not {"kit", "base"} & set(fields(payload)["k7-mw3"])


@pytest.mark.parametrize("odd", [5, 0, False, ["jak-long-kit"], {"id": "jak-long-kit"}])
def test_a_row_whose_kit_cannot_be_read_is_set_aside_and_never_taken_for_its_base_weapon(odd: object):
    others = [weapon(f"k-{n}", f"K-{n}") for n in range(20, 40)]
    payload, warnings = told(
        weapon(), *others, {**kit(), "conversionKitId": odd}, mw3={"META": ["k-7-kit"], "D": ["k-7"]}
    )
    assert fields(payload)["k7-mw3"]["tier.mw3"] == "D"
    assert len(payload.records) == 21
    assert "weapons[21] ('K-7') is set aside: conversionKitId is" in warnings[0]


@pytest.mark.parametrize(
    ("key", "odd", "lost"), [("isNew", "yes", "is_new"), ("type", 5, "category"), ("baseWeaponId", 5, "base")]
)
def test_an_odd_field_costs_that_field_and_a_warning_and_nothing_else(key: str, odd: object, lost: str):
    rows = [weapon(), kit(type="SNIPER_RIFLE", displayType="MARKSMAN_RIFLE")]
    whole, _ = told(*rows)
    payload, warnings = told(rows[0], {**rows[1], key: odd})
    said = fields(payload)
    assert said["k7-mw3"] == fields(whole)["k7-mw3"]
    expected = {name: value for name, value in fields(whole)["k7-mw3+jaklongkit"].items() if name != lost}
    assert said["k7-mw3+jaklongkit"] == expected
    assert f"{key} could not be read in 1 of 2 rows of weapons" in warnings[0]
    assert not [warning for warning in warnings if "None" in warning]


def test_a_kits_weapon_is_found_although_the_case_of_its_id_differs():
    payload, warnings = told(weapon("m16", "M16"), kit("m16-kit", "M16", name="M16"), mw3={"A": ["m16"]})
    assert fields(payload)["m16-mw3+jaklongkit"]["base"] == "m16-mw3"
    assert warnings == []


@pytest.mark.parametrize("base", ["gone", "", None])
def test_a_kit_without_a_weapon_has_no_base_and_a_warning(base: str | None):
    payload, warnings = told(weapon(), kit(base=base), weapon("---", "K-9"))
    assert "base" not in fields(payload)["k7-mw3+jaklongkit"]
    assert "weapons[1]" in warnings[0]


def test_the_class_is_the_kits_own_and_the_display_class_stands_in_only_where_it_is_missing():
    payload, _ = told(weapon(type="SNIPER_RIFLE", displayType="MARKSMAN_RIFLE"), kit(type=None, displayType="LMG"))
    said = fields(payload)
    assert said["k7-mw3"]["category"] == "sniper_rifle"
    assert said["k7-mw3+jaklongkit"]["category"] == "lmg"


def test_name_and_id_may_disagree_and_the_name_is_the_identity():
    rows = (weapon("dg-58", "DG-56"), weapon("gs-magma", "GS Magna"), weapon("50gs", ".50gs"), weapon("1911", "1911"))
    payload, warnings = told(*rows, mw3={"A": ["dg-58", "gs-magma"], "B": ["50gs", "1911"]})
    assert list(fields(payload)) == ["dg56-mw3", "gsmagna-mw3", "50gs-mw3", "1911-mw3"]
    assert fields(payload)["dg56-mw3"]["tier.mw3"] == "A"
    assert warnings == []


def test_percent_encoded_ids_name_the_same_weapon():
    rows = (weapon("jäger-45", "Jäger 45"), weapon("executioner's-duet", "Executioner's Duet"))
    payload, warnings = told(*rows, mw3={"META": ["j%C3%A4ger-45"], "A": ["executioner%27s-duet"]})
    assert fields(payload)["jager45-mw3"]["tier.mw3"] == "META"
    assert fields(payload)["executionersduet-mw3"]["tier.mw3"] == "A"
    assert warnings == []


def test_one_name_in_two_games_is_two_weapons_with_their_own_tiers():
    rows = (weapon("knife", "Knife", "bo6"), weapon("knife-bo7", "Knife", "bo7"))
    payload, _ = told(*rows, alMazrah={"META": ["knife-bo7"], "D": ["knife"]})
    assert fields(payload)["knife-bo6"]["tier.alMazrah"] == "D"
    assert fields(payload)["knife-bo7"]["tier.alMazrah"] == "META"


def test_an_id_twice_in_one_tier_counts_once_and_is_no_matter():
    payload, warnings = told(weapon(), mw3={"A": ["k-7", "k-7"]})
    assert fields(payload)["k7-mw3"]["tier.mw3"] == "A"
    assert warnings == []


@pytest.mark.parametrize("tiers", [{"B": ["k-7"], "META": ["k-7"]}, {"META": ["k-7"], "B": ["k-7"]}])
def test_a_weapon_in_several_tiers_of_a_mode_gets_the_best_and_a_warning(tiers: dict[str, Any]):
    payload, warnings = told(weapon(), mw3=tiers)
    assert fields(payload)["k7-mw3"]["tier.mw3"] == "META"
    assert warnings == ["k7-mw3 stands in META, B of mw3; the best counts"]


def test_an_id_that_names_no_weapon_is_told_once_with_its_modes():
    payload, warnings = told(weapon(), mw3={"A": ["k-7", "gone"]}, mwz={"D": ["gone"]})
    assert list(fields(payload)) == ["k7-mw3"]
    assert warnings == ["no single weapon has the id 'gone', which wzStatsTierList ranks in mw3, mwz"]


def test_an_id_inside_another_is_not_that_id():
    _, warnings = told(weapon("xm4", "XM4"), weapon("k-7"), mw3={"A": ["m4", "k-7"]})
    assert "'m4'" in warnings[0]


def test_an_id_that_two_weapons_share_names_neither():
    payload, warnings = told(weapon("k", "K-7"), weapon("k", "K-8"), weapon(), mw3={"A": ["k", "k-7"]})
    assert "tier.mw3" not in fields(payload)["k8-mw3"]
    assert "'k'" in warnings[0]


def test_texts_beside_the_modes_are_passed_over_and_odd_tiers_are_told():
    mw3 = {"META": ["k-7"], "S": ["k-7"], "A": [], "B": [7], "C": [], "D": [], "season": 3}
    payload, warnings = told(weapon(), mw3=mw3, note="a text", **{"a.b": {}, "x" * 99: {}})
    assert list(payload.tier_lists) == ["mw3"]
    assert fields(payload)["k7-mw3"]["tier.mw3"] == "META"
    assert len(warnings) == 6


def test_an_unknown_tier_in_place_of_a_known_one_refuses_the_answer():
    with pytest.raises(FetchError, match=r"mw3 has the unknown tier 'S' and no META; .* renamed its tiers"):
        told(weapon(), mw3={"S": ["k-7"], "A": [], "B": [], "C": [], "D": []})


@pytest.mark.parametrize("odd", [None, "gone", ["k-7"], 3, False])
def test_a_mode_that_is_no_object_is_told_because_its_tiers_are_lost(odd: object):
    payload, warnings = told(weapon(), mw3={"META": ["k-7"]}, bo7=odd)
    assert list(payload.tier_lists) == ["mw3"]
    (warning,) = warnings
    assert warning.startswith("wzStatsTierList.bo7 is ")
    assert warning.endswith("and a mode's tiers were expected; it is left out")


@pytest.mark.parametrize("value", ["x", None, 3, {"$date": "x"}])
@pytest.mark.parametrize("plain", sorted(PLAIN_MEMBERS))
def test_what_is_known_to_be_no_mode_is_never_taken_for_one(plain: str, value: object):
    payload, warnings = told(weapon(), mw3={"META": ["k-7"]}, **{plain: value})
    assert list(payload.tier_lists) == ["mw3"]
    assert warnings == []


ODD_IDS = (7, None, True, {"id": "k-7"}, ["k-7"])


@pytest.mark.parametrize("odd", ODD_IDS)
def test_an_odd_element_of_a_tier_costs_itself_and_a_warning_and_nothing_else(odd: object):
    rows = [weapon(f"k-{n}", f"K-{n}") for n in range(12)]
    ids = [row["id"] for row in rows]
    whole, _ = told(*rows, mw3={"META": ids[:6], "D": ids[6:]})
    payload, warnings = told(*rows, mw3={"META": [*ids[:3], odd, *ids[3:6]], "D": ids[6:]})
    assert fields(payload) == fields(whole)
    assert payload.tier_lists == whole.tier_lists
    (warning,) = warnings
    assert warning.startswith("wzStatsTierList.mw3.META[3] is ")
    assert warning.endswith("and a weapon's id was expected; it is left out")


def test_a_single_odd_element_is_forgiven_in_the_smallest_of_modes():
    payload, warnings = told(weapon(), mw3={"META": ["k-7"]}, bo7Ranked={"META": [7], "A": ["k-7"]}, mwz={"A": [None]})
    assert fields(payload)["k7-mw3"]["tier.bo7Ranked"] == "A"
    assert len(warnings) == 2


def test_more_than_one_odd_element_in_ten_of_a_mode_refuses_the_answer():
    ids = [f"k-{n}" for n in range(18)]
    rows = [weapon(id_, id_) for id_ in ids]
    _, warnings = told(*rows, mw3={"META": [7], "A": [8], "B": ids})
    assert len(warnings) == 2
    with pytest.raises(
        FetchError, match=r"3 of 21 elements of wzStatsTierList\.mw3 .*the first: .*META\[0\]"
    ) as caught:
        told(*rows, mw3={"META": [7], "A": [8, 9], "B": ids}, bo6={"A": ids}, bo7={"A": ids})
    assert caught.value.kind == "content"
    assert "left out" not in str(caught.value)


def test_a_tier_of_nothing_but_odd_elements_refuses_the_answer_where_it_is_more_than_a_tenth_of_its_mode():
    rows = [weapon(f"k-{n}", f"K-{n}") for n in range(20)]
    ids = [row["id"] for row in rows]
    with pytest.raises(FetchError, match="5 of 20 elements"):
        told(*rows, mw3={"META": [{"id": id_} for id_ in ids[:5]], "A": ids[5:]})


@pytest.mark.parametrize("odd", ["k-7", "", 7, True, {}, {"ids": ["k-7"]}])
@pytest.mark.parametrize("tier", ["META", "D"])
def test_a_known_tier_that_is_no_list_refuses_the_answer_because_the_format_has_changed(tier: str, odd: object):
    with pytest.raises(FetchError, match=rf"wzStatsTierList\.bo6\.{tier} is .*, and a list of ids") as caught:
        told(weapon(), mw3={"META": ["k-7"]}, bo6={tier: odd})
    assert caught.value.kind == "content"


def test_a_tier_that_is_null_is_absent():
    payload, warnings = told(weapon(), mw3={"META": ["k-7"], "A": None})
    assert payload.tier_lists == {"mw3": {"META": ("k-7",)}}
    assert warnings == []


def test_a_row_that_is_doubled_collapses_and_one_that_contradicts_loses_the_field():
    payload, warnings = told(weapon(), weapon(), weapon(isNew=True))
    assert "is_new" not in fields(payload)["k7-mw3"]
    assert fields(payload)["k7-mw3"]["tier.mw3"] == "META"
    repeated, disputed = warnings
    assert repeated == "weapons[1] ('K-7') is set aside: it repeats weapons[0]"
    assert "weapons[0]" in disputed
    assert "weapons[2]" in disputed


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        None,
        {"weapons": [weapon()]},
        {"wzStatsTierList": {"mw3": {}}},
        {"weapons": [], "wzStatsTierList": {"mw3": {"A": ["k-7"]}}},
        {"weapons": [weapon()], "wzStatsTierList": NOTHING},
        {"weapons": [weapon()], "wzStatsTierList": []},
        {"weapons": [weapon()], "wzStatsTierList": {"mw3": {"META": [], "A": []}}},
        {"weapons": [weapon()], "wzStatsTierList": {"mw3": {"A": ["gone"]}}},
        {"weapons": [weapon(game="bf6")], "wzStatsTierList": {"mw3": {"A": ["k-7"]}}},
        {"weapons": [weapon(game="warzone-2")], "wzStatsTierList": {"mw3": {"A": ["k-7"]}}},
        {"weapons": [weapon(name=None)], "wzStatsTierList": {"mw3": {"A": ["k-7"]}}},
    ],
)
def test_a_document_without_weapons_or_tiers_or_of_a_wrong_game_is_a_failure_of_content(document: object):
    with pytest.raises(FetchError) as caught:
        read(document, Notes())
    assert caught.value.kind == "content"


async def test_what_is_read_is_what_is_asked_for():
    asked: list[str] = []

    class Http:
        async def check(self, url: str) -> None:
            asked.append(url)

    class Context:
        http = Http()

    probe: Any = source("https://a.example").probe
    await probe(Context())
    parts = urlsplit(asked[0])
    query = parse_qs(parts.query)
    assert parts.path == "/wz2/weapons/meta/weapons-and-tier-lists/"
    assert query["weaponGames[]"] == ["mw2", "mw3", "bo6", "bo7"]
    assert query["weaponAttributes[]"] == ["game", "name", "type", "displayType", "isNew"]
    assert query["addConversionKit"] == ["true"]
