"""What can happen to sources and runs between two transactions, and how it is folded into a source's health."""

import dataclasses
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from data_source_orchestrator.core.events import BaselineForgotten, SourceFinished, SourceForgotten, SourceSwitched
from data_source_orchestrator.core.outcome import Executed, Failure, Outcome, Skipped, Success
from data_source_orchestrator.core.ports import RunRow
from data_source_orchestrator.core.result import Metadata
from data_source_orchestrator.health.record import checked, readmitted, record
from data_source_orchestrator.health.state import SourceHealth


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A health check that ended."""

    at: datetime
    executed: Executed[object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A run that ended, whether complete or cut short."""

    row: RunRow
    metadata: Metadata


SourceHappened = SourceFinished | SourceSwitched | SourceForgotten | BaselineForgotten | Checked
Happened = SourceHappened | Ran


def fold(health: SourceHealth, happened: SourceHappened) -> SourceHealth:
    """Fold one thing that happened to a source into its health."""
    match happened:
        case SourceFinished():
            return record(health, happened.executed, happened.at)
        case Checked():
            return checked(health, happened.executed, happened.at)
        case SourceSwitched():
            return readmitted(health) if happened.readmitted else health
        case SourceForgotten():
            return SourceHealth()
        case BaselineForgotten():
            return health


def source_of(happened: SourceHappened) -> str:
    """Return the key of the source that something happened to."""
    match happened:
        case SourceFinished() | Checked():
            return happened.executed.outcome.source
        case SourceSwitched() | SourceForgotten() | BaselineForgotten():
            return happened.source


def without_data(outcome: Outcome[object]) -> Outcome[object]:
    """Return an outcome without its payload, its documents and what was served, which nobody needs to remember."""
    match outcome:
        case Success():
            return replace(outcome, data=None, shown=())
        case Failure():
            return replace(outcome, stale_data=None, served=(), shown=())
        case Skipped():
            return replace(outcome, stale_data=None)


def slim(finished: SourceFinished) -> SourceFinished:
    """Return the event without the payload of its outcome."""
    return dataclasses.replace(
        finished, executed=replace(finished.executed, outcome=without_data(finished.executed.outcome))
    )
