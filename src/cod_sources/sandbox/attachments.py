"""CODArmory's attachments, made up: repeated slugs, orphans, odd spaces and letters, parts without effect."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from cod_sources.sandbox.rows import Row, made_up_id
from cod_sources.sandbox.weapons import Weapon, all_weapons

_SLOTS = {
    "muzzles": "Muzzle",
    "barrels": "Barrel",
    "lasers": "Laser",
    "optics": "Optic",
    "stocks": "Stock",
    "rear-grips": "Rear Grip",
    "magazines": "Magazine",
    "ammunition": "Ammunition",
    "rails": "Rail",
    "underbarrels": "Underbarrel",
}

_NOUNS = {
    "muzzles": "Hush Cone",
    "barrels": "Long Pipe",
    "lasers": "Dot Lamp",
    "optics": "Ring Sight",
    "stocks": "Shoulder Rest",
    "rear-grips": "Cork Wrap",
    "ammunition": "Chalk Rounds",
    "rails": "Comb Rail",
    "underbarrels": "Fore Handle",
}

_MAKERS = {"mw2": ("Tolvar", "Brisk", "Ennis", "Moxley", "Ruddle"), "mw3": ("Pemble", "Stoat", "Ferrow", "Quain")}

_BARE = ("launcher", "melee")
"""Kinds of weapons that nothing can be put on."""

_EFFECTS = (
    "aiming_steadiness", "draw_speed", "handling_weight", "muzzle_flash", "noise", "reach",
    "recoil_control", "reload_quickness", "stride_speed", "zoom",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One attachment; `serial` tells apart those that share a name, `orphan` ones fit no weapon."""

    game: str
    slot: str
    name: str
    serial: int
    orphan: bool = False

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits, the only thing that tells two parts of one slug apart."""
        return made_up_id("part", self.game, self.slot, self.name, self.serial, length=16)

    @property
    def slug(self) -> str:
        """The name as the catalogue hyphenates it; not unique."""
        return "-".join(self.name.lower().split())


def by_game() -> dict[str, list[Part]]:
    """Return every attachment, by game."""
    return {game: _parts(game) for game in _MAKERS}


def rows() -> list[Row]:
    """Return the rows of attachments.json."""
    first = {weapon.game: weapon.slug for weapon in reversed(all_weapons())}
    return [_row(part, first[game]) for game, parts in by_game().items() for part in parts]


def categories() -> list[Row]:
    """Return the rows of attachment-categories.json."""
    return [
        {"id": slot, "name": slot.replace("-", " ").title(), "singular_name": name, "sorting": place}
        for place, (slot, name) in enumerate(_SLOTS.items())
    ]


def stats() -> list[Row]:
    """Return the rows of attachment-stats.json."""
    return [{"id": effect, "name": effect.replace("_", " ").title()} for effect in _EFFECTS]


def fitting(weapon: Weapon, parts: Sequence[Part]) -> list[str]:
    """Return the ids of what fits a weapon: a different two thirds for each, nothing for launchers and blades."""
    if weapon.kind in _BARE:
        return []
    return [part.id for part in parts if not part.orphan and (part.serial + weapon.number) % 3]


def _parts(game: str) -> list[Part]:
    serial = count()
    named = [(slot, f"{maker} {noun}") for slot, noun in _NOUNS.items() for maker in _MAKERS[game]]
    named += [("magazines", "40 Round Mag")] * 3
    named += [("optics", f"{_MAKERS[game][0]}  Hybrid Sight"), ("muzzles", "Dämpfer Ø7")]
    fit = [Part(game=game, slot=slot, name=name, serial=next(serial)) for slot, name in named]
    left = [Part(game=game, slot="rails", name=name, serial=next(serial), orphan=True) for name in ("Spare", "Stub")]
    return fit + left


def _row(part: Part, weapon_id: str) -> Row:
    n = part.serial
    inert = not (n + 1) % 17
    return {
        "id": part.id,
        "game_id": part.game,
        "category_id": part.slot,
        "slug": part.slug,
        "name": part.name,
        "description": None if not (n + 1) % 4 else f"Made for the sandbox by {part.name.split()[0]}.",
        "pros": [] if inert else [_effect(n), _effect(n + 3)],
        "cons": [] if inert else [_effect(n + 5)],
        **_unlock(n, weapon_id),
    }


def _effect(n: int) -> str:
    return _EFFECTS[n % len(_EFFECTS)]


def _unlock(n: int, weapon_id: str) -> Row:
    locked: Row = dict.fromkeys(("unlock_id", "unlock_level", "unlock_summary", "unlock_description"))
    if not (n + 1) % 19:
        return {"unlock_type": "unknown", **locked}
    if not (n + 1) % 13:
        return {"unlock_type": "auto", **locked}
    if not (n + 1) % 11:
        asked = f"Strike {n} skittles from afar"
        return {"unlock_type": "challenge", **locked, "unlock_summary": asked, "unlock_description": f"{asked}."}
    return {"unlock_type": "weapon", **locked, "unlock_id": weapon_id, "unlock_level": 1 + n % 25}
