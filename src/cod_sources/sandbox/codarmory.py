"""CODArmory, made up: weapons.json of a catalogue without stats, for two games only.

Knows the shape of that repository's files and nothing of how they are served.
"""

from collections.abc import Callable, Mapping

from cod_sources.sandbox import attachments
from cod_sources.sandbox.rows import Row, Thrown, cut, of_another_game, renamed
from cod_sources.sandbox.weapons import Weapon, all_weapons

FOLDER = "/src/database/"

CATEGORIES = {
    "assault": "assault-rifles",
    "battle": "battle-rifles",
    "smg": "smgs",
    "lmg": "lmgs",
    "marksman": "marksman-rifles",
    "sniper": "sniper-rifles",
    "pistol": "handguns",
    "shotgun": "shotguns",
    "launcher": "launchers",
    "melee": "melee",
}

_SECONDARY = ("handguns", "launchers", "melee")
_ALIASES = {"smgs": "Submachine guns", "lmgs": "Light machine guns"}
_INITIALS = {"smgs": "SMGs", "lmgs": "LMGs"}

_AFTER_THE_BETA = frozenset(
    {
        "Lindel 5", "Ballast 40", "Lumen 46", "Heft 240", "DN57", "Vantor SL", "Bellows",
        "Drumlin 12", "Torsel 35", "RGX-80", "Haymow",
    }
)  # fmt: skip

_IDS = {("mw3", "TILPA"): "tilpa-mw3"}

_PLATFORMS = ("varnok", "tessel", "orrin", "pell", "haldric", "quill")

_LOCKED: Row = {
    "unlock_id": None,
    "unlock_level": None,
    "unlock_summary": None,
    "unlock_description": None,
}

_UNLOCKS: tuple[Callable[[int], Row], ...] = (
    lambda n: {"unlock_type": "level", "unlock_level": 2 + n % 50},
    lambda n: {"unlock_type": "weapon", "unlock_id": "v4", "unlock_level": 5 + n % 20},
    lambda n: {"unlock_type": "level", "unlock_level": 4 + n % 40},
    lambda n: {"unlock_type": "challenge", "unlock_summary": f"Hit {10 + n} lanterns with one magazine"},
    # A sector of the pass, not a weapon's id, although the member is the same.
    lambda n: {"unlock_type": "battle-pass", "unlock_id": f"F{n % 20}", "unlock_level": 6},
    lambda n: {
        "unlock_type": "battle-pass-challenges",
        "unlock_id": f"C{n % 9}",
        "unlock_level": 3,
        "unlock_description": "- Ring a bell from 30 m;\n- Ring two bells with one round.",
    },
)

_OWN_UNLOCKS: Mapping[str, Row] = {
    "V4": {"unlock_type": "auto"},
    "N23B": {
        "unlock_type": "dmz",
        "unlock_id": "The Beekeeper",
        "unlock_description": "Bring the Beekeeper's smoker home.",
    },
    "Cobble 9": {
        "unlock_type": "one-of-challenge",
        "unlock_level": 2,
        "unlock_description": "- Carry it out of the valley;\n- Strike 50 skittles.",
    },
    "Corto-45": {"unlock_type": "not-available"},
}


def catalogue() -> list[Weapon]:
    """Return the weapons that this upstream lists."""
    return [w for w in all_weapons() if w.game == "mw2" or (w.game == "mw3" and w.name not in _AFTER_THE_BETA)]


def weapons() -> list[Row]:
    """Return the rows of weapons.json."""
    parts = attachments.by_game()
    return [_weapon(weapon, parts[weapon.game]) for weapon in catalogue()]


def _weapon(weapon: Weapon, parts: list[attachments.Part]) -> Row:
    n = weapon.number
    unlock = _OWN_UNLOCKS.get(weapon.name) or _UNLOCKS[n % len(_UNLOCKS)](n)
    return {
        "id": _IDS.get(weapon.key, weapon.slug),
        "game_id": weapon.game,
        "category_id": CATEGORIES[weapon.kind],
        "platform_id": _PLATFORMS[n % len(_PLATFORMS)] if weapon.game == "mw2" and n % 4 else None,
        "name": weapon.name,
        "max_level": None if weapon.name == "Striva" else 10 + n % 23,
        **(_LOCKED | unlock),
        "attachments": attachments.fitting(weapon, parts),
    }


def _categories() -> list[Row]:
    return [
        {
            "id": category,
            "name": _INITIALS.get(category, category.replace("-", " ").title()),
            "alias": _ALIASES.get(category),
            "slot": "secondary" if category in _SECONDARY else "primary",
        }
        for category in CATEGORIES.values()
    ]


def _platforms() -> list[Row]:
    return [{"id": platform, "name": f"{platform.title()} Works"} for platform in _PLATFORMS]


_FIELDS = {"name": "title", "game_id": "game"}

_FILES: Mapping[str, Callable[[], list[Row]]] = {
    "weapons": weapons,
    "attachments": attachments.rows,
    "categories": _categories,
    "platforms": _platforms,
    "attachment-categories": attachments.categories,
    "attachment-stats": attachments.stats,
}

PATHS = tuple(f"{FOLDER}{name}.json" for name in _FILES)
"""Where each file is, below the base URL."""


def document(path: str, thrown: Thrown) -> list[Row] | None:
    """Return the array at this path as the switches leave it, or None where there is no such file."""
    if path not in PATHS:
        return None
    name = path.removeprefix(FOLDER).removesuffix(".json")
    rows = _FILES[name]()
    if name not in ("weapons", "attachments"):
        return rows
    rows = of_another_game(cut(rows, thrown), thrown, "game_id")
    return [renamed(row, thrown, _FIELDS) for row in rows]
