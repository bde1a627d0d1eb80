"""How a damage row follows from the weapon's own figures, so that it can be verified instead of believed.

Times are in milliseconds, distances in metres, velocity in metres per second. Pure arithmetic: nothing here knows
where a row came from.
"""

import math
from dataclasses import dataclass
from typing import Protocol

TOLERANCE_MS = 0.06
"""How far a time may lie from the computed one: what rounding to a tenth of a millisecond explains."""

HEALTH = 300
"""What has to be shot away in Warzone, armour included."""

HITSCAN_SHARE = 0.05
"""Seconds of flight within which a bullet arrives at once."""

_EPSILON = 1e-9
"""Keeps a quotient that is whole but for the last bits of a float from being rounded up; damage below it is none."""


class DamageRow(Protocol):
    """The figures of one tier of damage; `dropoff` is where it starts."""

    @property
    def dropoff(self) -> float:
        """Where the tier starts, in metres."""
        ...

    @property
    def chest(self) -> float:
        """The damage of a hit to the chest."""
        ...

    @property
    def time_between_shots(self) -> float | None:
        """Milliseconds from shot to shot."""
        ...

    @property
    def shots_to_kill(self) -> int | None:
        """Hits to the chest that kill."""
        ...

    @property
    def ttk(self) -> float | None:
        """Milliseconds from the first shot to the kill."""
        ...

    @property
    def enemies_per_magazine(self) -> int | None:
        """How many a full magazine kills."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Weapon:
    """The figures that a row's own follow from; None where the upstream gives none."""

    rpm: float | None
    bullet_velocity: float | None
    magazine: int | None


@dataclass(frozen=True, slots=True)
class Breach:
    """A figure that does not follow; `expected` None where there should be none, or none can be computed."""

    field: str
    expected: float | None
    found: float | None

    def __str__(self) -> str:
        found = "absent" if self.found is None else f"{self.found:.10g}"
        if self.expected is None:
            return f"{self.field} is {found}, and the weapon's figures give none"
        return f"{self.field} is {found}, and {self.expected:.10g} follows from the weapon's figures"


def breach(row: DamageRow, weapon: Weapon) -> Breach | None:
    """Return the first figure of a row that does not follow from its weapon's, or None for a verified row."""
    interval = 60_000 / weapon.rpm if weapon.rpm else None
    shots = math.ceil(HEALTH / row.chest - _EPSILON) if row.chest > _EPSILON else None
    if not _close(row.time_between_shots, interval):
        return Breach("time_between_shots", interval, row.time_between_shots)
    if row.shots_to_kill != shots:
        return Breach("shots_to_kill", shots, row.shots_to_kill)
    ttk = _ttk(row, weapon, interval, shots)
    if not (_close(row.ttk, ttk) or (shots is None and row.ttk is None)):
        return Breach("ttk", ttk, row.ttk)
    enemies = weapon.magazine // shots if shots and weapon.magazine is not None else None
    if row.enemies_per_magazine != enemies:
        return Breach("enemies_per_magazine", enemies, row.enemies_per_magazine)
    return None


def flight_time(distance: float, bullet_velocity: float | None) -> float | None:
    """Return how long the bullet is seen to fly; None where no velocity is known and the distance needs one."""
    if distance <= 0:
        return 0.0
    if not bullet_velocity:
        return None
    return max(0.0, distance - HITSCAN_SHARE * bullet_velocity) / bullet_velocity * 1000


def _ttk(row: DamageRow, weapon: Weapon, interval: float | None, shots: int | None) -> float | None:
    flight = flight_time(row.dropoff, weapon.bullet_velocity)
    if interval is None or shots is None or flight is None:
        return None
    return (shots - 1) * interval + flight


def _close(found: float | None, expected: float | None) -> bool:
    """Tell whether two times agree; one that cannot be computed agrees with none."""
    return found is not None and expected is not None and abs(found - expected) <= TOLERANCE_MS
