"""The made-up rows have the members and the types of the captured ones."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from cod_sources.sandbox import codarmory, codmunity, comparator, rankings, wzstats

NEWER = {"updateBO6", "updateBO7"}
"""What WZStats has added since the capture, by its clients."""


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text())


def types(rows: Iterable[dict[str, Any]]) -> dict[str, set[str]]:
    held: dict[str, set[str]] = {}
    for row in rows:
        for name, value in row.items():
            held.setdefault(name, set()).add(type(value).__name__)
    return held


def all_cards(document: Any) -> list[dict[str, Any]]:
    return [card for section in document["sections"] for card in section["cards"]]


@pytest.mark.parametrize("path", codarmory.PATHS)
def test_codarmorys_files_have_the_members_and_types_of_the_real_ones(upstream: Path, path: str):
    real = read(upstream, f"codarmory/{path.rsplit('/', 1)[1]}")
    assert types(codarmory.document(path, {}) or []) == types(real)


def test_codarmorys_words_are_the_real_ones(upstream: Path):
    real = read(upstream, "codarmory/weapons.json")
    for member in ("category_id", "unlock_type"):
        assert {row[member] for row in codarmory.weapons()} <= {row[member] for row in real}


def test_wzstats_rows_have_the_members_and_types_of_the_real_ones(upstream: Path):
    real = read(upstream, "wzstats/weapons-and-tier-lists.json")
    made_up = types(wzstats.weapons())
    assert {name: made_up[name] for name in made_up if name not in NEWER} == types(real["weapons"])
    assert {row["type"] for row in wzstats.weapons()} == {row["type"] for row in real["weapons"]}


def test_wzstats_tiers_are_those_of_the_real_modes(upstream: Path):
    real = read(upstream, "wzstats/weapons-and-tier-lists.json")["wzStatsTierList"]
    made_up = wzstats.tier_list({})
    assert {name for name in made_up if not name.startswith("bo7")} <= real.keys()
    assert all(made_up[name].keys() == real[name].keys() for name in ("alMazrah", "bo6"))


def test_stats_rows_hold_what_the_captured_ones_hold(upstream: Path):
    real = read(upstream, "codmunity/weapon-stats.sample.json")
    made_up = comparator.weapon_stats()
    assert types(real).keys() <= types(made_up).keys()
    assert types(r for w in made_up for r in w["simple_damage"] or ()) == types(
        r for w in real for r in w["simple_damage"] or ()
    )
    assert {row["Category"] for row in real} <= {row["Category"] for row in made_up} | {"Sniper"}


def test_the_state_has_the_envelope_of_the_captured_one(upstream: Path):
    real = read(upstream, "codmunity/weapon-stats.ssr-transfer-state.json")
    (entry,) = real.values()
    made_up = [held for held in codmunity.transfer_state({}).values() if isinstance(held, dict)]
    assert all(held.keys() == entry.keys() for held in made_up)
    assert entry["u"] in {held["u"] for held in made_up}


@pytest.mark.parametrize(
    ("path", "file"),
    [
        (rankings.PATHS[0], "meta-loadouts-ranking.warzoneranked.trimmed.json"),
        (rankings.PATHS[1], "meta-loadouts-ranking.mpranked.json"),
    ],
)
def test_cards_hold_the_members_that_matter_of_the_captured_ones(upstream: Path, path: str, file: str):
    real, made_up = read(upstream, f"codmunity/{file}"), rankings.document(path, {})
    assert made_up is not None
    wanted = {"WeaponName", "weaponSlug", "weaponGame", "appGame", "Game", "Category", "meta", "collec", "attachments"}
    assert wanted <= types(all_cards(real)).keys()
    assert wanted <= types(all_cards(made_up)).keys()
    for member in ("appGame", "meta", "collec"):
        assert {card[member] for card in all_cards(made_up)} == {card[member] for card in all_cards(real)}
    assert types(all_cards(made_up)).get("popularity") == types(all_cards(real)).get("popularity")
