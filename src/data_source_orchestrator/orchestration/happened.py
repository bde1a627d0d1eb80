"""What can happen to sources and runs between two transactions, and how it is folded into a source's health."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.events import SourceFinished
from data_source_orchestrator.core.outcome import Executed
from data_source_orchestrator.core.result import Metadata
from data_source_orchestrator.health.record import checked, readmitted, record
from data_source_orchestrator.health.state import SourceHealth


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A health check that ended."""

    at: datetime
    executed: Executed[object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """Something the operator did to a source: the members of its switch that this changes."""

    source: str
    switch: Mapping[str, Json]
    readmits: bool = False


Happened = SourceFinished | Checked | Acted | Metadata


def fold(health: SourceHealth, happened: Happened) -> SourceHealth:
    """Fold one thing that happened to a source into its health."""
    match happened:
        case SourceFinished():
            return record(health, happened.executed, happened.at)
        case Checked():
            return checked(health, happened.executed, happened.at)
        case Acted():
            return readmitted(health) if happened.readmits else health
        case Metadata():
            return health


def source_of(happened: Happened) -> str | None:
    """Return the key of the source that something happened to, None for a run."""
    match happened:
        case SourceFinished() | Checked():
            return happened.executed.outcome.source
        case Acted():
            return happened.source
        case Metadata():
            return None
