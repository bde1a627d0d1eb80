"""Plays a scenario against configured sources: their policies are real, their upstreams modelled, the time virtual."""

import asyncio
import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from data_source_orchestrator.core.clock import system_chance
from data_source_orchestrator.core.contract import Contract
from data_source_orchestrator.core.policies import (
    BudgetPolicy,
    HealthPolicy,
    LimitPolicy,
    OrchestratorConfig,
    RetryConfig,
)
from data_source_orchestrator.core.source import Source, rows_of
from data_source_orchestrator.fanout.coordinator import SourceCoordinator
from data_source_orchestrator.orchestration.orchestrator import DataSourceOrchestrator
from data_source_orchestrator.simulation.draws import Lots
from data_source_orchestrator.simulation.forecast import Forecast, Synced, forecast_of
from data_source_orchestrator.simulation.keeping import ModelledStore
from data_source_orchestrator.simulation.scenario import HANG, Outage, Scenario
from data_source_orchestrator.simulation.upstreams import Call, Upstream
from data_source_orchestrator.simulation.world import Fault, SourcePlan
from data_source_orchestrator.testing.recorder import Recorder
from data_source_orchestrator.testing.virtual_time import VirtualClock, run_virtual

ROUNDING = 1e-6
"""Of an interval; what sums of floats may miss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """How a house is set beside its sources, as its settings say: the members of a coordinator and an orchestrator."""

    run: OrchestratorConfig = OrchestratorConfig()
    retry: RetryConfig = RetryConfig()
    health: HealthPolicy = HealthPolicy()
    budget: BudgetPolicy = BudgetPolicy()
    limits: LimitPolicy | None = None
    hosts: Mapping[str, LimitPolicy] = field(default_factory=dict)


def play_outage(scenario: Scenario, sources: Iterable[Source[Any]], policies: Policies = Policies()) -> Forecast:
    """Return what would have happened to these sources; no upstream is asked, and no real time passes."""
    return run_virtual(_play(scenario, tuple(sources), policies))


async def _play(scenario: Scenario, sources: tuple[Source[Any], ...], policies: Policies) -> Forecast:
    clock, heard, chance = VirtualClock(), Recorder(), system_chance(scenario.seed)
    coordinator = SourceCoordinator(
        [_modelled(source, scenario, number) for number, source in enumerate(sources)],
        health=policies.health,
        limits=policies.limits,
        host_limits=policies.hosts,
        clock=clock,
        chance=chance,
    )
    cached = any(source.cache_policy is not None for source in sources)
    syncs = scenario.asks == "sync" and cached  # without a cache a fetch asks the same, and needs no store
    orchestrator = DataSourceOrchestrator(
        coordinator,
        policies.run,
        policies.retry,
        budget=policies.budget,
        store=ModelledStore(0.0, 0.0, chance) if syncs else None,
    )
    synced: list[Synced] = []
    with heard.listening(coordinator.hub):
        async with orchestrator:
            while clock.monotonic() < scenario.duration:
                at = clock.monotonic()
                result = (await orchestrator.sync()).result if syncs else await orchestrator.fetch()
                synced += [Synced(at=at, ended=clock.monotonic(), outcome=each) for each in result.outcomes.values()]
                await asyncio.sleep(_until_next(clock.monotonic(), scenario.interval))
    return forecast_of(scenario, {source.key: source.title for source in sources}, synced, heard.events)


def _until_next(now: float, interval: float) -> float:
    """Return the seconds until the next multiple of the interval: a sync that takes longer than one skips a turn."""
    return (math.floor(now / interval + ROUNDING) + 1) * interval - now


def _modelled(source: Source[Any], scenario: Scenario, number: int) -> Source[Any]:
    """Return a source with its own policies over a modelled upstream."""
    plan = SourcePlan(key=source.key, latency=scenario.latency)
    faults = tuple(f for outage in scenario.outages if outage.source == source.key for f in _faults(outage, scenario))
    lots, last_call = Lots(scenario.seed * 1_000_003 + number), deque[Call](maxlen=1)
    upstream = Upstream(plan, faults, lots, last_call, lambda: None)
    return source.but(fetcher=upstream, probe=None, contract=Contract(), records=rows_of, payload_type=None)


def _faults(outage: Outage, scenario: Scenario) -> tuple[Fault, ...]:
    """Return what strikes first, the errors, and what is left for the other calls, the slowness."""
    begins, ends = outage.begins, outage.ends
    latency = scenario.latency if outage.latency is None else outage.latency
    hangs = outage.kind == HANG
    return (
        Fault(
            source=outage.source,
            begins=begins,
            ends=ends,
            does="hang" if hangs else "fail",
            share=outage.error_rate,
            seconds=latency,
            kind="timeout" if hangs else outage.kind,
            retry_after=outage.retry_after,
        ),
        Fault(source=outage.source, begins=begins, ends=ends, does="slow", seconds=latency, share=outage.slow_rate),
    )
