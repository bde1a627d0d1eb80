"""More than there can be of anything is another answer, refused before time is spent on it."""

from collections.abc import Callable
from typing import Any

import pytest

from cod_sources import bounds, codarmory, codmunity, wzstats
from cod_sources.notes import Notes
from cod_sources.rankings import read_ranking
from data_source_orchestrator.core.errors import FetchError

Read = Callable[[int], object]

DAMAGE = {
    "dropoff": 0,
    "chest": 30,
    "time_between_shots": 80,
    "shots_to_kill": 10,
    "ttk": 720,
    "enemies_per_magazine": 3,
}


def armory(weapons: int = 1, attachments: int = 1) -> object:
    names = [f"a{n}" for n in range(attachments)]
    about = {"game_id": "mw2", "category_id": "smgs"}
    files = {
        "weapons": [{"id": f"k{n}", "name": f"K-{n}", **about, "attachments": names} for n in range(weapons)],
        "attachments": [{"id": name, "name": name, **about} for name in names],
        **{
            name: [{"id": "smgs", "name": "SMGs"}] for name in codarmory.FILES if name not in ("weapons", "attachments")
        },
    }
    return codarmory.read(files, Notes())


def tiers(modes: int = 1, ids: int = 1) -> object:
    weapons = [{"id": "k", "name": "K", "game": "mw3"}]
    return wzstats.read(
        {"weapons": weapons, "wzStatsTierList": {f"m{n}": {"A": ["k"] * ids} for n in range(modes)}}, Notes()
    )


def damage(rows: int) -> object:
    stats = [{"gun": "K", "appGame": "bo7", "simple_damage": [DAMAGE] * rows}]
    return codmunity.read({"weapons": [{"name": "K", "appGame": "bo7"}], "weaponStats": stats}, [], Notes())


def ranking(topics: int = 1, sections: int = 1, cards: int = 1) -> object:
    card = {"name": "K", "appGame": "wz", "meta": "r", "collec": "c", "weaponGame": "bo7"}
    document = {
        "metas": [{"name": "r", "game": "wz", "collection": "c"}] * topics,
        "sections": [{"name": "meta", "cards": [card] * cards}] + [{"name": "x", "cards": []}] * (sections - 1),
    }
    return read_ranking(document, "warzoneranked", Notes())


@pytest.mark.parametrize(
    ("most", "read", "what"),
    [
        (bounds.MOST_ROWS, lambda many: armory(weapons=many), "weapons.json"),
        (bounds.MOST_IN_A_ROW, lambda many: armory(attachments=many), "attachments"),
        (bounds.MOST_MODES, lambda many: tiers(modes=many), "wzStatsTierList"),
        (bounds.MOST_IDS, lambda many: tiers(ids=many), "wzStatsTierList.m0.A"),
        (bounds.MOST_DAMAGE_ROWS, damage, "the damage table of K"),
        (bounds.MOST_TOPICS, lambda many: ranking(topics=many), "warzoneranked.metas"),
        (bounds.MOST_SECTIONS, lambda many: ranking(sections=many), "warzoneranked.sections"),
        (bounds.MOST_CARDS, lambda many: ranking(cards=many), "warzoneranked.cards"),
    ],
)
def test_as_many_as_there_can_be_are_read_and_one_more_refuses_the_answer(most: int, read: Read, what: str):
    assert read(most)
    with pytest.raises(FetchError, match=rf"{what} .*{most + 1:,} elements.* more than {most:,}") as caught:
        read(most + 1)
    assert caught.value.kind == "content"


def test_the_attachments_of_all_weapons_count_together_because_each_is_told_again_with_every_weapon():
    weapons = bounds.MOST_NAMED // bounds.MOST_IN_A_ROW
    assert armory(weapons, bounds.MOST_IN_A_ROW)
    with pytest.raises(FetchError, match="the attachments of all weapons has 30,300 elements"):
        armory(weapons + 1, bounds.MOST_IN_A_ROW)


def test_the_cards_of_all_sections_count_together():
    card = {"name": "K"}
    document: dict[str, Any] = {
        "metas": [{"name": "r", "game": "wz", "collection": "c"}],
        "sections": [{"name": "meta", "cards": [card] * 600}] * 2,
    }
    with pytest.raises(FetchError, match=r"warzoneranked\.cards has"):
        read_ranking(document, "warzoneranked", Notes())
