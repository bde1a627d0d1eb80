"""The made-up weapons that all three sandboxed upstreams speak of, each in its own words.

Invented names only, chosen so that the traps of the real catalogues are in them: one name inside another, the
same name in two games, signs and letters beyond ASCII. Nothing here knows how an upstream spells a row.
"""

import re
import unicodedata
from dataclasses import dataclass

_TABLE: dict[str, dict[str, tuple[str, ...]]] = {
    "mw2": {
        "assault": ("V4", "Varnok 74u", "Varnok 762", "Tessel-556", "Orrin 556", "N23B", "N23C"),
        "battle": ("Tessel-762", "Haldric BR"),
        "smg": ("Mirrow-9K", "Pell 45", "Pell 9mm", "Corvane-P", "Striva"),
        "lmg": ("DREL MG", "Sovik 40", "Orrin 26"),
        "marksman": ("Quill 310", "Lathe 90", "Ambry-R"),
        "sniper": ("Fennet 50", "Halcyne XR", "Vesk-A"),
        "pistol": (".40 NS", "Dapper X2", "Cobble 9"),
        "shotgun": ("Brindle 80", "Ramlock 300", "MQ Warder"),
        "launcher": ("TILPA", "Jolt-P", "Thistle 9"),
        "melee": ("Rake", "Dual Sickles", "Tower Shield"),
    },
    "mw3": {
        "assault": ("NCW", "Sorva 545", "DK-56", "FQ 5.56", "MTR-556", "Lindel 5"),
        "battle": ("MTR-762", "NCW 6.8", "Ballast 40"),
        "smg": ("Rivet-9", "WSQ Hive", "Striva 9", "Lumen 46"),
        "lmg": ("Dovrin 62", "Tesk Mk5", "Heft 240"),
        "marksman": ("Dor88x", "MTR Reed", "DN57"),
        "sniper": ("Gannet-S", "Orval 338", "Vantor SL"),
        "pistol": ("Corto-45", "Grebe 22", "Bellows"),
        "shotgun": ("Ramlock 780", "Haymow", "Drumlin 12"),
        "launcher": ("TILPA", "Stormlamp", "RGX-80", "Torsel 35"),
        "melee": ("Garden Gloves",),
    },
    "bo6": {
        "assault": ("XV4", "AQ-74", "Amber 85", "PIXIE MK 2", "Form L", "Aspen C"),
        "smg": ("Q10", "Wombat PDX", "Tanbark .22", "Kontur 92", "Sogg"),
        "lmg": ("PO-31", "Gourd-8", "XHQ"),
        "marksman": ("Prefect 5.56", "Volnik 7", "Heron-A"),
        "sniper": ("Rime 3A", "HR 338", "Longreed"),
        "pistol": ("1602", "Tombolo .36", "Nib 9"),
        "shotgun": ("Harbour KP", "Sluice-12", "Eddy Twin"),
        "launcher": ("SIGIL 2B", "HX-1"),
        "melee": ("Ladle", "Rake", "Scythes"),
        "special": ("Sirocco-9mm", "Staple Bow"),
    },
    "bo7": {
        "assault": ("Tallow Mod 0", "AQ-27", "AP-92", "Mallow RF", "Dune 40", "Voyle KT-2", "Okapi 35"),
        "smg": ("REQ-46", "Raster 9mm", "Petrel VQ", "Cinder 58", "Ostrel 45"),
        "lmg": ("Mokel 545", "Anvil 78", "Heddle 325"),
        "marksman": ("Warrel 308", "Bittern A2"),
        "sniper": ("Hawse HX", "Recto 12", "Gloam SK"),
        "pistol": ("Köhler 45", "Falconer's Pair", "Sonata 9"),
        "shotgun": ("Breakwater", "Mortise 12", "Tenon 20"),
        "launcher": ("A.R.K. M2", "BOLLARD 110"),
        "melee": ("Ladle", "Scythe", "Soup Ladle"),
        "special": ("Hubbub", "NQ Forager"),
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Weapon:
    """One weapon; `number`, its place in the table, is what its figures vary by."""

    game: str
    kind: str
    name: str
    number: int

    @property
    def key(self) -> tuple[str, str]:
        """Game and name, by which the upstreams' own spellings are looked up."""
        return self.game, self.name

    @property
    def slug(self) -> str:
        """The name in small ASCII letters, digits and hyphens."""
        folded = unicodedata.normalize("NFKD", self.name).encode("ascii", "ignore").decode().lower()
        return re.sub(r"[^a-z0-9]+", "-", re.sub(r"[.']", "", folded)).strip("-")


def all_weapons() -> tuple[Weapon, ...]:
    """Return every weapon, in the order of the table."""
    places = [(game, kind, name) for game, kinds in _TABLE.items() for kind, names in kinds.items() for name in names]
    return tuple(Weapon(game=g, kind=k, name=name, number=n) for n, (g, k, name) in enumerate(places))
