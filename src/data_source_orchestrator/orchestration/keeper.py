"""Keeps what must outlast the process, and takes over at the start what earlier processes left.

Without a store it counts runs and nothing more. It hears of whatever happens through the coordinator's hub.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from data_source_orchestrator.core.claim import Contribution, Json, MergeRules
from data_source_orchestrator.core.contract import NO_BASELINE, Baseline
from data_source_orchestrator.core.errors import ConfigurationError, StoreError
from data_source_orchestrator.core.events import (
    BaselineForgotten,
    Event,
    SourceFinished,
    SourceForgotten,
    SourceRegistered,
    SourceSwitched,
)
from data_source_orchestrator.core.held import Gate
from data_source_orchestrator.core.outcome import Failure
from data_source_orchestrator.core.policies import GatePolicy
from data_source_orchestrator.core.ports import Breach, Inspection, Store
from data_source_orchestrator.core.snapshot import SnapshotChange
from data_source_orchestrator.core.waiting import to_their_end
from data_source_orchestrator.fanout.coordinator import SourceCoordinator
from data_source_orchestrator.health.metrics import RunTotals, run_finished
from data_source_orchestrator.health.state import SourceHealth
from data_source_orchestrator.health.timeliness import Timeliness
from data_source_orchestrator.orchestration.baselines import moved_by
from data_source_orchestrator.orchestration.commit import Batch, Kept, commit, remembered
from data_source_orchestrator.orchestration.content import Contents
from data_source_orchestrator.orchestration.gate import Ruling
from data_source_orchestrator.orchestration.happened import Happened, Ran, fold, slim, source_of
from data_source_orchestrator.orchestration.paces import follow_paces, offered_paces, take_paces
from data_source_orchestrator.orchestration.publish import Publication, carried_by
from data_source_orchestrator.orchestration.run import Run
from data_source_orchestrator.orchestration.showing import SeenOf, Standings
from data_source_orchestrator.orchestration.tally import Tally, Traffic, together
from data_source_orchestrator.orchestration.versioned import NEVER_STORED, Versioned
from data_source_orchestrator.web.robots import Robots

_LOG = logging.getLogger("data_source_orchestrator")

Work = Publication | Ruling | None
"""What a transaction does beside keeping what happened."""

MOST_UNKEPT = 10_000
"""Things that are remembered for a store that keeps failing; the oldest are let go first."""


@dataclass(frozen=True, slots=True)
class _Offer:
    """What a transaction does beside keeping what has happened, and what sources have shown."""

    work: Work = None
    seen: tuple[SeenOf, ...] = ()
    accepted: tuple[str, ...] = ()


class Keeper:
    """Stands between the live coordinator and a store, which other processes may write to as well."""

    def __init__(  # noqa: PLR0913 — each is another thing that is handed in
        self,
        coordinator: SourceCoordinator,
        store: Store | None,
        rules: MergeRules,
        robots: Robots,
        *,
        gate: GatePolicy = GatePolicy(),
        inspection: Inspection | None = None,
    ) -> None:
        self.totals = RunTotals()
        self._coordinator = coordinator
        self._store = store
        self._rules = rules
        self._gate = gate
        self._inspection = inspection
        self._breaches: dict[str, Breach] = {}
        self._robots = robots
        self._tally = None if store is None else Tally(coordinator.hub)
        self._unkept: list[Happened] = []
        self._being_kept: list[Happened] = []
        self._kept: Kept | None = None
        self._failing = ""
        self._turns: dict[asyncio.AbstractEventLoop, asyncio.Lock] = {}
        if store is not None:
            coordinator.hub.follow(
                self._heard, SourceFinished, SourceSwitched, SourceForgotten, BaselineForgotten, SourceRegistered
            )

    @property
    def last_checked(self) -> Mapping[str, datetime]:
        """When each source's last good contribution was accepted."""
        return self._kept.last_checked if self._kept else {}

    @property
    def carried(self) -> Mapping[str, frozenset[str]]:
        """The capabilities that each source's accepted rows have ever carried."""
        return self._kept.carried if self._kept else {}

    @property
    def contents(self) -> Mapping[str, Contents]:
        """What each source has said last, by digest."""
        return self._kept.contents if self._kept else {}

    @property
    def timeliness(self) -> Mapping[str, Timeliness]:
        """When each source was read, and when it was not fresh."""
        return self._kept.timeliness if self._kept else {}

    @property
    def gate(self) -> Gate:
        """The gate as it stands in the store."""
        return self._kept.gate if self._kept else Gate()

    @property
    def standings(self) -> Standings:
        """How the documents stand that each source has shown."""
        return self._kept.standings if self._kept else {}

    @property
    def traffic(self) -> Traffic:
        """What each source has asked of whom; nothing is counted without a store."""
        counted = {} if self._tally is None else self._tally.counted
        return together(self._kept.traffic if self._kept else {}, counted)

    def demand_store(self) -> Store:
        """Return the store, or refuse what needs one where there is none."""
        if self._store is None:
            raise ConfigurationError("sync() needs somewhere to keep what it merges; give the orchestrator a store")
        return self._store

    async def load(self) -> None:
        """Take over switches, health, breakers, paces and totals from the store, once."""
        if self._store is None or self._kept is not None:
            return
        async with self._turn():
            await self._load(self._store)

    async def _load(self, store: Store) -> None:
        if self._kept is not None:
            return  # somebody else's call has done it meanwhile
        self._kept = await store.read(remembered)
        for source in self._coordinator.get_all_sources():
            self._take_over(source.key, self._kept)
        take_paces(self._coordinator, self._kept.paces, self._pending)
        self._robots.take_over(self._kept.robots)
        self._count_runs(self._kept)

    def ended(self, run: Run) -> None:
        """Count a run that has ended, and remember it until it is kept."""
        self.totals = run_finished(self.totals, run.metadata)
        if self._store is not None:
            self.note(run.ran())

    def note(self, happened: Happened) -> None:
        """Remember something that happened until it is kept."""
        if self._store is not None:
            self._unkept.append(happened)
            del self._unkept[:-MOST_UNKEPT]

    async def keep(self) -> None:
        """Keep, in one transaction, all that happened since the last one."""
        if self._store is not None:
            await self._write(self._store, _Offer())

    async def keep_if_possible(self) -> None:
        """Keep what happened; where the store fails, tell it in the log, once for each reason, and try next time."""
        try:
            await self.keep()
        except StoreError as error:
            if str(error) != self._failing:
                _LOG.error("not kept yet: %s", error)
            self._failing = str(error)
        else:
            self._failing = ""

    async def keep_the_rest(self) -> None:
        """Keep what has happened since the last transaction, if anything has: a refresh outlasts its run."""
        if self._unkept:
            await self.keep_if_possible()

    async def publish(self, contributions: tuple[Contribution, ...], seen: tuple[SeenOf, ...]) -> Kept:
        """Keep what happened, what a run contributed and what it was shown; make a snapshot, and publish or hold it."""
        return await self._write(self.demand_store(), _Offer(self._publication(contributions), seen))

    async def decide(self, ruling: Ruling) -> SnapshotChange | None:
        """Do what an operator decided of what the gate holds, and return what that published."""
        return (await self._write(self.demand_store(), _Offer(ruling))).change

    async def accept_drift(self, key: str) -> None:
        """Take what a source's documents are now for usual, and keep that with all that happened."""
        await self._write(self.demand_store(), _Offer(accepted=(key,)))

    async def _write(self, store: Store, offer: "_Offer") -> Kept:
        """Commit in a task of its own, so that a cancellation leaves neither the store nor this half-done."""
        task = asyncio.create_task(self._commit(store, offer))
        try:
            await to_their_end([task])
        except asyncio.CancelledError:
            if failure := task.exception():
                _LOG.error("not kept yet: %s", failure)
            raise
        return task.result()

    @property
    def _pending(self) -> list[Happened]:
        """All that has happened and that the store's view does not hold yet."""
        return [*self._being_kept, *self._unkept]

    async def _commit(self, store: Store, offer: "_Offer") -> Kept:
        async with self._turn():
            self._being_kept, self._unkept = self._unkept, []
            traffic = {} if self._tally is None else self._tally.take()
            try:
                offered = self._offered()
                paces = offered_paces(self._coordinator, self._kept.paces if self._kept else {}, self._being_kept)
                batch = Batch(
                    happened=tuple(self._being_kept),
                    breakers=offered,
                    paces=paces,
                    publication=offer.work if isinstance(offer.work, Publication) else None,
                    ruling=offer.work if isinstance(offer.work, Ruling) else None,
                    seen=offer.seen,
                    accepted=offer.accepted,
                    traffic=traffic,
                    robots=self._robots.documents,
                )
                kept = await store.write(lambda transaction: commit(transaction, batch))
            except Exception:
                self._unkept[:0] = self._being_kept  # the next transaction keeps them
                if self._tally is not None:
                    self._tally.give_back(traffic)
                raise
            finally:
                self._being_kept = []
            self._adopt(kept, offered)
            follow_paces(self._coordinator, kept.paces, paces, self._pending)
            await self._keep_breaches()
            for drifted in kept.drifted:
                self._coordinator.hub.emit(drifted)
            return kept

    def _note_breach(self, finished: SourceFinished) -> None:
        """Remember what was no data until it is kept: of each source the last, for it may be large."""
        outcome = finished.executed.outcome
        if self._inspection is not None and isinstance(outcome, Failure) and outcome.served:
            self._breaches[outcome.source] = Breach(
                source=outcome.source, at=finished.at, message=outcome.message, served=outcome.served
            )

    async def _keep_breaches(self) -> None:
        """Keep for inspection what was no data; where that cannot be done, nothing else is lost."""
        while self._inspection is not None and self._breaches:
            _, breach = self._breaches.popitem()
            try:
                await self._inspection.keep(breach)
            except StoreError as error:
                _LOG.error("%s: what it served is not kept for inspection: %s", breach.source, error)

    def _turn(self) -> asyncio.Lock:
        """Return what lets one transaction of this process follow another, on the running loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._turns:
            self._turns = {loop: asyncio.Lock()}
        return self._turns[loop]

    def _heard(self, event: Event) -> None:
        match event:
            case SourceFinished():
                self._note_breach(event)
                self.note(slim(event))
            case SourceSwitched() | SourceForgotten() | BaselineForgotten():
                self.note(event)
            case SourceRegistered(source=key) if self._kept is not None:
                self._take_over(key, self._kept)
                take_paces(self._coordinator, self._kept.paces, self._pending)
            case _:
                pass

    def _take_over(self, key: str, kept: Kept) -> None:
        """Take over what the store remembers of a source, with what has happened here since on top of it."""
        if any(isinstance(each, SourceForgotten) and each.source == key for each in self._pending):
            return
        self._take_switch(key, kept.switches.get(key))
        self._coordinator.adopt(key, self._folded(key, kept))
        self._coordinator.adopt_baseline(key, self._baseline(key, kept))
        readmitted = any(isinstance(e, SourceSwitched) and e.source == key and e.readmitted for e in self._pending)
        if not readmitted:
            self._coordinator.restore_breaker(key, kept.breakers.get(key, NEVER_STORED).state)

    def _take_switch(self, key: str, stored: Json) -> None:
        """Follow the operator's stored switch, but for what was switched here meanwhile."""
        said = dict(stored) if isinstance(stored, Mapping) else {}
        for each in self._pending:
            if isinstance(each, SourceSwitched) and each.source == key:
                said |= {"enabled": each.enabled} if each.enabled is not None else {}
                said |= {"priority": each.priority} if each.priority is not None else {}
        enabled, priority = said.get("enabled"), said.get("priority")
        self._coordinator.adopt_switch(
            key,
            enabled=enabled if isinstance(enabled, bool) else None,
            priority=priority if isinstance(priority, int) and not isinstance(priority, bool) else None,
        )

    def _folded(self, key: str, kept: Kept) -> SourceHealth:
        health = kept.health.get(key, SourceHealth())
        for happened in self._pending:
            if not isinstance(happened, Ran) and source_of(happened) == key:
                health = fold(health, happened)
        return health

    def _baseline(self, key: str, kept: Kept) -> Baseline:
        baseline = kept.baselines.get(key, NO_BASELINE)
        for happened in self._pending:
            if not isinstance(happened, Ran) and source_of(happened) == key:
                baseline = moved_by(baseline, happened)
        return baseline

    def _count_runs(self, kept: Kept) -> None:
        self.totals = kept.totals
        for happened in self._pending:
            if isinstance(happened, Ran):
                self.totals = run_finished(self.totals, happened.metadata)

    def _adopt(self, kept: Kept, offered: Mapping[str, Versioned]) -> None:
        """Take over the store's view after a transaction; where another process moved a breaker, follow it."""
        self._kept = kept
        self._robots.take_over(kept.robots)
        self._count_runs(kept)
        for source in self._coordinator.get_all_sources():
            key = source.key
            self._coordinator.adopt(key, self._folded(key, kept))
            self._coordinator.adopt_baseline(key, self._baseline(key, kept))
            stored = kept.breakers.get(key)
            if stored is not None and key in offered and stored.state != offered[key].state:
                self._coordinator.restore_breaker(key, stored.state)

    def _offered(self) -> dict[str, Versioned]:
        stored = self._kept.breakers if self._kept else {}
        return {
            source.key: Versioned(
                version=stored.get(source.key, NEVER_STORED).version,
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
            titles={source.key: source.title for source in sources},
            gate=self._gate,
            at=self._coordinator.clock.now(),
        )
