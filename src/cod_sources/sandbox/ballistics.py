"""What a made-up weapon does: its figures, and damage rows that keep the identities of the real ones.

The arithmetic is the upstream's, written out here a second time on purpose: a sandbox that borrowed the parser's
formulas could never catch it wrong.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from cod_sources.sandbox.rows import Row
from cod_sources.sandbox.weapons import Weapon

HEALTH = 300
"""What chest damage is divided into to count shots."""

HITSCAN = 0.05
"""Seconds of flight, by muzzle velocity, in which a bullet arrives at once."""

GRAPH_TAIL = 15
"""Metres for which a step plot goes on behind the last drop."""

_ZONES = {"head": 1.4, "neck": 1.0, "chest": 1.0, "upperarm": 1.0, "lowerarm": 0.95, "stomach": 0.95}
_LEGS = {"upperleg": 0.9, "lowerleg": 0.9}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Rounds a minute, milliseconds to aim, metres a second, rounds; `tiers` are (from metre, chest damage)."""

    rpm: float
    ads: int
    bv: float
    mag_size: int
    tiers: tuple[tuple[float, int], ...] = ()


_PROFILES = {
    "assault": Figures(rpm=600, ads=235, bv=780, mag_size=30, tiers=((0, 38), (38, 33), (54.5, 28))),
    "battle": Figures(rpm=450, ads=265, bv=790, mag_size=20, tiers=((0, 52), (45, 46))),
    "smg": Figures(rpm=820, ads=200, bv=540, mag_size=32, tiers=((0, 30), (9.5, 25), (18, 21), (27.4, 18))),
    "lmg": Figures(rpm=560, ads=380, bv=740, mag_size=100, tiers=((0, 40), (41, 34), (57.2, 30))),
    "marksman": Figures(rpm=280, ads=290, bv=830, mag_size=12, tiers=((0, 88), (48.5, 74))),
    "sniper": Figures(rpm=52, ads=560, bv=900, mag_size=5, tiers=((0, 160), (70, 150))),
    "pistol": Figures(rpm=430, ads=170, bv=390, mag_size=14, tiers=((0, 42), (14.2, 34))),
    "shotgun": Figures(rpm=82, ads=330, bv=330, mag_size=7),
    "launcher": Figures(rpm=24, ads=340, bv=600, mag_size=1),
    "special": Figures(rpm=96, ads=260, bv=760, mag_size=4),
}


def figures(weapon: Weapon) -> Figures | None:
    """Return a weapon's figures, or None for what fires nothing."""
    profile = _PROFILES.get(weapon.kind)
    if profile is None:
        return None
    n = weapon.number
    return Figures(
        rpm=profile.rpm + 17 * (n % 7),
        ads=profile.ads + 5 * (n % 5),
        bv=profile.bv + 10 * (n % 6),
        mag_size=profile.mag_size + 2 * (n % 4),
        tiers=tuple((start, chest + n % 3) for start, chest in profile.tiers),
    )


def time_to_kill(of: Figures, shots: int, metres: float) -> float:
    """Return milliseconds from the first shot to the last hit."""
    flight = max(0.0, metres - HITSCAN * of.bv) / of.bv * 1000
    return (shots - 1) * 60000 / of.rpm + flight


def damage_row(of: Figures, *, metres: float, chest: int, row_rpm: float | None = None) -> Row:
    """Return one row of a damage table; 0 chest damage never kills, so that row's results are null."""
    shots = math.ceil(HEALTH / chest) if chest else None
    fired = of.rpm if row_rpm is None else row_rpm
    return {
        "dropoff": metres,
        "base_rpm": fired,
        "final_rpm": fired,
        **{zone: round(chest * factor) for zone, factor in (_ZONES | _LEGS).items()},
        "time_between_shots": _as_written(60000 / of.rpm),
        "shots_to_kill": shots,
        "ttk": None if shots is None else _as_written(time_to_kill(of, shots, metres)),
        "enemies_per_magazine": None if shots is None else of.mag_size // shots,
    }


def damage_table(of: Figures, *, row_rpm: float | None = None) -> list[Row]:
    """Return one row for each tier, nearest first."""
    return [damage_row(of, metres=start, chest=chest, row_rpm=row_rpm) for start, chest in of.tiers]


def damage_graph(of: Figures, *, row_rpm: float | None = None) -> list[Row]:
    """Return the table as a step plot: each drop twice, with the damage before it and the damage after it."""
    last_start, last_chest = of.tiers[-1]
    steps: list[tuple[float, int]] = [of.tiers[0]]
    for (_, before), (start, after) in pairwise(of.tiers):
        steps += [(start, before), (start, after)]
    steps.append((last_start + GRAPH_TAIL, last_chest))
    return [damage_row(of, metres=metres, chest=chest, row_rpm=row_rpm) for metres, chest in steps]


def average_times(of: Figures, bands: Sequence[tuple[int, int]]) -> list[int]:
    """Return the mean time to kill over each band of metres, in whole milliseconds."""
    return [round(sum(times) / len(times)) for times in ([_at(of, m) for m in range(*band)] for band in bands)]


def _as_written(number: float) -> float:
    """Return the number as JavaScript writes it: a whole one has no fraction."""
    return int(number) if number.is_integer() else number


def _at(of: Figures, metres: int) -> float:
    chest = [damage for start, damage in of.tiers if start <= metres][-1]
    return time_to_kill(of, math.ceil(HEALTH / chest), metres)
