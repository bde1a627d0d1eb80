"""Keeps what must outlast the process, and takes over at the start what earlier processes left.

Without a store it remembers runs and nothing more.
"""

import logging
from collections.abc import Mapping
from datetime import datetime

from data_source_orchestrator.core.claim import Contribution, Json, MergeRules
from data_source_orchestrator.core.errors import ConfigurationError, StoreError
from data_source_orchestrator.core.events import Event, SourceFinished
from data_source_orchestrator.core.ports import Store
from data_source_orchestrator.core.result import Metadata
from data_source_orchestrator.core.snapshot import SnapshotChange
from data_source_orchestrator.fanout.coordinator import SourceCoordinator
from data_source_orchestrator.health.metrics import RunTotals, run_finished
from data_source_orchestrator.orchestration.commit import NEVER_STORED, Batch, Breaker, Kept, commit, remembered
from data_source_orchestrator.orchestration.happened import Happened, fold, source_of
from data_source_orchestrator.orchestration.publish import Publication, carried_by
from data_source_orchestrator.orchestration.run import Run

_LOG = logging.getLogger("data_source_orchestrator")


class Keeper:
    """Stands between the live coordinator and a store, which other processes may write to as well."""

    def __init__(self, coordinator: SourceCoordinator, store: Store | None, rules: MergeRules) -> None:
        self.totals = RunTotals()
        self.last_checked: Mapping[str, datetime] = {}
        self.carried: Mapping[str, frozenset[str]] = {}
        self._coordinator = coordinator
        self._store = store
        self._rules = rules
        self._unkept: list[Happened] = []
        self._loaded = False
        self._breakers: Mapping[str, Breaker] = {}
        coordinator.hub.listen(self._heard)

    async def load(self) -> None:
        """Take over switches, health, breakers and totals from the store, once."""
        if self._store is None or self._loaded:
            return
        kept = await self._store.read(remembered)
        for source in self._coordinator.get_all_sources():
            self._take_switch(source.key, kept.switches.get(source.key))
        self._adopt(kept, {})
        self._loaded = True

    def note(self, happened: Happened) -> None:
        """Remember something that happened until it is kept."""
        if isinstance(happened, Metadata):
            self.totals = run_finished(self.totals, happened)
        if self._store is not None:
            self._unkept.append(happened)

    async def keep(self, run: Run | None = None) -> None:
        """Keep, in one transaction, all that happened since the last one, with the run that ended."""
        if self._store is not None:
            await self._write(self._store, run, None)

    async def keep_if_possible(self, run: Run) -> None:
        """Keep a run whose data its caller waits for: where the store fails, tell it in the log and try next time."""
        try:
            await self.keep(run)
        except StoreError as error:
            _LOG.error("the run is not kept: %s", error)

    async def publish(self, run: Run, contributions: tuple[Contribution, ...]) -> SnapshotChange:
        """Keep a run and what it contributed, and make the current snapshot of that."""
        if self._store is None:
            raise ConfigurationError("sync() needs somewhere to keep what it merges; give the orchestrator a store")
        kept = await self._write(self._store, run, self._publication(contributions))
        return kept.change or SnapshotChange(id=None, entities=0)

    async def _write(self, store: Store, run: Run | None, publication: Publication | None) -> Kept:
        happened, self._unkept = self._unkept, []
        batch = Batch(
            happened=tuple(happened),
            breakers=self._offered(),
            run=run.row() if run else None,
            publication=publication,
        )
        try:
            kept = await store.write(lambda transaction: commit(transaction, batch))
        except Exception:
            self._unkept[:0] = happened  # the next transaction keeps them
            raise
        self._adopt(kept, batch.breakers)
        return kept

    def _heard(self, event: Event) -> None:
        if isinstance(event, SourceFinished):
            self.note(event)

    def _take_switch(self, key: str, switch: Json) -> None:
        """Follow the operator's stored switch, unless a setting keeps the source off."""
        source = self._coordinator.get_source(key)
        if source is None or not isinstance(switch, Mapping):
            return
        enabled, priority = switch.get("enabled"), switch.get("priority")
        if isinstance(enabled, bool) and not source.switched_off_by:
            self._coordinator.update_source(key, enabled=enabled)
        if isinstance(priority, int) and not isinstance(priority, bool):
            self._coordinator.update_source(key, priority=priority)

    def _adopt(self, kept: Kept, offered: Mapping[str, Breaker]) -> None:
        """Take over the store's view, with what has happened here since on top of it."""
        self._adopt_breakers(kept.breakers, offered)
        self.last_checked = kept.last_checked
        self.carried = kept.carried
        self.totals = kept.totals
        health = dict(kept.health)
        for happened in self._unkept:
            key = source_of(happened)
            if key in health:
                health[key] = fold(health[key], happened)
            if isinstance(happened, Metadata):
                self.totals = run_finished(self.totals, happened)
        for key, state in health.items():
            if self._coordinator.get_source(key):
                self._coordinator.adopt(key, state)

    def _adopt_breakers(self, stored: Mapping[str, Breaker], offered: Mapping[str, Breaker]) -> None:
        """Follow the store where another process has moved a breaker meanwhile."""
        self._breakers = stored
        for key, breaker in stored.items():
            followed = key in offered and offered[key].state == breaker.state
            if not followed and self._coordinator.get_source(key):
                self._coordinator.restore_breaker(key, breaker.state)

    def _offered(self) -> dict[str, Breaker]:
        return {
            source.key: Breaker(
                version=self._breakers.get(source.key, NEVER_STORED).version,
                state=self._coordinator.guard(source.key).breaker.to_state(),
            )
            for source in self._coordinator.get_all_sources()
        }

    def _publication(self, contributions: tuple[Contribution, ...]) -> Publication:
        sources = self._coordinator.get_all_sources()
        return Publication(
            contributions=contributions,
            carried=carried_by(contributions, sources, self._rules),
            rules=self._rules,
            intervals={source.key: source.update_interval for source in sources},
            priorities={source.key: source.priority for source in sources},
            at=self._coordinator.clock.now(),
        )
