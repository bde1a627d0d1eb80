"""The library's front door: one object that fetches, checks, judges and keeps."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, aclosing, suppress
from functools import partial
from types import TracebackType
from typing import Any, Self

from data_source_orchestrator.core.claim import MergeRules
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.errors import ConfigurationError, StoreError
from data_source_orchestrator.core.events import BudgetRefused, Event, SourceForgotten
from data_source_orchestrator.core.held import Gate
from data_source_orchestrator.core.outcome import Outcome, Success
from data_source_orchestrator.core.policies import (
    BudgetPolicy,
    FreshnessPolicy,
    GatePolicy,
    OrchestratorConfig,
    Purpose,
    RetryConfig,
)
from data_source_orchestrator.core.ports import CacheStore, Inspection, ResponseStore, Store
from data_source_orchestrator.core.result import FetchResult, MetaResult
from data_source_orchestrator.core.snapshot import SnapshotChange
from data_source_orchestrator.fanout.coordinator import SourceCoordinator
from data_source_orchestrator.fanout.executor import Executor, Outcomes
from data_source_orchestrator.fanout.flights import Flights
from data_source_orchestrator.fanout.plan import Query, make_plan
from data_source_orchestrator.health.metrics import Metrics, metrics
from data_source_orchestrator.health.reports import HealthReport, OverallHealth
from data_source_orchestrator.orchestration.checkup import check_sources
from data_source_orchestrator.orchestration.commit import Kept
from data_source_orchestrator.orchestration.gate import Ruling
from data_source_orchestrator.orchestration.keeper import Keeper
from data_source_orchestrator.orchestration.politeness import Politeness, politeness
from data_source_orchestrator.orchestration.run import Run
from data_source_orchestrator.orchestration.showing import Standings, seen_in
from data_source_orchestrator.orchestration.status import Status, status_of
from data_source_orchestrator.orchestration.sync import (
    SyncReport,
    believed_rows,
    contributions_of,
    events_of,
    published,
    report_on,
)
from data_source_orchestrator.orchestration.views import SourceView, view
from data_source_orchestrator.resilience.background import Background
from data_source_orchestrator.resilience.budget import RetryBudget
from data_source_orchestrator.web.policy import HttpPolicy
from data_source_orchestrator.web.pool import HttpPool

_LOG = logging.getLogger("data_source_orchestrator")

META_CAPABILITIES = frozenset({"tier", "win_rate", "pick_rate"})
"""What `fetch_meta_only` is about."""


class DataSourceOrchestrator:
    """Fetches from many sources at once and gives back one answer that can be trusted.

    As an async context manager it keeps its connections open, and takes over from `store` what earlier processes
    left there. Without, each call opens what it needs and closes it again. `http` bounds what its own HTTP client takes
    from an upstream; `budget` is what the retries and hedges of one run may spend together, beside each source's own.
    `cached` keeps the result caches of those sources that tell the type of their payload; the others' are in memory.
    `responses` keeps the HTTP answers that `http.cache` wants kept, by default in memory.
    `gate` says how much a new snapshot may have lost and still be published, `freshness` what share of the time
    sources are meant to be fresh. `inspection` keeps what upstreams served that was no data, for people to look at,
    where there is a store. Times are in seconds.
    """

    def __init__(  # noqa: PLR0913 — each is another thing that is handed in
        self,
        coordinator: SourceCoordinator | None = None,
        config: OrchestratorConfig = OrchestratorConfig(),
        retry: RetryConfig = RetryConfig(),
        *,
        store: Store | None = None,
        rules: MergeRules = MergeRules(),
        http: HttpPolicy = HttpPolicy(),
        budget: BudgetPolicy = BudgetPolicy(),
        cached: CacheStore | None = None,
        gate: GatePolicy = GatePolicy(),
        freshness: FreshnessPolicy = FreshnessPolicy(),
        inspection: Inspection | None = None,
        responses: ResponseStore | None = None,
    ) -> None:
        self.coordinator = SourceCoordinator() if coordinator is None else coordinator
        self.config = config
        self.retry = retry
        self._clock = self.coordinator.clock
        self._http = HttpPool(http, clock=self._clock, responses=responses)
        self._background = Background()
        self._flights = Flights(self.coordinator, self._http, cached=cached, background=self._background)
        self._keeper = Keeper(self.coordinator, store, rules, self._http.robots, gate=gate, inspection=inspection)
        self._freshness = freshness
        self.coordinator.hub.follow(self._forget_soon, SourceForgotten)
        self._run_budget = budget
        self._entered: list[AsyncExitStack] = []

    async def __aenter__(self) -> Self:
        await self._keeper.load()
        async with AsyncExitStack() as entering:
            entering.push_async_callback(self._keeper.keep_the_rest)
            await entering.enter_async_context(self._http.use())
            await entering.enter_async_context(self._background)
            self._entered.append(entering.pop_all())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._forget_if_possible()
        await self._entered.pop().__aexit__(kind, error, trace)

    async def prepare(self) -> None:
        """Load the HTTP library and open a session, inside `async with`, so that no source's latency includes that."""
        await self._http.prepare()

    async def fetch_from_all_sources(self) -> FetchResult:
        """Ask every source, and return what each gave and how each ended; failed sources raise nothing."""
        return await self.fetch()

    async def fetch(self, *keys: str) -> FetchResult:
        """Ask these sources, or all where none is named."""
        run = await self._run("fetch", Query(keys=keys))
        return run.result(self._registered())

    def fetch_sync(self, *keys: str) -> FetchResult:
        """Ask these sources, or all where none is named, from a program without an event loop."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self.fetch(*keys))
        raise ConfigurationError("fetch_sync() was called where an event loop runs; use `await fetch()` there")

    async def fetch_meta_only(self) -> MetaResult:
        """Ask only the sources that provide tier, win_rate or pick_rate, and return their rows."""
        run = await self._run("fetch_meta_only", Query(capabilities=META_CAPABILITIES))
        result = run.result(self._registered())
        good = (outcome for outcome in result.outcomes.values() if isinstance(outcome, Success))
        rows = (row for outcome in good for row in believed_rows(run.plan.by_key[outcome.source], outcome))
        return MetaResult(rows, result)

    async def stream(self, *keys: str) -> AsyncGenerator[Outcome[Any], None]:
        """Ask these sources, or all, and yield each outcome as it comes; close the generator to stop early."""
        await self._keeper.load()
        run = self._begin("stream", Query(keys=keys))
        try:
            async with aclosing(self._outcomes(run)) as batches:
                async for outcomes in batches:
                    for outcome in outcomes:
                        yield outcome
        finally:
            await self._keeper.keep_if_possible()

    async def sync(self, *keys: str) -> SyncReport:
        """Ask these sources, or all, merge what they give with every source's last good data, and keep it.

        What is finished is kept even where the run is interrupted. A snapshot that has lost too much is held, and the
        one before stays published. Raises `StoreError` where nothing can be kept.
        """
        self._keeper.demand_store()
        await self._keeper.load()
        run = self._begin("sync", Query(keys=keys))
        try:
            await self._exhaust(run)
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
            await self._publish_if_possible(run)
            raise
        kept = await self._publish(run)
        result = run.result(self._registered())
        return report_on(run, result, kept)

    async def check_source_health(self, *keys: str) -> list[HealthReport]:
        """Check these sources, or all, by their light probes, all at once, and report on each.

        A check is the operator's: a source that answers is let through its breaker again. What the operator has
        disabled is reported on, but not asked.
        """
        await self._keeper.load()
        plan = make_plan(Query(keys=keys), self.coordinator.get_all_sources())
        try:
            async with self._http.use():
                await check_sources(self.coordinator, self._flights, plan, self.config, self._keeper.note)
        finally:
            await self._keeper.keep_if_possible()
        return [report for report in self.get_health_reports() if report.key in plan.by_key]

    def get_health_reports(self) -> list[HealthReport]:
        """Return each source's health, by ascending priority, without asking anybody."""
        return [self.coordinator.get_health_report(source.key) for source in self.coordinator.get_all_sources()]

    def get_overall_health(self) -> OverallHealth:
        """Return the health of all sources together, without asking anybody."""
        return self.coordinator.get_overall_health()

    def get_metrics(self) -> Metrics:
        """Return all runs, and each source's executions, in numbers."""
        sources = self.coordinator.get_all_sources()
        return metrics(self._keeper.totals, {source.key: self.coordinator.get_health(source.key) for source in sources})

    async def get_politeness(self) -> Politeness:
        """Return what each source has asked of whom, for a site's owner to see; it is counted only with a store."""
        return await politeness(self.coordinator, self._keeper.traffic, self._http.robots, self._http.user_agent)

    def get_source_views(self) -> list[SourceView]:
        """Return each source as it stands now: its settings, switches, breaker, freshness and capabilities."""
        return [
            view(self.coordinator, source, self._keeper.last_checked.get(source.key), self._keeper.carried)
            for source in self.coordinator.get_all_sources()
        ]

    def get_gate(self) -> Gate:
        """Return what the gate holds, whose rejected data it does not take, and what was decided last."""
        return self._keeper.gate

    def get_status(self) -> Status:
        """Return how fresh each source and each capability is, against the objective, and how the gate stands."""
        return status_of(self.get_source_views(), self._keeper, self._freshness, self._clock.now())

    async def accept_held(self, *, why: str = "", snapshot: str = "") -> SnapshotChange | None:
        """Publish what the gate holds: it is the measure from now on; with `snapshot` only where its id begins so.

        Where nothing is held and data was rejected before, that is taken again from the next run on, and None
        returned. Raises `ConfigurationError` where there is nothing to accept, or another snapshot is held by now.
        """
        change = await self._decide(accept=True, why=why, snapshot=snapshot)
        if change is not None and change.id is not None:
            self.coordinator.hub.emit(published(change, change.id, self._clock.now()))
        return change

    async def reject_held(self, *, why: str = "", snapshot: str = "") -> None:
        """Forget what the gate holds, and believe again what those had said of whom something is missing there.

        What they said instead is not taken again while they say exactly that. Raises as `accept_held` does.
        """
        await self._decide(accept=False, why=why, snapshot=snapshot)

    async def enable(self, key: str) -> bool:
        """Switch a source on, let it through its breaker, and keep that; False if unknown."""
        return await self._act(partial(self.coordinator.enable_source, key))

    async def disable(self, key: str) -> bool:
        """Switch a source off, and keep that; False if unknown."""
        return await self._act(partial(self.coordinator.disable_source, key))

    async def prioritise(self, key: str, priority: int) -> bool:
        """Give a source another priority, lower being first, and keep that; False if unknown."""
        return await self._act(partial(self.coordinator.update_priority, key, priority))

    async def forget_baseline(self, key: str) -> bool:
        """Accept that a source has really shrunk, and keep that; False if unknown.

        Its next payload is compared with none before it, and judged by what its contract says in so many numbers.
        """
        return await self._act(partial(self.coordinator.forget_baseline, key))

    def get_drift(self) -> Standings:
        """Return how the documents stand that each source has shown, by its key and their names.

        That is as the store told it last: at the start, or after this process's last transaction.
        """
        return self._keeper.standings

    async def accept_drift(self, key: str) -> bool:
        """Take what a source's documents are made of now for usual, and keep that; False if unknown.

        Raises `StoreError` where it cannot be kept.
        """
        await self._keeper.load()
        known = self.coordinator.get_source(key) is not None
        if known:
            await self._keeper.accept_drift(key)
        return known

    async def finish_refreshes(self) -> None:
        """Wait for the answers that are being fetched in the background, each in its source's own time, and keep them.

        Whoever leaves `async with` at once ends them instead.
        """
        if await self._background.finish():
            await self._keeper.keep_if_possible()

    async def reset(self, key: str | None = None) -> None:
        """Forget executions, checks, baseline, breaker, pace and cached answers of one source or all, and keep that.

        What its documents are made of is forgotten too; switches and counts of runs stay. Raises `UnknownSourceError`,
        and `StoreError` where it cannot be kept.
        """
        await self._keeper.load()
        self.coordinator.reset(key)
        await self._flights.forget()
        await self._keeper.keep()

    def _forget_soon(self, _: Event) -> None:
        """Let caches forget a source in their store at once, where somebody keeps the background open for that."""
        with suppress(RuntimeError):  # no event loop is running here: it is done before the source is asked again
            self._background.start("forget", self._forget_if_possible)

    async def _forget_if_possible(self) -> None:
        try:
            await self._flights.forget()
        except StoreError as error:
            _LOG.error("not forgotten yet: %s", error)

    async def _decide(self, *, accept: bool, why: str, snapshot: str) -> SnapshotChange | None:
        self._keeper.demand_store()
        await self._keeper.load()
        ruling = Ruling(accept=accept, at=self._clock.now(), why=why, snapshot=snapshot)
        return await self._keeper.decide(ruling)

    async def _act(self, act: Callable[[], bool]) -> bool:
        await self._keeper.load()
        known = act()
        if known:
            await self._keeper.keep()
        return known

    def _begin(self, verb: str, query: Query) -> Run:
        plan = make_plan(query, self.coordinator.get_all_sources())
        required = self.config.min_successful_sources
        if query != Query():  # whoever asks for fewer sources cannot be given more
            required = min(required, max(1, len(plan.sources)))
        return Run(
            verb,
            plan,
            required=required,
            accept_stale=self.config.accept_stale,
            clock=self._clock,
            chance=self.coordinator.chance,
        )

    async def _run(self, verb: str, query: Query) -> Run:
        await self._keeper.load()
        run = self._begin(verb, query)
        try:
            await self._exhaust(run)
        finally:
            await self._keeper.keep_if_possible()
        return run

    async def _publish(self, run: Run) -> Kept:
        now = self._clock.now()
        seen = await seen_in(run, self._keeper.standings, now)
        kept = await self._keeper.publish(contributions_of(run, now), seen)
        for event in events_of(kept, now):
            self.coordinator.hub.emit(event)
        return kept

    async def _publish_if_possible(self, run: Run) -> None:
        """Keep what is finished of an interrupted run; a store that fails must not hide the interruption."""
        try:
            await self._publish(run)
        except StoreError as error:
            _LOG.error("what was finished is not kept: %s", error)

    async def _exhaust(self, run: Run) -> None:
        async with aclosing(self._outcomes(run)) as outcomes:
            async for _ in outcomes:
                pass

    async def _outcomes(self, run: Run) -> Outcomes:
        """Run a plan, giving outcomes as they come; by whatever way it ends, it is counted and told."""
        deadline = Deadline.after(self._clock, in_seconds(self.config.timeout))
        budget = RetryBudget(self._run_budget, on_refusal=self._run_budget_refused)
        executor = Executor(
            self._flights, self.config, self.retry, budget=budget, deadline=deadline, afresh=run.verb == "sync"
        )
        self.coordinator.hub.emit(run.begun())
        try:
            async with self._http.use(), aclosing(executor.stream(run.plan)) as batches:
                async for outcomes in batches:
                    run.add(outcomes)
                    yield outcomes
        finally:
            run.finish(executor.offline)
            self._keeper.ended(run)
            self.coordinator.hub.emit(run.finished())

    def _run_budget_refused(self, purpose: Purpose) -> None:
        self.coordinator.hub.emit(BudgetRefused(at=self._clock.now(), source=None, purpose=purpose))

    def _registered(self) -> list[str]:
        return [source.key for source in self.coordinator.get_all_sources()]
