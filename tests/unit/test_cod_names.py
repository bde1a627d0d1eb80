"""Identity: origin game, collapsed name, kit; categories by exact map."""

import pytest

from cod_sources.categories import category_of, category_or_note
from cod_sources.games import is_warzone, origin_game
from cod_sources.names import collapse, collapse_slug, entity_id
from cod_sources.notes import Notes
from data_source_orchestrator.core.errors import FetchError


@pytest.mark.parametrize(
    ("label", "game"),
    [
        ("mw2", "mw2"),
        ("MW2", "mw2"),
        ("MWII", "mw2"),
        ("Modern Warfare II", "mw2"),
        ("Modern Warfare 2", "mw2"),
        ("mw3", "mw3"),
        ("MWIII", "mw3"),
        ("Modern Warfare III", "mw3"),
        ("Call of Duty: Modern Warfare III", "mw3"),
        ("bo6", "bo6"),
        ("Black Ops 6", "bo6"),
        ("BO7", "bo7"),
        ("black-ops-7", "bo7"),
    ],
)
def test_every_spelling_of_a_game_is_one_game(label: str, game: str):
    assert origin_game(label) == game


@pytest.mark.parametrize(("label", "game"), [("mw4", "mw4"), ("MWIV", "mw4"), ("bo8", "bo8"), ("Black Ops 10", "bo10")])
def test_a_game_to_come_is_known_by_its_shape(label: str, game: str):
    assert origin_game(label) == game


@pytest.mark.parametrize(
    "label",
    [
        "bf6",
        "warzone-2",
        "wz2",
        "warzone",
        "",
        "mw",
        "bo",
        "bo0",
        "mw2mw3",
        "xmw2",
        "mw2 remastered",
        "delta force",
        "mw²",
    ],
)
def test_whatever_has_another_shape_is_a_wrong_game_and_the_answer_is_refused(label: str):
    with pytest.raises(FetchError, match="not a game of these sources") as caught:
        origin_game(label)
    assert caught.value.kind == "content"


@pytest.mark.parametrize("mode", ["warzone-2", "warzone", "Warzone", "wz2", "wz", "warzone_ranked"])
def test_the_modes_of_warzone_are_known(mode: str):
    assert is_warzone(mode)


@pytest.mark.parametrize("mode", ["bo7", "mw3", "", "wzx", "notwarzone"])
def test_other_modes_are_not_warzone(mode: str):
    assert not is_warzone(mode)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Kastov 74u", "Kastov-74U"),
        ("STB-556", "STB 556"),
        (".50 GS", ".50gs"),
        ("RAAL MG", "Raal MG"),
        ("BAS-P", "Bas-P"),
        ("Jäger 45", "jager-45"),
        ("Pickaxe ", "Pickaxe"),
        ("FR 5.56", "fr-556"),
        ("Executioner's Duet", "executioners-duet"),
    ],
)
def test_names_that_differ_in_case_marks_and_punctuation_are_one_name(one: str, other: str):
    assert collapse(one) == collapse(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("M4", "XM4"),
        ("MCW", "MCW 6.8"),
        ("Striker", "Striker 9"),
        ("Katana", "Katanas"),
        ("Knife", "Combat Knife"),
        ("Kastov 74u", "Kastov 762"),
        ("AK-74", "AK-27"),
        ("Holger 26", "Holger 556"),
        ("M13B", "M13C"),
    ],
)
def test_a_name_inside_another_or_near_it_is_another_name(one: str, other: str):
    assert collapse(one) != collapse(other)


def test_a_slug_is_percent_decoded_before_it_is_collapsed():
    assert collapse_slug("j%C3%A4ger-45") == collapse("Jäger 45") == "jager45"
    assert collapse_slug("executioner%27s-duet") == "executionersduet"


def test_an_entity_is_named_by_name_game_and_kit():
    assert entity_id("M4", "MWII") == "m4-mw2"
    assert entity_id("FR 5.56", "mw2") == "fr556-mw2"
    assert entity_id("MCW", "mw3", "jak-raven-kit") == "mcw-mw3+jakravenkit"


def test_a_name_of_two_games_makes_two_entities():
    assert len({entity_id("Knife", "bo6"), entity_id("Knife", "bo7"), entity_id("Pickaxe ", "bo6")}) == 3


@pytest.mark.parametrize(("name", "kit"), [("---", None), ("нож", None), ("M4", "--"), ("x" * 10_000, None)])
def test_a_name_without_letter_or_digit_or_without_end_is_no_identity(name: str, kit: str | None):
    with pytest.raises(ValueError, match="no identity"):
        entity_id(name, "mw2", kit)


@pytest.mark.parametrize("name", ["\ufdfa" * 1_000_000, "x" * 201])
def test_a_name_that_is_too_long_to_be_one_is_never_normalised_nor_told_whole(name: str):
    assert collapse(name) == collapse_slug(name) == ""
    for given in ((name, "mw2"), ("M4", "mw2", name)):
        with pytest.raises(ValueError, match=f"goes on for {len(name)} characters") as caught:
            entity_id(*given)
        assert len(str(caught.value)) < 200


def test_a_label_that_is_too_long_to_be_one_is_no_game_and_no_mode():
    assert not is_warzone("warzone" + " " * 200)
    with pytest.raises(FetchError, match="not a game"):
        origin_game("mw2" + " " * 200)


@pytest.mark.parametrize(
    ("labels", "category"),
    [
        (("assault-rifles", "ASSAULT_RIFLE", "Assault Rifle"), "assault_rifle"),
        (("battle-rifles", "BATTLE_RIFLE", "Battle Rifle"), "battle_rifle"),
        (("smgs", "SMG"), "smg"),
        (("lmgs", "LMG"), "lmg"),
        (("marksman-rifles", "MARKSMAN_RIFLE", "Marksman Rifle"), "marksman_rifle"),
        (("sniper-rifles", "SNIPER_RIFLE", "Sniper", "Sniper Rifle"), "sniper_rifle"),
        (("handguns", "PISTOL", "Pistol"), "pistol"),
        (("shotguns", "SHOTGUN", "Shotgun"), "shotgun"),
        (("launchers", "Launcher"), "launcher"),
        (("melee", "MELEE", "Melee"), "melee"),
        (("Special",), "special"),
    ],
)
def test_all_three_spellings_of_a_category_are_one_category(labels: tuple[str, ...], category: str):
    assert {category_of(label) for label in labels} == {category}


def test_an_unknown_category_is_left_out_with_a_warning_and_an_absent_one_without():
    notes = Notes()
    assert category_or_note("Railguns", "weapons[3]", notes) is None
    assert category_or_note(None, "weapons[4]", notes) is None
    assert notes.sentences() == ["weapons[3] has the unknown category 'Railguns'; it is left out"]


@pytest.mark.parametrize("label", ["ar", "rifle", "assault", "Marksman", "smg x", "not a pistol"])
def test_a_category_is_never_found_inside_another_word(label: str):
    assert category_of(label) is None
