"""The registry: which sources there are, which the operator wants, and how each of them is doing."""

import os
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from data_source_orchestrator.core.allowance import Allowance
from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.clock import Chance, Clock, SystemClock, system_chance
from data_source_orchestrator.core.contract import NO_BASELINE, Baseline
from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.errors import ConfigurationError, UnknownSourceError
from data_source_orchestrator.core.events import (
    BaselineForgotten,
    HealthChanged,
    SourceFinished,
    SourceForgotten,
    SourceRegistered,
    SourceSwitched,
    SourceUnreached,
)
from data_source_orchestrator.core.outcome import Executed, Success
from data_source_orchestrator.core.policies import BudgetPolicy, HealthPolicy, LimitPolicy
from data_source_orchestrator.core.result import refuse_shadowing
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.fanout.discovery import installed_plugins, sources_of
from data_source_orchestrator.fanout.hub import Hub
from data_source_orchestrator.fanout.scopes import Scopes
from data_source_orchestrator.health.live import LiveHealth
from data_source_orchestrator.health.metrics import SourceMetrics, source_metrics
from data_source_orchestrator.health.record import checked, readmitted
from data_source_orchestrator.health.reports import HealthReport, OverallHealth, overall, report
from data_source_orchestrator.health.state import Execution, SourceHealth, history
from data_source_orchestrator.health.status import HealthStatus, status_of
from data_source_orchestrator.resilience.alarms import Alarms
from data_source_orchestrator.resilience.breaker import CircuitBreaker
from data_source_orchestrator.resilience.budget import RetryBudget
from data_source_orchestrator.resilience.guard import Guard
from data_source_orchestrator.resilience.rate_limiter import RateLimiter


@dataclass(slots=True)
class _Entry:
    source: Source[Any]
    guard: Guard
    health: LiveHealth
    baseline: Baseline = NO_BASELINE


class SourceCoordinator:
    """Holds sources by key: with no argument those of the installed plug-ins, with a list just these.

    What it hands out is frozen; what was handed in is never changed. Sources of equal priority keep the order of their
    registration. `limits` hold for all sources together, `host_limits` for those that name the host; `budget` is what
    the extra calls of each source may spend that has none of its own.
    """

    def __init__(  # noqa: PLR0913 — each is another thing that is handed in
        self,
        sources: Iterable[Source[Any]] | None = None,
        *,
        health: HealthPolicy = HealthPolicy(),
        budget: BudgetPolicy = BudgetPolicy(),
        limits: LimitPolicy | None = None,
        host_limits: Mapping[str, LimitPolicy] | None = None,
        clock: Clock | None = None,
        chance: Chance | None = None,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.chance: Chance = chance or system_chance()
        self.hub = Hub()
        self._policy = health
        self._budget = budget
        self._alarms = Alarms(self.clock)
        self._scopes = Scopes(limits, host_limits or {}, self.clock)
        self._entries: dict[str, _Entry] = {}
        for source in sources_of(installed_plugins(), os.environ) if sources is None else sources:
            self.register_source(source)

    def register_source(self, source: Source[Any]) -> None:
        """Add a source; its key must be new, and no member of a result."""
        if not isinstance(source, Source):
            raise ConfigurationError(f"{source!r} is no source; decorate a function with @source(key=…)")
        refuse_shadowing(source.key)
        if source.key in self._entries:
            raise ConfigurationError(
                f"a source called {source.key!r} is registered already; unregister it first, or choose another key"
            )
        self._entries[source.key] = _Entry(source, self._guard_for(source), LiveHealth())
        self.hub.emit(SourceRegistered(at=self.clock.now(), source=source.key))

    def unregister_source(self, key: str) -> bool:
        """Forget a source and everything known of it; False where there is none of that key."""
        if self._entries.pop(key, None) is None:
            return False
        self._scopes.forget(key)
        self.hub.emit(SourceForgotten(at=self.clock.now(), source=key))
        return True

    def get_source(self, key: str) -> Source[Any] | None:
        """Return a source, or None where there is none of that key."""
        entry = self._entries.get(key)
        return entry.source if entry else None

    def get_all_sources(self) -> tuple[Source[Any], ...]:
        """Return every source by ascending priority."""
        return tuple(sorted((entry.source for entry in self._entries.values()), key=lambda source: source.priority))

    def get_enabled_sources(self) -> tuple[Source[Any], ...]:
        """Return the sources that a run would ask now: enabled by the operator, and let through by their breaker."""
        return tuple(source for source in self.get_all_sources() if source.enabled and self.admits(source.key))

    def get_sources_by_capability(self, capability: str) -> tuple[Source[Any], ...]:
        """Return the enabled sources that provide a capability, by ascending priority."""
        return tuple(source for source in self.get_enabled_sources() if capability in source.provides)

    def enable_source(self, key: str) -> bool:
        """Switch a source on, let it through its breaker, held or not, and clear its count; False if unknown.

        A wait that its upstream asked for ends too, for all who share its host.
        """
        entry = self._entries.get(key)
        if entry is None:
            return False
        if entry.source.switched_off_by:
            raise _kept_off(entry.source)
        entry.source = entry.source.but(enabled=True)
        entry.guard.breaker.stop_forcing()
        self._readmit(entry)
        self._tell(key, enabled=True, readmitted=True)
        return True

    def disable_source(self, key: str) -> bool:
        """Switch a source off until it is enabled again; False if unknown."""
        entry = self._entries.get(key)
        if entry is None:
            return False
        entry.source = entry.source.but(enabled=False)
        self._tell(key, enabled=False)
        return True

    def update_priority(self, key: str, priority: int) -> bool:
        """Give a source another priority, lower being first; False if unknown."""
        entry = self._entries.get(key)
        if entry is None:
            return False
        entry.source = entry.source.but(priority=priority)
        self._tell(key, priority=priority)
        return True

    def update_source(self, key: str, **changes: Any) -> Source[Any]:
        """Change members of a source, as `timeout=30`, and return it; the key itself cannot change."""
        entry = self._entry(key)
        if changes.get("key", key) != key:
            raise ConfigurationError(f"the key of {key!r} cannot change; unregister it and register another source")
        if changes.get("enabled") and entry.source.switched_off_by:
            raise _kept_off(entry.source)
        entry.source = entry.source.but(**changes)
        _follow(entry.guard, entry.source, changes)
        if "budget" in changes:
            entry.guard.budget.follow(entry.source.budget or self._budget)
        if "limits" in changes or "host" in changes:
            self._scopes.limit(entry.guard, entry.source)
        if "enabled" in changes or "priority" in changes:
            self._tell(key, enabled=changes.get("enabled"), priority=changes.get("priority"))
        return entry.source

    def get_health(self, key: str) -> SourceHealth:
        """Return what is known of a source's executions and checks."""
        return self._entry(key).health.state

    def get_source_stats(self, key: str) -> SourceMetrics:
        """Return the numbers of a source's executions."""
        return source_metrics(self.get_health(key))

    def baseline(self, key: str) -> Baseline:
        """Return what a source's last good payloads were like."""
        return self._entry(key).baseline

    def forget_baseline(self, key: str) -> bool:
        """Accept that a source has really shrunk: compare its next payload with none before it; False if unknown."""
        entry = self._entries.get(key)
        if entry is None:
            return False
        entry.baseline = NO_BASELINE
        self.hub.emit(BaselineForgotten(at=self.clock.now(), source=key))
        return True

    def get_execution_history(self, key: str, limit: int = 100) -> tuple[Execution, ...]:
        """Return a source's last executions, at most 100, the newest first; 0 gives none."""
        return history(self.get_health(key), limit)

    def get_health_report(self, key: str) -> HealthReport:
        """Return a source's health as it is told to people and programs."""
        entry = self._entry(key)
        return report(entry.source, entry.health.state, self._policy)

    def get_overall_health(self) -> OverallHealth:
        """Return the health of all sources together; those that the operator disabled enter no rule."""
        sources = self.get_all_sources()
        disabled = {source.key for source in sources if not source.enabled}
        return overall([self.get_health_report(source.key) for source in sources], disabled)

    def reset(self, key: str | None = None) -> None:
        """Forget executions, checks, baseline, breaker and pace of one source, or of all; switches and runs stay."""
        for entry in self._entries.values() if key is None else [self._entry(key)]:
            entry.health.load(SourceHealth())
            entry.baseline = NO_BASELINE
            self._scopes.forget(entry.source.key)
            entry.guard = self._guard_for(entry.source)
            self.hub.emit(SourceForgotten(at=self.clock.now(), source=entry.source.key))

    def admits(self, key: str) -> bool:
        """Return whether a source's breaker would let a call through now."""
        return self._entry(key).guard.breaker.admits

    def readmit(self, key: str) -> None:
        """Let a source through its breaker and past its upstream's wait, and clear its count of failures in a row."""
        self._readmit(self._entry(key))
        self._tell(key, readmitted=True)

    def guard(self, key: str) -> Guard:
        """Return what makes a source's calls safe."""
        return self._entry(key).guard

    @property
    def paces(self) -> Mapping[str, RateLimiter]:
        """The pace of every source, host and of all together that has one, by a name that every process gives it."""
        return self._scopes.paces

    def host_limits(self, host: str) -> LimitPolicy | None:
        """Return the limits of a host that sources name, None where it has none of its own."""
        return self._scopes.of_host(host)

    def observe(self, key: str, allowance: Allowance) -> None:
        """Let a source's pace follow what its upstream says is left."""
        entry = self._entries.get(key)
        if entry is not None and entry.guard.pace is not None:
            entry.guard.pace.observe(allowance)

    def hold(self, key: str, seconds: float) -> None:
        """Let a source make no further call for that many seconds, as its upstream wants it."""
        entry = self._entries.get(key)
        if entry is not None and entry.guard.pace is not None:
            entry.guard.pace.hold(seconds)

    def record(self, executed: Executed[Any], guard: Guard, at: datetime | None = None) -> None:
        """Fold an execution under this guard into its source's health, and tell that it ended, by default just now."""
        entry = self._guarded_by(guard)
        if entry is not None:
            now = self.clock.now() if at is None else at
            before = self._watched_status(entry)
            entry.health.note(executed, now)
            outcome = executed.outcome
            if isinstance(outcome, Success) and outcome.tally is not None:
                entry.baseline = entry.baseline.after(outcome.tally)
            self._tell_change(entry, before)
            if self.hub.hears(SourceFinished):
                self.hub.emit(SourceFinished(at=now, executed=executed))

    def record_later(self, executed: Executed[Any], guard: Guard, at: datetime) -> None:
        """Tell of an execution that ended at `at` and cannot be recorded yet, because it may be our own fault."""
        if self._guarded_by(guard) is not None and self.hub.hears(SourceUnreached):
            self.hub.emit(SourceUnreached(at=at, executed=executed))

    def record_check(self, executed: Executed[Any], guard: Guard, at: datetime) -> bool:
        """Keep what a health check under this guard found at `at`, apart from the executions; False where unknown."""
        entry = self._guarded_by(guard)
        if entry is None:
            return False
        entry.health.load(checked(entry.health.state, executed, at))
        return True

    def adopt_switch(self, key: str, *, enabled: bool | None, priority: int | None) -> None:
        """Take over the operator's stored switch; a setting that keeps the source off is stronger."""
        entry = self._entry(key)
        if enabled is not None and not entry.source.switched_off_by:
            entry.source = entry.source.but(enabled=enabled)
        if priority is not None:
            entry.source = entry.source.but(priority=priority)

    def adopt(self, key: str, health: SourceHealth) -> None:
        """Take over what a store remembers of a source's executions and checks."""
        self._entry(key).health.load(health)

    def adopt_baseline(self, key: str, baseline: Baseline) -> None:
        """Take over what a store remembers of a source's last good payloads."""
        self._entry(key).baseline = baseline

    def restore_breaker(self, key: str, state: Json) -> None:
        """Take over what a store remembers of a source's breaker."""
        self._entry(key).guard.breaker.restore(state)

    def _entry(self, key: str) -> _Entry:
        if key not in self._entries:
            raise UnknownSourceError(key, self._entries)
        return self._entries[key]

    def _guard_for(self, source: Source[Any]) -> Guard:
        guard = Guard(
            source.key,
            breaker=CircuitBreaker(source.breaker, clock=self.clock, chance=self.chance),
            budget=RetryBudget(source.budget or self._budget),
            clock=self.clock,
            chance=self.chance,
            alarms=self._alarms,
            events=self.hub,
        )
        self._scopes.limit(guard, source)
        guard.hedge_by(source.hedge)
        guard.stir_by(source.chaos)
        guard.classify_by(source.classification)
        return guard

    def _guarded_by(self, guard: Guard) -> _Entry | None:
        """Return the source that a guard guards, None where that was unregistered or reset meanwhile."""
        entry = self._entries.get(guard.key)
        return entry if entry is not None and entry.guard is guard else None

    def _readmit(self, entry: _Entry) -> None:
        entry.guard.breaker.readmit()
        if entry.guard.pace is not None:
            entry.guard.pace.lift()
        before = self._watched_status(entry)
        entry.health.load(readmitted(entry.health.state))
        self._tell_change(entry, before)

    def _tell(
        self, key: str, *, enabled: bool | None = None, priority: int | None = None, readmitted: bool = False
    ) -> None:
        now = self.clock.now()
        self.hub.emit(SourceSwitched(at=now, source=key, enabled=enabled, priority=priority, readmitted=readmitted))

    def _watched_status(self, entry: _Entry) -> HealthStatus | None:
        """Return the status where anybody hears of its changes; judging takes longer than an execution may."""
        return self._status(entry) if self.hub.hears(HealthChanged) else None

    def _tell_change(self, entry: _Entry, before: HealthStatus | None) -> None:
        if before is not None and (after := self._status(entry)) is not before:
            self.hub.emit(HealthChanged(at=self.clock.now(), source=entry.source.key, before=before, after=after))

    def _status(self, entry: _Entry) -> HealthStatus:
        return status_of(entry.health.state, timeout=in_seconds(entry.source.timeout), policy=self._policy)


def _follow(guard: Guard, source: Source[Any], changes: Container[str]) -> None:
    """Let a guard follow what has changed of its source."""
    guard.breaker.policy = source.breaker
    guard.classify_by(source.classification)
    if "hedge" in changes:
        guard.hedge_by(source.hedge)
    if "chaos" in changes:
        guard.stir_by(source.chaos)


def _kept_off(source: Source[Any]) -> ConfigurationError:
    return ConfigurationError(
        f"{source.key!r} is kept off by {source.switched_off_by}; change that setting to enable it"
    )
