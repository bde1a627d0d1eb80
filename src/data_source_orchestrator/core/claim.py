"""What sources say: records of entities, kept as each source's last good contribution."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
else:
    Json = Any
"""A value as JSON knows it; at run time anything: no decoder follows a type into itself, and `flaw_of` checks."""

DEEPEST = 64
"""Levels of lists and mappings that a value may have; what reads and writes JSON follows them on its stack."""

MOST_BITS = 14_000
"""Bits of a whole number; Python reads and writes no number of more than 4300 digits."""

_LONGEST_QUOTE = 60
_BYTES = (bytes, bytearray, memoryview)


@dataclass(frozen=True, slots=True)
class Record:
    """What one row says of one entity: dotted field names and values. An absent field is not a claim; 0 is."""

    entity: str
    fields: Mapping[str, Json]


def flaw_of(record: Record) -> str | None:
    """Return what of a record cannot be kept as JSON, where it is and what to give instead; None if all can."""
    if not _is_text(record.entity):
        return f"its entity is {_quoted(record.entity)}; give text that UTF-8 can hold"
    fields: object = record.fields
    if not isinstance(fields, Mapping):
        return f"its fields are {_quoted(fields)}; give a mapping of names to values"
    for name, value in fields.items():
        if not _is_text(name):
            return f"it{_misnamed(name)}"
        if flaw := _flaw(value, DEEPEST):
            return f"{name}{flaw}"
    return None


def _flaw(value: object, levels: int) -> str | None:
    """Return where and how a value cannot be kept, to be read after its name; the commonest kinds are asked first."""
    if isinstance(value, str):
        return None if _is_text(value) else f" is {_quoted(value)}; give text that UTF-8 can hold"
    if isinstance(value, float):
        return None if math.isfinite(value) else f" is {_number(value)}; give a finite number, or leave the field out"
    if value is None or isinstance(value, int):
        return _too_long(value)
    if isinstance(value, (list, tuple, dict, Mapping, Sequence)) and not isinstance(value, _BYTES):
        return _flaw_inside(value, levels - 1)
    return f" is {_quoted(value)}; give None, True, False, a number, text, a list or a mapping"


def _flaw_inside(value: Sequence[object] | Mapping[object, object], levels: int) -> str | None:
    if levels < 0:
        return f" is nested more than {DEEPEST} levels deep; give a flatter value"
    if not isinstance(value, (dict, Mapping)):
        return next((f"[{place}]{flaw}" for place, held in enumerate(value) if (flaw := _flaw(held, levels))), None)
    for name, held in value.items():
        if not _is_text(name):
            return _misnamed(name)
        if flaw := _flaw(held, levels):
            return f".{name}{flaw}"
    return None


def _is_text(value: object) -> bool:
    if not isinstance(value, str):
        return False
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


def _too_long(value: int | None) -> str | None:
    if value is None or value.bit_length() <= MOST_BITS:
        return None
    return f" is a whole number of more than {MOST_BITS} bits; give a smaller one, or text"


def _misnamed(name: object) -> str:
    return f" has the name {_quoted(name)}; give text as names, such as UTF-8 can hold"


def _number(value: float) -> str:
    return "NaN" if math.isnan(value) else str(value)


def _quoted(value: object) -> str:
    told = ascii(value)
    return told if len(told) <= _LONGEST_QUOTE else f"{told[:_LONGEST_QUOTE]}…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """A source's last good records, with the run and the moment that they were accepted."""

    source: str
    run_id: str
    checked_at: datetime
    records: tuple[Record, ...]


ENTITIES = ("entity", "entities")
"""What entities are called where nobody knows a better name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRules:
    """How contributions become entities.

    `order` names, for a field or the prefix before its first dot, which sources are believed before which; a
    source that is not named comes after those that are, by priority. `capabilities` tells which field, or
    prefix of fields, carries a capability that a source provides. `groups` names fields by whose value entities
    belong together, such as a product's country: a group that vanishes is noticed although it is small. `volatile`
    names fields, or prefixes, that come and go by their nature, so that nobody wonders when they do. `called` is what
    people call one entity and several, and `parts` what they call that which stands behind a prefix.
    """

    order: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    capabilities: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    volatile: tuple[str, ...] = ()
    called: tuple[str, str] = ENTITIES
    parts: Mapping[str, str] = field(default_factory=dict)


EXPIRED_AFTER = 4.0
"""Update intervals after which a contribution is no longer believed."""


def expires_at(contribution: Contribution, update_interval: float) -> datetime:
    """Return the moment after which a contribution's claims no longer count."""
    return contribution.checked_at + timedelta(seconds=EXPIRED_AFTER * update_interval)
