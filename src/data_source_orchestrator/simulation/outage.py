"""Plays a scenario against configured sources: their policies are real, their upstreams modelled, the time virtual."""

import asyncio
import math
from collections import deque
from collections.abc import Iterable
from typing import Any

from data_source_orchestrator.core.clock import system_chance
from data_source_orchestrator.core.contract import Contract
from data_source_orchestrator.core.events import AttemptFinished, BreakerChanged
from data_source_orchestrator.core.policies import HealthPolicy, OrchestratorConfig, RetryConfig
from data_source_orchestrator.core.source import Source, rows_of
from data_source_orchestrator.fanout.coordinator import SourceCoordinator
from data_source_orchestrator.orchestration.orchestrator import DataSourceOrchestrator
from data_source_orchestrator.simulation.draws import Lots
from data_source_orchestrator.simulation.forecast import Forecast, Synced, forecast_of
from data_source_orchestrator.simulation.scenario import HANG, Outage, Scenario
from data_source_orchestrator.simulation.upstreams import Call, Upstream
from data_source_orchestrator.simulation.world import Fault, SourcePlan
from data_source_orchestrator.testing.recorder import Recorder
from data_source_orchestrator.testing.virtual_time import VirtualClock, run_virtual

ROUNDING = 1e-6
"""Of an interval; what sums of floats may miss."""


def play_outage(
    scenario: Scenario,
    sources: Iterable[Source[Any]],
    *,
    run: OrchestratorConfig = OrchestratorConfig(),
    retry: RetryConfig = RetryConfig(),
    health: HealthPolicy = HealthPolicy(),
) -> Forecast:
    """Return what would have happened to these sources; no upstream is asked, and no real time passes."""
    return run_virtual(_play(scenario, tuple(sources), run, retry, health))


async def _play(
    scenario: Scenario,
    sources: tuple[Source[Any], ...],
    run: OrchestratorConfig,
    retry: RetryConfig,
    health: HealthPolicy,
) -> Forecast:
    clock, heard = VirtualClock(), Recorder()
    coordinator = SourceCoordinator(
        [_modelled(source, scenario, number) for number, source in enumerate(sources)],
        health=health,
        clock=clock,
        chance=system_chance(scenario.seed),
    )
    orchestrator = DataSourceOrchestrator(coordinator, run, retry)
    synced: list[Synced] = []
    with heard.listening(coordinator.hub):
        async with orchestrator:
            while clock.monotonic() < scenario.duration:
                synced += await _sync(orchestrator, clock)
                await asyncio.sleep(_until_next(clock.monotonic(), scenario.interval))
    return forecast_of(
        scenario,
        {source.key: source.title for source in sources},
        synced,
        attempts=heard.of(AttemptFinished),
        trips=heard.of(BreakerChanged),
    )


async def _sync(orchestrator: DataSourceOrchestrator, clock: VirtualClock) -> list[Synced]:
    at = clock.monotonic()
    result = await orchestrator.fetch()
    return [Synced(at=at, ended=clock.monotonic(), outcome=outcome) for outcome in result.outcomes.values()]


def _until_next(now: float, interval: float) -> float:
    """Return the seconds until the next multiple of the interval: a sync that takes longer than one skips a turn."""
    return (math.floor(now / interval + ROUNDING) + 1) * interval - now


def _modelled(source: Source[Any], scenario: Scenario, number: int) -> Source[Any]:
    """Return a source with its own policies over a modelled upstream."""
    plan = SourcePlan(key=source.key, latency=scenario.latency)
    faults = tuple(f for outage in scenario.outages if outage.source == source.key for f in _faults(outage, scenario))
    lots, last_call = Lots(scenario.seed * 1_000_003 + number), deque[Call](maxlen=1)
    upstream = Upstream(plan, faults, lots, last_call, lambda: None)
    return source.but(fetcher=upstream, probe=None, contract=Contract(), records=rows_of)


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
        ),
        Fault(source=outage.source, begins=begins, ends=ends, does="slow", seconds=latency),
    )
