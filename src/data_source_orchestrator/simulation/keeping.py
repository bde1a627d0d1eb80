"""A modelled store: transactions over plain dictionaries, each taking its time, some of them failing."""

import asyncio
import json
from collections.abc import Callable, Iterable
from copy import copy
from datetime import datetime
from typing import TypeVar

from data_source_orchestrator.core.claim import Contribution, Json
from data_source_orchestrator.core.clock import Chance
from data_source_orchestrator.core.errors import StoreError
from data_source_orchestrator.core.ports import RunRow, Transaction
from data_source_orchestrator.core.snapshot import Entity

R = TypeVar("R")


class ModelledTransaction:
    """What a store holds, or would hold where the transaction is kept."""

    def __init__(self) -> None:
        self._documents: dict[tuple[str, str], str] = {}
        self._contributions: dict[str, Contribution] = {}
        self._entities: dict[str, Entity] = {}
        self._held: dict[str, Entity] = {}
        self._standing: dict[str, Contribution] = {}
        self.runs = 0

    def begun(self) -> "ModelledTransaction":
        """Return a copy to work on."""
        work = copy(self)
        work._documents, work._contributions = dict(self._documents), dict(self._contributions)  # noqa: SLF001 — its own copy
        work._entities, work._standing = dict(self._entities), dict(self._standing)  # noqa: SLF001 — its own copy
        return work

    def documents(self, kind: str) -> dict[str, Json]:
        """Return all small documents of a kind by key."""
        return {key: json.loads(text) for (held, key), text in self._documents.items() if held == kind}

    def put_document(self, kind: str, key: str, value: Json) -> None:
        """Keep a document, as text: what JSON cannot hold fails here as in any other store."""
        self._documents[kind, key] = json.dumps(value, allow_nan=False)

    def add_run(self, run: RunRow) -> None:  # noqa: ARG002 — only their number matters here
        """Count a run."""
        self.runs += 1

    def contributions(self) -> dict[str, Contribution]:
        """Return each source's last good contribution by key."""
        return dict(self._contributions)

    def last_checked(self) -> dict[str, datetime]:
        """Return when each source's last good contribution was accepted, by key."""
        return {key: held.checked_at for key, held in self._contributions.items()}

    def put_contribution(self, contribution: Contribution) -> None:
        """Keep a contribution in place of its source's last one."""
        self._contributions[contribution.source] = contribution

    def entities(self) -> dict[str, Entity]:
        """Return the entities of the current snapshot by id."""
        return dict(self._entities)

    def put_entities(self, entities: Iterable[Entity]) -> None:
        """Keep these entities in place of those of the same id."""
        self._entities |= {entity.id: entity for entity in entities}

    def remove_entities(self, ids: Iterable[str]) -> None:
        """Let go of entities that nobody claims any longer."""
        for each in ids:
            self._entities.pop(each, None)

    def confirm_snapshot(self, snapshot_id: str, entities: int, at: datetime) -> None:
        """Note nothing: snapshots are not what a simulation is about."""

    def held_entities(self) -> dict[str, Entity]:
        """Return the entities of the snapshot that is held back, by id."""
        return dict(self._held)

    def hold_entities(self, entities: Iterable[Entity]) -> None:
        """Hold back these entities in place of those that were held."""
        self._held = {entity.id: entity for entity in entities}

    def standing(self) -> dict[str, Contribution]:
        """Return what sources had said before something was held, by key."""
        return dict(self._standing)

    def keep_standing(self, contributions: Iterable[Contribution]) -> None:
        """Keep what sources had said, unless something older is kept of them already."""
        self._standing = {each.source: each for each in contributions} | self._standing

    def clear_standing(self) -> None:
        """Let go of what sources had said before."""
        self._standing = {}


class ModelledStore:
    """A store whose every call takes `latency` seconds, and of whose writes `fails` are refused, nothing kept."""

    def __init__(self, latency: float, fails: float, chance: Chance) -> None:
        self._latency = latency
        self._fails = fails
        self._chance = chance
        self.held = ModelledTransaction()

    async def read(self, work: Callable[[Transaction], R]) -> R:
        """Run `work` on what is held."""
        await asyncio.sleep(self._latency)
        return work(self.held.begun())

    async def write(self, work: Callable[[Transaction], R]) -> R:
        """Run `work` on a copy, and hold that unless it fails."""
        await asyncio.sleep(self._latency / 2)
        if self._chance.random() < self._fails:
            raise StoreError("the modelled store refuses")
        transaction = self.held.begun()
        done = work(transaction)
        self.held = transaction
        await asyncio.sleep(self._latency / 2)
        return done

    async def close(self) -> None:
        """Hold nothing open."""
