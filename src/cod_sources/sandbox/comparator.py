"""CODMunity's stats comparator, made up: the catalogue of weapons and their stats, holes and all.

Every table keeps the TTK identities but the one row that breaks them on purpose.
"""

from dataclasses import replace

from cod_sources.sandbox.ballistics import HITSCAN, Figures, damage_row, damage_table, figures
from cod_sources.sandbox.rows import Row, Thrown, cut, of_another_game, renamed
from cod_sources.sandbox.weapons import Weapon, all_weapons

_CATEGORIES = {
    "assault": "Assault Rifle",
    "battle": "Battle Rifle",
    "smg": "SMG",
    "lmg": "LMG",
    "marksman": "Marksman Rifle",
    "sniper": "Sniper",
    "pistol": "Pistol",
    "shotgun": "Shotgun",
    "launcher": "Launcher",
    "melee": "Melee",
    "special": "Special",
}

_NAMES = {
    ("mw2", "DREL MG"): "Drel MG",
    ("mw2", "Tessel-556"): "Tessel 556",
    ("mw2", "TILPA"): "Tilpa",
    ("bo6", "Rake"): "Rake ",
}

_SLUGS = {("bo6", "1602"): "1602-pistol"}

_NOT_LISTED = (("mw3", "TILPA"),)

_WITHOUT_STATS = ("Thistle 9", "Tower Shield", "Garden Gloves", "Torsel 35", "Staple Bow", "Soup Ladle")
"""In the catalogue, and nowhere in the stats."""

_UNKNOWN = ("Corto-45", "SIGIL 2B", "BOLLARD 110", "Jolt-P")
"""Their stats are a row of nulls."""

_NULL_TABLE = ("Corto-45", "Brindle 80", "Ramlock 300", "Haymow", "Sluice-12")
"""Their damage table is null, where that of others without one is an empty list."""

SHOOTS_FASTER = {"AQ-27": 1.012, "Raster 9mm": 1.5}
"""Whose damage rows name another rate than the weapon's, and by how much; the rows are timed by the weapon's."""

HARMLESS_FAR_OFF = "MQ Warder"
"""Whose last damage row has 0 chest damage, so that it never kills."""

MISTIMED = "Okapi 35"
"""Whose second damage row tells another time to kill than its own figures give."""


def name_of(weapon: Weapon) -> str:
    """Return the name as this upstream spells it."""
    return _NAMES.get(weapon.key, weapon.name)


def slug_of(weapon: Weapon) -> str:
    """Return this upstream's slug; two games may share one."""
    return _SLUGS.get(weapon.key, weapon.slug)


def category_of(weapon: Weapon) -> str:
    """Return this upstream's word for the kind; it says Sniper of old games and Sniper Rifle of the newest."""
    return "Sniper Rifle" if (weapon.game, weapon.kind) == ("bo7", "sniper") else _CATEGORIES[weapon.kind]


def listed() -> list[Weapon]:
    """Return the weapons that this upstream knows."""
    return [weapon for weapon in all_weapons() if weapon.key not in _NOT_LISTED]


def document(thrown: Thrown) -> Row:
    """Return the comparator's answer as the switches leave it."""
    catalogue = of_another_game(cut([_entry(weapon) for weapon in listed()], thrown), thrown, "appGame")
    stats = of_another_game(cut(weapon_stats(), thrown), thrown, "appGame")
    answer: Row = {
        "weapons": catalogue,
        "metaLoadouts": cut(_LOADOUTS, thrown),
        "weaponStats": stats,
        "global": {"topWeapons": [], "popularityByGame": {}},
    }
    return renamed(answer, thrown, {"weapons": "weaponList", "weaponStats": "weaponFigures"})


def weapon_stats() -> list[Row]:
    """Return a row for each weapon that has stats."""
    return [_stats(weapon) for weapon in listed() if weapon.name not in _WITHOUT_STATS]


def _entry(weapon: Weapon) -> Row:
    named = "WeaponName" if (weapon.number + 1) % 10 else "name"
    return {
        named: name_of(weapon),
        "appGame": weapon.game,
        "Category": category_of(weapon),
        "slug": slug_of(weapon),
        "Icon": f"https://assets.example/{slug_of(weapon)}.webp",
        "Description": f"Made up for the <em>sandbox</em>, number {weapon.number}.",
    }


def _stats(weapon: Weapon) -> Row:
    of = None if weapon.name in _UNKNOWN else figures(weapon)
    return {
        "gun": name_of(weapon),
        "slug": slug_of(weapon),
        "appGame": weapon.game,
        "Category": category_of(weapon),
        **_measured(of, weapon),
        "simple_damage": _table(of, weapon),
    }


def _measured(of: Figures | None, weapon: Weapon) -> Row:
    if of is None:
        return dict.fromkeys(("rpm", "ads", "bv", "mag_size", "stf", "reload", "movement", "hitscan_range"))
    bv = 0 if weapon.name == "Stormlamp" else of.bv
    return {
        "rpm": of.rpm,
        "ads": of.ads,
        "bv": bv,
        "mag_size": of.mag_size,
        "stf": of.ads * 0.85,
        "reload": 1500 + 40 * (weapon.number % 12),
        "movement": 4.5 + 0.1 * (weapon.number % 8),
        "hitscan_range": HITSCAN * bv,
    }


def _table(of: Figures | None, weapon: Weapon) -> list[Row] | None:
    if weapon.name in _NULL_TABLE:
        return None
    if of is None:
        return []
    if weapon.name == HARMLESS_FAR_OFF:
        of = replace(of, tiers=((0, 70), (4.3, 60), (8.4, 45)))
        return [*damage_table(of), damage_row(of, metres=22.9, chest=0)]
    faster = SHOOTS_FASTER.get(weapon.name)
    rows = damage_table(of, row_rpm=round(of.rpm * faster) if faster else None)
    if weapon.name == MISTIMED:
        rows[1]["ttk"] += 37.5
    return rows


_LOADOUTS: list[Row] = [
    {
        "WeaponName": "AP-92",
        "Playstyle": "Long Range",
        "Rating": 6.1,
        "Muzzle": "Tolvar Hush Cone",
        "Barrel": "Ennis Long Pipe",
        "Laser": "0",
        "Stock": 0,
        "LoadoutCode": "S00-MADE-UP001",
        "Comment": "Made up.",
        "image": "https://assets.example/ap-92-long-range.webp",
    },
    {
        "WeaponName": "REQ-46",
        "Playstyle": "Close Range",
        "Rating": 5.4,
        "Muzzle": 0,
        "Barrel": "0",
        "Laser": "Moxley Dot Lamp",
        "Stock": "Brisk Shoulder Rest",
        "LoadoutCode": "S00-MADE-UP002",
        "Comment": "Made up.",
        "image": "https://assets.example/undefined-close-range.webp",
    },
]
