"""What the three sources' records have to be before they are believed.

How a row is read, and which rows cannot be, is decided before: here stands what has to be true of what was read. Bad
records are set aside one by one; what is wrong with all of them is a failure.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from cod_sources.tiers import TIERS
from cod_sources.ttk import Weapon, breach
from data_source_orchestrator.core.claim import Record
from data_source_orchestrator.core.contract import Contract, ContractMode, Field

GAMES = ("mw2", "mw3", "bo6", "bo7")
"""The origin games that there are; another one is told when it appears."""

MODES = (
    "alMazrah",
    "ashikaIsland",
    "bo6",
    "bo6Ranked",
    "bo6Zombies",
    "bo7",
    "bo7Ranked",
    "mw2Ranked",
    "mw3",
    "mw3Ranked",
    "mwz",
    "rankedResurgence",
    "warzoneMobileBR",
    "warzoneMobileMP",
    "warzoneMobileResurgence",
    "wz2Ranked",
)
"""The modes that WZStats has ranked, by its own names; another one is told when it appears."""

WEAPON = (
    Field("name", required=True, kind=str),
    Field("game", required=True, kind=str, known=GAMES),
    Field("category", coverage=0.9, kind=str),
)
"""What all three say of a weapon."""


class _Figures(NamedTuple):
    """The figures of a damage row that follow from each other; a plain tuple, for there are hundreds."""

    dropoff: float
    chest: float
    time_between_shots: float | None
    shots_to_kill: int | None
    ttk: float | None
    enemies_per_magazine: int | None


def damage_adds_up(record: Record) -> str | None:
    """Say which figure of a weapon's damage table does not follow from its rate of fire, velocity and magazine.

    The identities and their tolerances are those of `ttk`: a time may differ by what rounding explains.
    """
    fields: Mapping[str, Any] = record.fields
    weapon = Weapon(
        rpm=fields.get("ballistics.rpm"),
        bullet_velocity=fields.get("ballistics.bullet_velocity"),
        magazine=fields.get("ballistics.magazine"),
    )
    for row in fields.get("ballistics.damage_range") or ():
        if wrong := breach(_Figures(*map(row.get, _Figures._fields)), weapon):
            return f"from {row['dropoff']:g} m, {wrong}"
    return None


CODARMORY = Contract(
    mode=ContractMode.QUARANTINE,
    minimum_rows=40,
    row_type=Record,
    unique=("entity",),
    fields=(
        *WEAPON,
        Field("slot", coverage=0.9, steady=True, allowed=("primary", "secondary")),
        Field("platform", coverage=0.3, steady=True, kind=str),
        Field("max_level", coverage=0.8, steady=True, kind=int, lowest=1, highest=1000, unit="levels"),
        Field("unlock.type", coverage=0.9, steady=True, kind=str),
        Field("unlock.by", steady=True, kind=str),
        Field("unlock.level", coverage=0.3, steady=True, kind=int, lowest=0, highest=1000, unit="levels"),
        Field("unlock.summary", steady=True, kind=str),
        Field("unlock.description", steady=True, kind=str),
        Field("attachments", coverage=0.9, steady=True, kind=(list, tuple)),
    ),
)
"""The catalogue: 97 weapons in 2023, of which one had no highest level and 31 no platform."""

WZSTATS = Contract(
    mode=ContractMode.QUARANTINE,
    minimum_rows=40,
    row_type=Record,
    unique=("entity",),
    fields=(
        *WEAPON,
        Field("is_new", steady=True, kind=bool),
        Field("kit", steady=True, kind=str),
        Field("base", steady=True, kind=str),
        Field("tier.*", coverage=0.5, allowed=TIERS, known=MODES),
    ),
)
"""The tier lists: 177 weapons and kits in 2024, all of them ranked in some mode."""

CODMUNITY = Contract(
    mode=ContractMode.QUARANTINE,
    minimum_rows=20,
    row_type=Record,
    unique=("entity",),
    fields=(
        *WEAPON,
        Field("ballistics.rpm", coverage=0.5, steady=True, lowest=1, highest=3000, unit="rounds/min"),
        Field("ballistics.ads_ms", coverage=0.5, steady=True, lowest=1, highest=5000, unit="ms"),
        Field("ballistics.bullet_velocity", coverage=0.5, steady=True, lowest=0, highest=10_000, unit="m/s"),
        Field("ballistics.magazine", coverage=0.5, steady=True, kind=int, lowest=1, highest=2000, unit="rounds"),
        Field("ballistics.damage_range", coverage=0.4, steady=True, kind=(list, tuple)),
        Field("ballistics.ttk", coverage=0.4, steady=True, lowest=0, highest=600_000, unit="ms"),
        Field("popularity.*", lowest=0, highest=100, unit="%"),
    ),
    rules=(damage_adds_up,),
)
"""The ballistics: 256 weapons in 2026, of which 230 had figures and 196 a damage table."""
