"""WZStats, made up: weapons and tier lists, with conversion kits that share their base weapon's name.

Knows the shape of that one answer and its two query switches, and nothing of how it is served.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cod_sources.sandbox.rows import Row, Thrown, cut, made_up_id, of_another_game, renamed
from cod_sources.sandbox.weapons import Weapon, all_weapons

PATHS = ("/wz2/weapons/meta/weapons-and-tier-lists/", "/wz2/weapons/meta")
"""Both answer alike; a slash at the end makes no difference."""

_TYPES = {
    "assault": "ASSAULT_RIFLE",
    "battle": "BATTLE_RIFLE",
    "smg": "SMG",
    "lmg": "LMG",
    "marksman": "MARKSMAN_RIFLE",
    "sniper": "SNIPER_RIFLE",
    "pistol": "PISTOL",
    "shotgun": "SHOTGUN",
    "melee": "MELEE",
}

_OWN_TYPES = {
    "Dor88x": "SNIPER_RIFLE",
    "RGX-80": "MARKSMAN_RIFLE",
    "Torsel 35": "MARKSMAN_RIFLE",
    "Stormlamp": "SHOTGUN",
    "SIGIL 2B": "SHOTGUN",
    "HX-1": "SHOTGUN",
    "Sirocco-9mm": "PISTOL",
}
"""Where this upstream's word for a weapon is not the others'."""

_DISPLAY = {"Dor88x": "MARKSMAN_RIFLE"}

_NAMES = {
    ("mw2", ".40 NS"): ".40ns",
    ("mw2", "Varnok 74u"): "Varnok-74U",
    ("mw2", "Mirrow-9K"): "Mirrow-9k",
    ("mw3", "Rivet-9"): "RIVET-9",
    ("bo6", "Ladle"): "LADLE",
}

_IDS = {
    ("mw2", ".40 NS"): "40ns",
    ("mw2", "Lathe 90"): "lath-90",
    ("mw3", "DK-56"): "dk-58",
    ("mw3", "FQ 5.56"): "fq-5.56",
    ("bo7", "Köhler 45"): "k%C3%B6hler-45",
    ("bo7", "Falconer's Pair"): "falconer's-pair",
    ("bo7", "Ladle"): "ladle-bo7",
}
"""Ids that cannot be derived from the name."""

_WITHOUT_MELEE = ("mw2", "mw3")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kit:
    """A conversion kit; `makes` is the type that it turns its base weapon into, `base_id` how that is misspelt."""

    game: str
    base: str
    id: str
    makes: str | None = None
    base_id: str | None = None


_KITS = (
    _Kit(game="mw2", base="Varnok 762", id="requite"),
    _Kit(game="mw2", base="N23B", id="hayloft", base_id="N23B"),
    _Kit(game="mw3", base="NCW", id="osprel-marlin-kit", makes="SMG"),
    _Kit(game="mw3", base="Sorva 545", id="outpost-kit", makes="BATTLE_RIFLE"),
    _Kit(game="mw3", base="DK-56", id="umbral-rifle-kit", makes="LMG"),
    _Kit(game="mw3", base="Rivet-9", id="headland-kit"),
    _Kit(game="mw3", base="WSQ Hive", id="gadfly-kit"),
)

_ALL = ("mw2", "mw3", "bo6", "bo7")
_MODES: Mapping[str, tuple[str, ...]] = {
    "ashikaIsland": _ALL,
    "alMazrah": _ALL,
    "rankedResurgence": _ALL,
    "wz2Ranked": _ALL,
    "mw2Ranked": ("mw2",),
    "mw3": ("mw2", "mw3"),
    "mw3Ranked": ("mw2", "mw3"),
    "mwz": ("mw2", "mw3"),
    "bo6": ("bo6",),
    "bo6Zombies": ("bo6",),
    "bo6Ranked": ("bo6",),
    "bo7": ("bo7",),
    "bo7Ranked": ("bo7",),
}
"""Each mode's key, which is not what people call it, and the games whose weapons it ranks."""

_SHARES = {"META": 0.07, "A": 0.35, "B": 0.35, "C": 0.12, "D": 1.0}
"""How much of a mode's weapons each tier takes; the last takes what is left."""

_ALWAYS = ("id", "conversionKitId", "baseWeaponId")
"""What no projection takes away."""


def document(path: str, query: Mapping[str, Sequence[str]], thrown: Thrown) -> Row | None:
    """Return the answer at this path, projected and filtered as asked and as the switches leave it."""
    if path.rstrip("/") not in {known.rstrip("/") for known in PATHS}:
        return None
    rows = of_another_game(cut(_asked_for(weapons(), query), thrown), thrown, "game")
    answer = {"weapons": rows, "wzStatsTierList": tier_list(thrown)}
    return renamed(answer, thrown, {"weapons": "arms", "wzStatsTierList": "standings"})


def weapons() -> list[Row]:
    """Return all weapon rows, the conversion kits after the weapons."""
    listed = {weapon.key: weapon for weapon in all_weapons() if _type(weapon)}
    return [_weapon(weapon) for weapon in listed.values()] + [_kit(kit, listed[kit.game, kit.base]) for kit in _KITS]


def tier_list(thrown: Thrown) -> Row:
    """Return the tiers of every mode among the members that are no mode."""
    ids: dict[str, list[str]] = {game: [] for game in _ALL}
    for row in [] if "empty" in thrown else weapons():
        ids[row["game"]].append(row["id"])
    modes = {mode: _tiers(mode, [id_ for game in games for id_ in ids[game]]) for mode, games in _MODES.items()}
    _trip(modes)
    return {
        "streamerProfileId": "wzstats",
        "createdAt": "2026-01-05T09:00:00.000Z",
        "updatedAt": "2026-03-02T15:30:00.000Z",
        **modes,
    }


def _asked_for(rows: list[Row], query: Mapping[str, Sequence[str]]) -> list[Row]:
    games, attributes = query.get("weaponGames[]"), query.get("weaponAttributes[]")
    if games:
        rows = [row for row in rows if row["game"] in games]
    if attributes:
        rows = [{name: row[name] for name in row if name in attributes or name in _ALWAYS} for row in rows]
    return rows


def _type(weapon: Weapon) -> str | None:
    if weapon.kind == "melee" and weapon.game in _WITHOUT_MELEE:
        return None
    return _OWN_TYPES.get(weapon.name) or _TYPES.get(weapon.kind)


def _weapon(weapon: Weapon) -> Row:
    # No kit is told in two ways: null in the oldest game, "" in the newest, and either in between.
    none = "" if weapon.game in ("bo6", "bo7") or (weapon.game, weapon.number % 4) == ("mw3", 0) else None
    row: Row = {
        "id": _IDS.get(weapon.key, weapon.slug),
        "name": _NAMES.get(weapon.key, weapon.name),
        "type": _type(weapon),
        "isNew": weapon.game == "bo7" and weapon.number % 9 == 0,
        "updateMW2": "",
        "updateWZ2": "",
        "updateBO6": "",
        "updateBO7": "",
        "displayType": _DISPLAY.get(weapon.name, _type(weapon)),
        "game": weapon.game,
        "conversionKitId": none,
        "baseWeaponId": none,
    }
    if weapon.kind == "smg" and weapon.number % 4 == 0:
        rank = 1 + weapon.number % 6
        row["sniperSupportRank"] = {"alMazrah": rank, "ashikaIsland": rank, "rankedResurgence": rank}
    return row


def _kit(kit: _Kit, base: Weapon) -> Row:
    row = _weapon(base)
    return row | {
        "id": f"{row['id']}-conversion-kit-{kit.id}",
        "type": kit.makes or row["type"],
        "conversionKitId": kit.id,
        "baseWeaponId": kit.base_id or row["id"],
    }


def _tiers(mode: str, ids: Sequence[str]) -> dict[str, list[str]]:
    ranked = sorted(ids, key=lambda weapon: made_up_id("tier", mode, weapon, length=16))
    tiers: dict[str, list[str]] = {}
    for tier, share in _SHARES.items():
        size = round(len(ids) * share)
        tiers[tier], ranked = ranked[:size], ranked[size:]
    return tiers


def _trip(modes: dict[str, dict[str, list[str]]]) -> None:
    """Put in what the real lists hold: empty tiers, an id twice in one tier, an id in two tiers, a short mode."""
    modes["mw3Ranked"] |= {"B": [], "C": []}
    modes["mw3"]["A"] += modes["mw3"]["A"][:1]
    modes["wz2Ranked"]["C"] += modes["wz2Ranked"]["A"][:1]
    modes["bo7Ranked"] = {tier: ids[:3] if tier in ("META", "A") else [] for tier, ids in modes["bo7Ranked"].items()}
