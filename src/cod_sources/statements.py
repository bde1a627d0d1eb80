"""What the rows of one source say, brought together: one record for each entity."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cod_sources.notes import Notes
from cod_sources.words import quoted, shortened
from data_source_orchestrator.core.claim import Json, Record


@dataclass(frozen=True, slots=True)
class Statement:
    """What the row at `path` says of one entity; a field that is None is not said."""

    entity: str
    path: str
    fields: Mapping[str, Json]


@dataclass(slots=True)
class _Gathered:
    fields: dict[str, Json] = field(default_factory=dict)
    said_at: dict[str, str] = field(default_factory=dict)
    disputed: set[str] = field(default_factory=set)


def records_of(statements: Iterable[Statement], notes: Notes) -> tuple[Record, ...]:
    """Return one record for each entity, in the order of their first rows.

    Rows that say the same collapse into one. A field about which two rows disagree is left out with a note that
    names both; which of them stands first never decides.
    """
    entities: dict[str, _Gathered] = {}
    for statement in statements:
        gathered = entities.setdefault(statement.entity, _Gathered())
        for name, value in statement.fields.items():
            if value is not None:
                _gather(gathered, statement, name, value, notes)
    return tuple(_record(entity, gathered) for entity, gathered in entities.items())


def _gather(gathered: _Gathered, statement: Statement, name: str, value: Json, notes: Notes) -> None:
    held = gathered.fields.setdefault(name, value)
    first_path = gathered.said_at.setdefault(name, statement.path)
    if held == value:
        return
    gathered.disputed.add(name)
    notes.add(
        "contradictions",
        f"{shortened(statement.entity)}: {first_path} says {name} is {quoted(held)},"
        f" and {statement.path} says {quoted(value)}; neither is believed",
    )


def _record(entity: str, gathered: _Gathered) -> Record:
    return Record(entity, {n: value for n, value in gathered.fields.items() if n not in gathered.disputed})
