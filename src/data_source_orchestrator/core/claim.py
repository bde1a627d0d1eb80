"""What sources say: records of entities, kept as each source's last good contribution."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
"""A value as JSON knows it."""


@dataclass(frozen=True, slots=True)
class Record:
    """What one row says of one entity: dotted field names and values. An absent field is not a claim; 0 is."""

    entity: str
    fields: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """A source's last good records, with the run and the moment that they were accepted."""

    source: str
    run_id: str
    checked_at: datetime
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRules:
    """How contributions become entities.

    `order` names, for a field or the prefix before its first dot, which sources are believed before which; a
    source that is not named comes after those that are, by priority. `capabilities` tells which field, or
    prefix of fields, carries a capability that a source provides.
    """

    order: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    capabilities: Mapping[str, str] = field(default_factory=dict)


EXPIRED_AFTER = 4.0
"""Update intervals after which a contribution is no longer believed."""


def expires_at(contribution: Contribution, update_interval: float) -> datetime:
    """Return the moment after which a contribution's claims no longer count."""
    return contribution.checked_at + timedelta(seconds=EXPIRED_AFTER * update_interval)
