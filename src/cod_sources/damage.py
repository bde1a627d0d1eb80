"""A weapon's damage table: read row by row, each verified against the weapon's own figures before it is merged."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from cod_sources.bounds import MOST_DAMAGE_ROWS, within
from cod_sources.decoding import Number, Whole, decode_whole
from cod_sources.notes import Notes
from cod_sources.ttk import Weapon, breach
from cod_sources.words import quoted, shortened
from data_source_orchestrator.core.claim import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class DamageRow:
    """The damage to each part of the body from `dropoff` metres on; times are in milliseconds.

    A row without damage to the chest kills nobody: its `shots_to_kill`, `ttk` and `enemies_per_magazine` are None.
    """

    dropoff: Number
    chest: Number
    head: Number | None = None
    neck: Number | None = None
    stomach: Number | None = None
    upperarm: Number | None = None
    lowerarm: Number | None = None
    upperleg: Number | None = None
    lowerleg: Number | None = None
    time_between_shots: Number | None = None
    shots_to_kill: Whole | None = None
    ttk: Number | None = None
    enemies_per_magazine: Whole | None = None


def read_damage(raw: object, weapon: str, notes: Notes) -> tuple[DamageRow, ...]:
    """Return the rows of a damage table that can be read; null and an empty table are none.

    The figures of a row are verified by each other, so that one with an odd figure is not read in part. Raise
    `FetchError(content)` for more rows than there can be.
    """
    if raw is not None and not isinstance(raw, list):
        notes.add(
            "odd damage tables",
            f"{shortened(weapon)}: the damage table is {quoted(raw)}, and a list was expected; it is left out",
        )
    given = within(raw if isinstance(raw, list) else [], MOST_DAMAGE_ROWS, f"the damage table of {shortened(weapon)}")
    rows: list[DamageRow] = []
    for index, item in enumerate(given):
        try:
            rows.append(decode_whole(item, DamageRow))
        except ValueError as error:
            notes.add("damage rows set aside", f"{shortened(weapon)}: damage row {index} is set aside: {error}")
    return tuple(rows)


def verified(rows: Iterable[DamageRow], weapon: Weapon, entity: str, notes: Notes) -> tuple[DamageRow, ...]:
    """Return the rows that follow from the weapon's figures, by distance; the others are noted."""
    sound: dict[float, set[DamageRow]] = {}
    for row in rows:
        if wrong := breach(row, weapon):
            notes.add(
                "damage rows that do not add up",
                f"{entity}: the damage row from {row.dropoff:g} m is not merged, because {wrong}",
            )
        else:
            sound.setdefault(row.dropoff, set()).add(row)
    for dropoff, alike in sound.items():
        if len(alike) > 1:
            notes.add(
                "contradictions", f"{entity}: {len(alike)} damage rows from {dropoff:g} m differ; none is believed"
            )
    return tuple(row for _, alike in sorted(sound.items(), key=_distance) for row in alike if len(alike) == 1)


def time_to_kill(rows: Sequence[DamageRow]) -> float | None:
    """Return the milliseconds to kill at no distance, None where no row starts there or none kills."""
    return next((row.ttk for row in rows if row.dropoff == 0), None)


def as_json(rows: Sequence[DamageRow]) -> list[Json] | None:
    """Return the rows as they are merged, without what is absent; no row at all is no statement."""
    return [{name: value for name, value in asdict(row).items() if value is not None} for row in rows] or None


def _distance(item: tuple[float, set[DamageRow]]) -> float:
    return item[0]
