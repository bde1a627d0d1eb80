"""One answer made of many: entities whose every value names its claim."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.held import Held


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one source said of one field, in which run, and when that was last confirmed."""

    source: str
    value: Json
    run_id: str
    checked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldValue:
    """The claim that was published, and the others that it outranked, in their order."""

    claim: Claim
    outranked: tuple[Claim, ...] = ()

    @property
    def value(self) -> Json:
        """The published value."""
        return self.claim.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """Everything known of one thing."""

    id: str
    fields: Mapping[str, FieldValue]

    def values(self) -> dict[str, Json]:
        """Return the published values alone, by field name."""
        return {name: held.value for name, held in self.fields.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All entities at one moment; `id` is the hash of their values, None where there is nothing to merge."""

    id: str | None = None
    entities: Mapping[str, Entity] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotChange:
    """What a run did to the snapshot; the counts are entities. `reason` says why there is none.

    Where the gate `held` the snapshot, all this is what publishing it would do, and readers keep the one before;
    `held_anew` says that this very snapshot was not held yet. `superseded` says that it was published in place of one
    that was held. `refused` are the sources that said again what an
    operator had rejected, and of which what they said before that was merged.
    """

    id: str | None
    entities: int
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    reason: str | None = None
    held: Held | None = None
    held_anew: bool = False
    superseded: bool = False
    refused: tuple[str, ...] = ()
