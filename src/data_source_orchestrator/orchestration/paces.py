"""How the paces of sources and hosts outlast the process, and are one for all processes that share a store.

What one process has taken, and the wait that another was asked for, are both true: of two states whatever lasts longer
counts. An operator's act is stronger; a version tells who has heard of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from data_source_orchestrator.core.events import SourceForgotten, SourceSwitched
from data_source_orchestrator.core.ports import Transaction
from data_source_orchestrator.fanout.coordinator import SourceCoordinator
from data_source_orchestrator.fanout.scopes import moved_pace, own_pace
from data_source_orchestrator.orchestration.happened import Happened
from data_source_orchestrator.orchestration.versioned import NEVER_STORED, Versioned, versioned
from data_source_orchestrator.resilience.rate_document import later

KIND = "pace"
"""The kind of the documents."""

Stored = Mapping[str, Versioned]
"""Paces as a store holds them, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paces:
    """The paces that this process offers at a moment, by name, and which of them an operator has just decided."""

    at: datetime
    offered: Stored
    decided: frozenset[str]


def stored_paces(transaction: Transaction) -> Stored:
    """Return the paces that the store holds."""
    return {name: versioned(held) for name, held in transaction.documents(KIND).items()}


def put_paces(transaction: Transaction, paces: Paces) -> None:
    """Keep what lasts longest of each pace, or what an operator has decided.

    A process that has not heard of such an act yet adds nothing to what it left.
    """
    stored = stored_paces(transaction)
    for name in paces.offered.keys() | paces.decided:
        held, mine = stored.get(name, NEVER_STORED), paces.offered.get(name, NEVER_STORED)
        told = held
        if name in paces.decided:
            told = Versioned(version=held.version + 1, state=later(mine.state, None, paces.at))
        elif held.version == mine.version:
            told = Versioned(version=held.version, state=later(held.state, mine.state, paces.at))
        if told != held:
            transaction.put_document(KIND, name, told.document)


def offered_paces(coordinator: SourceCoordinator, stored: Stored, happened: Iterable[Happened]) -> Paces:
    """Return this process's paces, as they grew out of the stored ones, with what has happened since."""
    offered = {
        name: Versioned(version=stored.get(name, NEVER_STORED).version, state=pace.to_state())
        for name, pace in coordinator.paces.items()
    }
    return Paces(at=coordinator.clock.now(), offered=offered, decided=_decided(coordinator, happened))


def take_paces(coordinator: SourceCoordinator, stored: Stored, happened: Iterable[Happened]) -> None:
    """Take over what a store remembers, but for what an operator has decided here meanwhile."""
    decided = _decided(coordinator, happened)
    for name, pace in coordinator.paces.items():
        if name in stored and name not in decided:
            pace.catch_up(stored[name].state)


def follow_paces(coordinator: SourceCoordinator, stored: Stored, paces: Paces, happened: Iterable[Happened]) -> None:
    """Take over the store's view after an offer; what an operator has decided elsewhere is followed as it is.

    What one has decided here is not: the store has it from us, and calls may have been made since it was offered.
    """
    decided = paces.decided | _decided(coordinator, happened)
    for name, pace in coordinator.paces.items():
        held, mine = stored.get(name, NEVER_STORED), paces.offered.get(name, NEVER_STORED)
        if name in decided or held.state == mine.state:
            continue
        if held.version == mine.version:
            pace.catch_up(held.state)
        else:
            pace.restore(held.state)


def _decided(coordinator: SourceCoordinator, happened: Iterable[Happened]) -> frozenset[str]:
    """Return the paces that an operator's act has begun anew, or has let somebody past."""
    names: set[str] = set()
    for each in happened:
        match each:
            case SourceForgotten(source=key):
                names.add(own_pace(key))
            case SourceSwitched(source=key, readmitted=True) if source := coordinator.get_source(key):
                names.add(moved_pace(source))
            case _:
                pass
    return frozenset(names)
