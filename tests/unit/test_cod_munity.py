"""CODMunity's page and rankings, in small made-up rows: one test for each trap."""

from typing import Any

import pytest

from cod_sources.codmunity import CodMunity, read
from cod_sources.notes import Notes
from cod_sources.rankings import Ranking, popularity, read_ranking
from data_source_orchestrator.core.errors import FetchError

DAMAGE = {
    "dropoff": 0,
    "base_rpm": 900,
    "final_rpm": 900,
    "chest": 30,
    "head": 42,
    "time_between_shots": 80,
    "shots_to_kill": 10,
    "ttk": 720,
    "enemies_per_magazine": 3,
}


def weapon(name: str | None = "K-7", game: str = "bo7", **given: Any) -> dict[str, Any]:
    return {"WeaponName": name, "appGame": game, "Category": "SMG", "slug": "k-7", **given}


def stats(gun: str | None = "K-7", game: str = "bo7", **given: Any) -> dict[str, Any]:
    row = {"gun": gun, "slug": "k-7", "appGame": game, "Category": "SMG", "rpm": 750, "ads": 240, "bv": 800}
    return {**row, "mag_size": 30, "simple_damage": [DAMAGE], **given}


def card(name: str | None = "K-7", **given: Any) -> dict[str, Any]:
    row = {"WeaponName": name, "appGame": "warzone-2", "meta": "WZ Ranked", "collec": "wz-br", "weaponGame": "bo7"}
    dot = {"weapon": "K-7", "level": 5, "levelText": "Level 5", "label": "Dot", "game": "bo7", "slug": "k-7"}
    return {**row, "Game": "bo7", "Category": "SMG", "popularity": 12.5, "attachments": {"Optic": dot}, **given}


def sections(*cards: Any, **meta: Any) -> dict[str, Any]:
    about = {"name": "WZ Ranked", "game": "warzone-2", "collection": "wz-br", **meta}
    return {
        "metas": [about],
        "lastUpdated": 1788601014250,
        "sections": [{"name": "meta", "cards": list(cards)}, {"name": "viable", "cards": [], "title": "x"}],
        "global": {"topWeapons": [{"weapon": "K-7", "game": "bo2", "popularity": 99}]},
    }


def ranking(*cards: Any, path: str = "warzoneranked", **meta: Any) -> Ranking:
    return read_ranking(sections(*cards, **meta), path, Notes())


def told(weapons: list[Any], rows: list[Any], *rankings: Ranking) -> tuple[dict[str, dict[str, Any]], list[str]]:
    notes = Notes()
    payload = read({"weapons": weapons, "weaponStats": rows}, rankings, notes)
    assert isinstance(payload, CodMunity)
    return {record.entity: dict(record.fields) for record in payload.records}, notes.sentences()


def refused(document: object, path: str = "warzoneranked") -> str:
    with pytest.raises(FetchError) as caught:
        read_ranking(document, path, Notes())
    assert caught.value.kind == "content"
    return str(caught.value)


def test_a_weapon_says_what_catalogue_figures_and_ranking_say_of_it():
    said, warnings = told([weapon()], [stats()], ranking(card()))
    (row,) = said["k7-bo7"].pop("ballistics.damage_range")
    assert said == {
        "k7-bo7": {
            "name": "K-7",
            "game": "bo7",
            "category": "smg",
            "ballistics.rpm": 750,
            "ballistics.ads_ms": 240,
            "ballistics.bullet_velocity": 800,
            "ballistics.magazine": 30,
            "ballistics.ttk": 720,
            "popularity.warzoneranked": 12.5,
        }
    }
    assert row["chest"] == 30
    assert "neck" not in row
    assert warnings == []


def test_a_weapon_without_figures_is_normal():
    said, warnings = told([weapon(), weapon("Knife", Category="Melee")], [stats()])
    assert said["knife-bo7"] == {"name": "Knife", "game": "bo7", "category": "melee"}
    assert warnings == []


def test_figures_without_an_entry_in_the_catalogue_still_have_an_identity():
    said, _ = told([weapon()], [stats(), stats("K-8")])
    assert said["k8-bo7"]["name"] == "K-8"
    assert said["k8-bo7"]["ballistics.rpm"] == 750


def test_figures_join_the_catalogue_by_game_and_collapsed_name_and_leave_the_name_to_it():
    said, warnings = told([weapon("Vaznev-9K"), weapon("Vaznev-9K", "mw2")], [stats("vaznev 9k", Category="Special")])
    assert set(said) == {"vaznev9k-bo7", "vaznev9k-mw2"}
    assert said["vaznev9k-bo7"]["name"] == "Vaznev-9K"
    assert said["vaznev9k-bo7"]["category"] == "smg"
    assert "ballistics.rpm" not in said["vaznev9k-mw2"]
    assert warnings == []


def test_names_may_stand_under_another_key_and_end_in_a_space():
    said, _ = told([{"name": "Pickaxe ", "appGame": "bo6", "Category": "Melee"}], [stats("Pickaxe", "bo6")])
    assert said["pickaxe-bo6"]["name"] == "Pickaxe"


def test_a_key_that_happens_to_be_called_like_a_field_of_ours_is_not_read():
    said, warnings = told([weapon()], [stats(damage="high", magazine="drum", bullet_velocity="fast")])
    assert said["k7-bo7"]["ballistics.magazine"] == 30
    assert warnings == []


def test_the_origin_game_is_taken_where_a_row_of_figures_tells_the_mode_too():
    said, _ = told([weapon()], [stats(appGame="warzone-2", sourceGame="bo7")])
    assert list(said) == ["k7-bo7"]


@pytest.mark.parametrize("table", [None, [], ""])
def test_no_damage_table_means_no_time_to_kill(table: object):
    said, warnings = told([weapon()], [stats(simple_damage=table)])
    assert not {"ballistics.damage_range", "ballistics.ttk"} & set(said["k7-bo7"])
    assert ("damage table" in "".join(warnings)) == (table == "")


def test_a_row_of_nulls_says_nothing_and_zeroes_are_said():
    empty: dict[str, Any] = dict.fromkeys(("rpm", "ads", "bv", "mag_size", "simple_damage"))
    said, warnings = told([weapon(), weapon("K-8")], [stats(**empty), stats("K-8", bv=0, simple_damage=[])])
    assert not {name for name in said["k7-bo7"] if name.startswith("ballistics")}
    assert said["k8-bo7"]["ballistics.bullet_velocity"] == 0
    assert warnings == []


def test_a_damage_row_that_breaks_the_identities_is_reported_and_not_merged():
    far = {**DAMAGE, "dropoff": 60, "chest": 25, "shots_to_kill": 12, "ttk": 905, "enemies_per_magazine": 2}
    said, warnings = told([weapon()], [stats(simple_damage=[{**DAMAGE, "ttk": 650}, far])])
    assert [row["dropoff"] for row in said["k7-bo7"]["ballistics.damage_range"]] == [60]
    assert "ballistics.ttk" not in said["k7-bo7"]
    assert all(word in warnings[0] for word in ("k7-bo7", "from 0 m", "ttk", "650", "720"))


def test_a_row_without_chest_damage_is_merged_and_kills_nobody():
    harmless = {"dropoff": 22.9, "chest": 0, "time_between_shots": 80, "shots_to_kill": None, "ttk": None}
    said, warnings = told([weapon()], [stats(simple_damage=[DAMAGE, {**harmless, "enemies_per_magazine": None}])])
    assert said["k7-bo7"]["ballistics.damage_range"][1] == {"dropoff": 22.9, "chest": 0, "time_between_shots": 80}
    assert said["k7-bo7"]["ballistics.ttk"] == 720
    assert warnings == []


def test_two_rows_of_figures_that_disagree_lose_the_field_and_keep_the_others():
    said, warnings = told([weapon()], [stats(), stats(ads=300)])
    assert "ballistics.ads_ms" not in said["k7-bo7"]
    assert said["k7-bo7"]["ballistics.rpm"] == 750
    assert "weaponStats[0]" in warnings[0]
    assert "weaponStats[1]" in warnings[0]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        None,
        {"weapons": [weapon()]},
        {"weaponStats": [stats()]},
        {"weapons": [], "weaponStats": [stats()]},
        {"weapons": [weapon()], "weaponStats": []},
        {"weapons": [weapon(game="bf6")], "weaponStats": [stats()]},
        {"weapons": [weapon()], "weaponStats": [stats(game="bf6")]},
        {"weapons": [weapon(game="warzone-2")], "weaponStats": [stats()]},
        {"weapons": [weapon(None)], "weaponStats": [stats()]},
    ],
)
def test_an_answer_without_rows_or_of_a_wrong_game_is_a_failure_of_content(answer: object):
    with pytest.raises(FetchError) as caught:
        read(answer, [], Notes())
    assert caught.value.kind == "content"


def test_a_cards_app_game_is_its_mode_and_its_weapon_game_the_origin():
    (one,) = ranking(card()).cards
    assert (one.mode, one.entity, one.section, one.place) == ("warzone-2", "k7-bo7", "meta", 0)


@pytest.mark.parametrize("name", [None, "", 5, ["meta"]])
def test_a_section_without_a_name_costs_none_of_its_cards(name: object):
    document = sections(card(), card("K-9"))
    document["sections"][0]["name"] = name
    cards = read_ranking(document, "warzoneranked", Notes())
    said, warnings = told([weapon()], [stats()], cards)
    assert said["k7-bo7"]["popularity.warzoneranked"] == 12.5
    assert [card.section for card in cards.cards] == [None, None]
    assert "warzoneranked.cards[1] ranks k9-bo7" in warnings[0]


def test_a_card_whose_two_origins_differ_has_no_identity():
    assert "no identity" in refused(sections(card(Game="bo6")))


def test_levels_and_unlocking_weapons_are_numbers_or_texts():
    optic = {"weapon": 0, "levelText": "Season 3 Battle Pass", "level": "Season 3 Battle Pass", "label": "Dot"}
    (one,) = ranking(card(attachments={"Optic": optic})).cards
    assert one.attachments["Optic"].weapon == 0
    assert one.attachments["Optic"].level == "Season 3 Battle Pass"
    assert one.attachments["Optic"].game is None


def test_the_figures_of_a_card_are_those_with_attachments_and_are_never_merged():
    said, _ = told([weapon()], [stats(rpm=None, bv=None)], ranking(card(stats={"rpm": 1200.16, "bv": 1432.992})))
    assert not {"ballistics.rpm", "ballistics.bullet_velocity"} & set(said["k7-bo7"])


def test_the_top_weapons_of_all_games_are_not_believed():
    said, _ = told([weapon()], [stats()], ranking(card(popularity=None)))
    assert "popularity.warzoneranked" not in said["k7-bo7"]


def test_a_ranking_without_popularity_says_nothing_and_is_kept():
    about = {"name": "r", "game": "bo7", "collection": "c"}
    multiplayer = ranking(card(appGame="bo7", meta="r", collec="c", popularity=None), path="mpranked", **about)
    said, warnings = told([weapon()], [stats()], multiplayer)
    assert popularity(multiplayer) == []
    assert "popularity.mpranked" not in said["k7-bo7"]
    assert warnings == []


def test_two_cards_of_a_weapon_that_agree_are_one_and_two_that_differ_are_none():
    said, _ = told([weapon()], [stats()], ranking(card(), card(Playstyle="Sniper")))
    assert said["k7-bo7"]["popularity.warzoneranked"] == 12.5
    said, warnings = told([weapon()], [stats()], ranking(card(), card(popularity=3)))
    assert "popularity.warzoneranked" not in said["k7-bo7"]
    assert "warzoneranked.meta[0]" in warnings[0]
    assert "warzoneranked.meta[1]" in warnings[0]


def test_a_popularity_of_zero_is_a_value():
    said, _ = told([weapon()], [stats()], ranking(card(popularity=0)))
    assert said["k7-bo7"]["popularity.warzoneranked"] == 0


@pytest.mark.parametrize("share", [140, -1, "12", True])
def test_an_odd_popularity_is_not_believed_and_costs_no_card(share: object):
    notes = Notes()
    (one,) = read_ranking(sections(card(popularity=share)), "warzoneranked", notes).cards
    assert one == ranking(card(popularity=None)).cards[0]
    assert "a number from 0 to 100 was expected" in notes.sentences()[0]


@pytest.mark.parametrize("odd", [{"weaponGame": 5}, {"Game": 5}, {"appGame": 5}, {"meta": 5}, {"collec": 5}])
def test_a_card_of_which_game_or_mode_cannot_be_read_is_set_aside_and_the_others_stay(odd: dict[str, Any]):
    notes = Notes()
    read = read_ranking(sections(*(card(f"K-{n}") for n in range(9)), card("K-9", **odd)), "warzoneranked", notes)
    assert [one.name for one in read.cards] == [f"K-{n}" for n in range(9)]
    assert "warzoneranked.cards[9] ('K-9') is set aside" in notes.sentences()[0]


@pytest.mark.parametrize(
    ("key", "odd", "lost"),
    [
        ("ads", -5, {"ballistics.ads_ms"}),
        ("Category", 5, set()),
        ("rpm", "fast", {"ballistics.rpm", "ballistics.damage_range", "ballistics.ttk"}),
        ("mag_size", 30.5, {"ballistics.magazine", "ballistics.damage_range", "ballistics.ttk"}),
    ],
)
def test_an_odd_figure_costs_itself_and_what_cannot_be_verified_without_it(key: str, odd: Any, lost: set[str]):
    whole, _ = told([weapon()], [stats()])
    said, warnings = told([weapon()], [stats(**{key: odd})])
    assert said["k7-bo7"] == {name: value for name, value in whole["k7-bo7"].items() if name not in lost}
    assert f"{key} could not be read in 1 of 1 rows of weaponStats" in " ".join(warnings)


def test_a_damage_row_with_an_odd_part_is_not_merged_half():
    said, warnings = told([weapon()], [stats(simple_damage=[{**DAMAGE, "head": "x"}])])
    assert not {"ballistics.damage_range", "ballistics.ttk"} & set(said["k7-bo7"])
    assert warnings == ["K-7: damage row 0 is set aside: head is 'x', and a number from 0 to 1,000,000 was expected"]


def test_a_ranked_weapon_that_the_page_does_not_list_makes_no_row_and_is_told():
    said, warnings = told([weapon()], [stats()], ranking(card(), card("K-9")))
    assert list(said) == ["k7-bo7"]
    assert "k9-bo7" in warnings[0]


@pytest.mark.parametrize(
    "document",
    [
        sections(card(appGame="bo7")),
        sections(card(appGame=None)),
        sections(card(meta="Other")),
        sections(card(collec="bo6-rankedplay")),
        sections(card(), card(collec=None)),
        sections(card(appGame="bo7"), game="bo7"),
        sections(card(weaponGame="bf6", Game="bf6")),
        sections(card(weaponGame=5)),
        sections(card(Game=["bo7"])),
        sections(card(weaponGame=None, Game="")),
        sections(card(None)),
        sections(),
        {**sections(card()), "metas": []},
        {**sections(card()), "metas": None},
        {**sections(card()), "sections": {}},
        {**sections(card()), "sections": ["meta"]},
        {**sections(card()), "sections": [{"name": "meta", "cards": 3}]},
        [],
        None,
    ],
)
def test_a_ranking_of_another_mode_game_or_shape_is_refused(document: object):
    assert refused(document)


@pytest.mark.parametrize("mode", ["warzone-2", "wz2", "bf6"])
def test_the_multiplayer_ranking_is_of_one_of_our_games_and_not_of_warzone(mode: str):
    assert mode in refused(sections(card(appGame=mode), game=mode), "mpranked")
