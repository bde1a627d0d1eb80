"""What a gate keeps back, and what was lost that made it do so."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """One thing of which a new snapshot has less than is allowed: `lost` of the `of` that there were.

    Without `field` they are entities; with `field` alone, entities that carry it, or a field below it; with `value`
    too, entities that have this value there. `sources` are those that said what is missing, whoever said most of it
    first; `examples` are ids of the first that are lost. `all_of` is the value that all lost entities had in common.
    """

    lost: int
    of: int
    field: str | None = None
    value: str | None = None
    sources: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    all_of: str | None = None

    @property
    def share(self) -> float:
        """The share that is lost, from 0 to 1."""
        return self.lost / self.of


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A snapshot that is stored and not published, and the one sentence that says why.

    `snapshot_id` is None where nothing at all would be left. `since` is when the gate closed, `at` when this very
    snapshot was last merged.
    """

    snapshot_id: str | None
    entities: int
    since: datetime
    at: datetime
    sentence: str
    losses: tuple[Loss, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDecision:
    """What an operator made of a held snapshot: `verdict` is accepted, rejected or readmitted."""

    at: datetime
    verdict: str
    snapshot_id: str | None
    sentence: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A gate as it stands: what it holds, whose rejected data it does not take, and what was decided last.

    `rejected` is, by source, when its data was rejected that is not believed while it says the same.
    """

    held: Held | None = None
    rejected: tuple[tuple[str, datetime], ...] = ()
    decisions: tuple[GateDecision, ...] = ()
