"""Values of the house as JSON text and back, equal to what they were; a sequence comes back as a list.

It knows no database. What cannot be kept is a `StoreError`; text that is not what was kept raises one of `UNREADABLE`.
"""

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from data_source_orchestrator.core.claim import Contribution, Json, Record
from data_source_orchestrator.core.errors import StoreError
from data_source_orchestrator.core.snapshot import Claim, Entity, FieldValue

UNREADABLE = (AttributeError, LookupError, RecursionError, TypeError, ValueError, zlib.error)
"""What reading damaged text may raise."""


def to_text(value: object) -> str:
    """Return a value as compact JSON text, or raise `StoreError` where it has none."""
    try:
        return _ENCODER.encode(value)
    except (RecursionError, TypeError, ValueError) as error:
        raise StoreError(f"a value cannot be kept as JSON: {error}; give numbers, text, lists and mappings") from error


def from_text(text: str) -> Any:
    """Return the value that `to_text` made this text of."""
    return json.loads(text)


def moment_text(moment: datetime) -> str:
    """Return an aware moment as ISO 8601 in UTC; such texts sort as their moments do."""
    if moment.tzinfo is None:
        raise StoreError(f"{moment!r} tells no time zone; give an aware moment")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def moment_of(text: str) -> datetime:
    """Return the moment that `moment_text` made this text of."""
    return datetime.fromisoformat(text)


def contribution_body(contribution: Contribution) -> bytes:
    """Return a contribution's records, compressed."""
    records = [(record.entity, record.fields) for record in contribution.records]
    return zlib.compress(to_text(records).encode())


def contribution_of(source: str, run_id: str, checked_at: str, body: bytes) -> Contribution:
    """Return the contribution that was kept in these columns."""
    return Contribution(
        source=source,
        run_id=run_id,
        checked_at=moment_of(checked_at),
        records=tuple(Record(entity, dict(fields)) for entity, fields in from_text(zlib.decompress(body).decode())),
    )


def entity_text(entity: Entity) -> str:
    """Return an entity's fields as JSON text: by name, the published claim first, then those that it outranks."""
    return to_text({name: _claims((held.claim, *held.outranked)) for name, held in entity.fields.items()})


def entity_of(name: str, text: str) -> Entity:
    """Return the entity that was kept under this id."""
    fields = {field: _field_value(claims) for field, claims in from_text(text).items()}
    return Entity(id=name, fields=fields)


def _claims(claims: Iterable[Claim]) -> list[dict[str, Json]]:
    return [
        {
            "source": claim.source,
            "value": claim.value,
            "run_id": claim.run_id,
            "checked_at": moment_text(claim.checked_at),
        }
        for claim in claims
    ]


def _field_value(claims: Iterable[Mapping[str, Any]]) -> FieldValue:
    first, *outranked = (
        Claim(source=c["source"], value=c["value"], run_id=c["run_id"], checked_at=moment_of(c["checked_at"]))
        for c in claims
    )
    return FieldValue(claim=first, outranked=tuple(outranked))


def _plain(value: object) -> object:
    match value:
        case Mapping():
            return dict(value)
        case Sequence() if not isinstance(value, bytes | bytearray):
            return list(value)
        case _:
            raise TypeError(f"{value!r} is no JSON value")


_ENCODER = json.JSONEncoder(default=_plain, separators=(",", ":"), allow_nan=False)
"""Made once: `json.dumps` would make one for every value, at half the cost of writing it."""
