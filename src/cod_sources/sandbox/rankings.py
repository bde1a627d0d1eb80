"""CODMunity's rankings of loadouts, made up: one weapon on several cards, and every oddity of a card.

A card's `appGame` is the mode, its `weaponGame` the origin; its stats are those with attachments.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cod_sources.sandbox.ballistics import HITSCAN, Figures, average_times, damage_graph, figures
from cod_sources.sandbox.comparator import category_of, listed, name_of, slug_of
from cod_sources.sandbox.rows import Row, Thrown, cut, made_up_id, of_another_game
from cod_sources.sandbox.weapons import Weapon

FOLDER = "/website/pages/meta-loadouts-ranking/"

UPDATED = 1_772_400_000_000
"""When every ranking was last touched: milliseconds, as the upstream gives it."""

_BANDS = ((0, 15), (15, 40), (40, 80), (80, 100))
_NULLS = ("flinch_resistance", "hipfire_min", "swap_speed", "tac_spread", "tac_sprint", "target_flinch")
_SECTIONS = ("absolute-meta", "meta", "contender", "very-good", "viable", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loadout:
    section: str
    game: str
    weapon: str
    playstyle: str
    rating: float
    popularity: float | None = None
    favourite: bool = False
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ranking:
    meta: str
    collection: str
    app_game: str
    with_stats: bool
    loadouts: tuple[_Loadout, ...]


def _long(section: str, game: str, weapon: str, rating: float, popularity: float | None = None) -> _Loadout:
    return _Loadout(
        section=section, game=game, weapon=weapon, playstyle="Long Range", rating=rating, popularity=popularity
    )


def _close(section: str, game: str, weapon: str, rating: float, popularity: float | None = None) -> _Loadout:
    return _Loadout(
        section=section, game=game, weapon=weapon, playstyle="Close Range", rating=rating, popularity=popularity
    )


_RANKINGS: Mapping[str, _Ranking] = {
    "warzoneranked": _Ranking(
        meta="Warzone Ranked",
        collection="wz-br-ranked",
        app_game="warzone-2",
        with_stats=True,
        loadouts=(
            replace(_long("absolute-meta", "bo7", "AP-92", 6.1, 21.25), favourite=True),
            replace(_close("absolute-meta", "bo7", "REQ-46", 5.4, 17.125), comment="Fold the </stock> first."),
            _close("meta", "bo7", "AP-92", 4.8, 21.25),
            _close("meta", "bo7", "Petrel VQ", 4.6, 8.5),
            _long("meta", "bo7", "Petrel VQ", 4.2, 8.5),
            _long("very-good", "bo6", "XV4", 3.9, 2.75),
            _long("very-good", "mw3", "NCW", 3.5, 0.0),
            _close("very-good", "mw2", "Mirrow-9K", 3.1),
        ),
    ),
    "mpranked": _Ranking(
        meta="bo6-ranked",
        collection="bo6-rankedplay",
        app_game="bo7",
        with_stats=False,
        loadouts=(
            replace(_long("absolute-meta", "bo7", "Tallow Mod 0", 5.0), favourite=True),
            _close("absolute-meta", "bo7", "REQ-46", 4.9),
            _long("meta", "bo7", "Tallow Mod 0", 4.4),
            _long("meta", "bo7", "Dune 40", 4.1),
        ),
    ),
}

PATHS = tuple(FOLDER + name for name in _RANKINGS)
"""Where each ranking is, below the API's base URL."""


def document(path: str, thrown: Thrown) -> Row | None:
    """Return the ranking at this path as the switches leave it, or None where there is none."""
    ranking = _RANKINGS.get(path.removeprefix(FOLDER)) if path in PATHS else None
    if ranking is None:
        return None
    weapons = {weapon.key: weapon for weapon in listed()}
    used = {loadout.weapon: (loadout, weapons[loadout.game, loadout.weapon]) for loadout in ranking.loadouts}
    return {
        "global": {"topWeapons": _top(used, disagreeing=True), "popularityByGame": {}},
        "metas": [{"name": ranking.meta, "game": ranking.app_game, "collection": ranking.collection}],
        "nerfs": [],
        "buffs": [],
        "news": [],
        "lastUpdated": UPDATED,
        "sections": [_section(name, ranking, weapons, thrown) for name in _SECTIONS],
        "topWeapons": _top(used, disagreeing=False),
    }


def _top(used: Mapping[str, tuple[_Loadout, Weapon]], *, disagreeing: bool) -> list[Row]:
    return [
        {
            "weapon": name_of(weapon),
            "category": category_of(weapon),
            "slug": slug_of(weapon),
            # One and the same answer names two origins for its first weapon.
            "game": "bo2" if disagreeing and weapon.name == "AP-92" else weapon.game,
            "popularity": loadout.popularity,
        }
        for loadout, weapon in used.values()
        if loadout.popularity is not None
    ]


def _section(name: str, ranking: _Ranking, weapons: Mapping[tuple[str, str], Weapon], thrown: Thrown) -> Row:
    here = [(place, one) for place, one in enumerate(ranking.loadouts) if one.section == name]
    cards = [_card(place, loadout, weapons[loadout.game, loadout.weapon], ranking) for place, loadout in here]
    cards = of_another_game(cut(cards, thrown), thrown, "appGame", "Game", "weaponGame", "meta", "collec")
    return {"name": name, "title": name.replace("-", " ").title(), "description": "Made up.", "cards": cards}


def _card(place: int, loadout: _Loadout, weapon: Weapon, ranking: _Ranking) -> Row:
    parts = _attachments(place, weapon)
    card: Row = {
        "_id": made_up_id("card", ranking.meta, place, length=24),
        "active": True,
        "WeaponName": name_of(weapon),
        "Playstyle": loadout.playstyle,
        "Playstyle2": loadout.playstyle,
        "Rating": loadout.rating,
        "LoadoutCode": f"S{place:02}-MADE-UP000",
        **{slot: part["label"] for slot, part in parts.items()},
        "Meta": 1,
        "Game": weapon.game,
        "Category": category_of(weapon),
        "collec": ranking.collection,
        "appGame": ranking.app_game,
        "meta": ranking.meta,
        "image": f"https://assets.example/{'undefined' if place == 1 else slug_of(weapon)}-{place}.webp",
        "updated": UPDATED - place,
        "top": place + 1,
        "weaponSlug": slug_of(weapon),
        "weaponGame": weapon.game,
        "countAttachments": len(parts),
        "attachments": parts,
    }
    return card | _sometimes(loadout, weapon, ranking)


def _sometimes(loadout: _Loadout, weapon: Weapon, ranking: _Ranking) -> Row:
    """Return the members that are absent from a card rather than null."""
    held: Row = {}
    if loadout.popularity is not None:
        held["popularity"] = loadout.popularity
    if loadout.favourite:
        held["proFavorite"] = True
    if loadout.comment:
        held["Description"] = loadout.comment
    of = figures(weapon)
    if ranking.with_stats and of:
        held["stats"] = _stats(weapon, replace(of, rpm=of.rpm * 1.04, bv=of.bv * 1.2), of.rpm)
    return held


def _stats(weapon: Weapon, of: Figures, row_rpm: float) -> Row:
    return {
        "game": "warzone-2",
        "gun": name_of(weapon),
        "weapon_type": category_of(weapon),
        "sourceGame": weapon.game,
        "multiplier": 0.75 if weapon.kind == "smg" else 1,
        "bv": of.bv,
        "rpm": of.rpm,
        "ads": of.ads * 1.05,
        "mag_size": of.mag_size,
        "simple_damage_graph": damage_graph(of, row_rpm=row_rpm),
        "hitscan_range": HITSCAN * of.bv,
        **{f"avgTtk{n}": mean for n, mean in enumerate(average_times(of, _BANDS), 1)},
        "easeScore": 5 + weapon.number % 5,
        "oneShot": False,
        "oneShotRange": 0,
        **dict.fromkeys(_NULLS),
    }


def _attachments(place: int, weapon: Weapon) -> Row:
    own = {"game": weapon.game, "slug": slug_of(weapon)}
    return {
        "Optic": _optic(place, weapon),
        "Barrel": {"weapon": name_of(weapon), "levelText": "Level 11", "level": 11, "label": "Long Pipe", **own},
        "Rear Grip": {
            "weapon": name_of(weapon),
            "levelText": "Lantern Season Pass",
            "level": "Lantern Season Pass" if place % 2 else 7,
            "label": "Cork Wrap",
            **own,
        },
        "Fire Mods": {"weapon": name_of(weapon), "levelText": "Level 30", "level": 30, "label": "Soft Spring", **own},
    }


def _optic(place: int, weapon: Weapon) -> Row:
    if place % 3 == 1:  # earned by no weapon: the number 0 stands where a name would, and two members are gone
        return {"weapon": 0, "levelText": "Weekly Reward", "level": "Weekly Reward", "label": "Ring Sight"}
    return {
        "weapon": name_of(weapon),
        "levelText": "Level 5",
        "level": 5,
        "label": "Ring Sight",
        "game": weapon.game,
        "slug": slug_of(weapon),
    }
