"""What the sources call a weapon's class, in one word each.

An exact map of whole spellings: to look for "ar" inside a name would make a marksman rifle an assault rifle.
"""

import re

from cod_sources.notes import Notes
from cod_sources.words import quoted

_SPELLINGS = {
    "assault_rifle": ("assault rifle", "assault rifles"),
    "battle_rifle": ("battle rifle", "battle rifles"),
    "smg": ("smg", "smgs"),
    "lmg": ("lmg", "lmgs"),
    "marksman_rifle": ("marksman rifle", "marksman rifles"),
    "sniper_rifle": ("sniper", "sniper rifle", "sniper rifles"),
    "pistol": ("pistol", "pistols", "handgun", "handguns"),
    "shotgun": ("shotgun", "shotguns"),
    "launcher": ("launcher", "launchers"),
    "melee": ("melee",),
    "special": ("special", "specials"),
}
_CATEGORIES = {spelling: category for category, spellings in _SPELLINGS.items() for spelling in spellings}


def category_of(label: str) -> str | None:
    """Return the category of a source's own label (`smgs`, `SNIPER_RIFLE`, `Sniper`), None for an unknown one."""
    return _CATEGORIES.get(re.sub(r"[\s_-]+", " ", label.strip().lower()))


def category_or_note(label: str | None, path: str, notes: Notes) -> str | None:
    """Return the category of a label; an unknown one is left out with a note, an absent one without."""
    if label is None:
        return None
    category = category_of(label)
    if category is None:
        notes.add("unknown categories", f"{path} has the unknown category {quoted(label)}; it is left out")
    return category
