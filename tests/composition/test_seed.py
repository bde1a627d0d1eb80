"""The ten lines of the owner's README under "Test Coverage", one test each: `pytest -m seed`."""

from typing import Any

import pytest

from data_source_orchestrator import (
    DataSourceOrchestrator,
    Failure,
    FailureKind,
    FetchError,
    HealthStatus,
    OrchestratorConfig,
    RetryConfig,
    Source,
    SourceCoordinator,
)
from data_source_orchestrator.testing import After, Hang, VirtualClock, script_of, scripted

pytestmark = pytest.mark.seed

DOWN = FetchError("server", "the server is down")


def house(*sources: Source[Any], retry: RetryConfig = RetryConfig(), **config: Any) -> DataSourceOrchestrator:
    coordinator = SourceCoordinator(sources, clock=VirtualClock())
    return DataSourceOrchestrator(coordinator, OrchestratorConfig(**config), retry)


def three_of_300_ms() -> list[Source[Any]]:
    return [scripted(key, After(0.3, [key])) for key in ("codarmory", "wzstats", "codmunity")]


async def test_parallel_execution():
    result = await house(*three_of_300_ms()).fetch_from_all_sources()
    assert result.metadata.total_duration == pytest.approx(0.3)
    assert result.metadata.success_count == 3


async def test_sequential_execution():
    result = await house(*three_of_300_ms(), parallel_execution=False).fetch_from_all_sources()
    assert result.metadata.total_duration == pytest.approx(0.9)
    assert result.metadata.success_count == 3


async def test_partial_failures():
    result = await house(scripted("good", [1]), scripted("bad", DOWN), max_retries=0).fetch_from_all_sources()
    assert result.good == [1]
    assert result.bad is None
    assert (result.metadata.success_count, result.metadata.failure_count) == (1, 1)


async def test_timeout_handling():
    result = await house(scripted("hung", Hang(), timeout=30), timeout=60).fetch_from_all_sources()
    outcome = result.outcomes["hung"]
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.TIMEOUT
    assert result.metadata.total_duration == pytest.approx(30)


async def test_retry_logic_with_exponential_backoff():
    source = scripted("flaky", DOWN, DOWN, DOWN, "data")
    result = await house(source, retry=RetryConfig(jitter=False)).fetch_from_all_sources()
    assert script_of(source).calls == pytest.approx([0, 1, 3, 7])
    assert result["flaky"] == "data"


async def test_health_monitoring():
    orchestrator = house(scripted("good", After(0.2, 1)), scripted("bad", DOWN), max_retries=0)
    assert orchestrator.get_overall_health().status is HealthStatus.UNKNOWN
    for _ in range(4):
        await orchestrator.fetch_from_all_sources()
    good, bad = orchestrator.get_health_reports()
    assert (good.status, good.uptime, good.consecutive_failures) == (HealthStatus.HEALTHY, 100.0, 0)
    assert good.average_latency == pytest.approx(0.2)
    assert (bad.status, bad.uptime, bad.consecutive_failures) == (HealthStatus.DOWN, 0.0, 4)


async def test_metrics_tracking():
    orchestrator = house(scripted("a", After(0.5, 1)))
    assert orchestrator.get_metrics().success_rate is None
    await orchestrator.fetch_from_all_sources()
    told = orchestrator.get_metrics()
    assert (told.total_executions, told.successful_executions, told.success_rate) == (1, 1, 1.0)
    assert told.average_duration == pytest.approx(0.5)
    assert told.source_metrics["a"].executions == 1


async def test_source_enable_and_disable():
    source = scripted("a", "data")
    orchestrator = house(source)
    orchestrator.coordinator.disable_source("a")
    assert (await orchestrator.fetch_from_all_sources()).get("a") is None
    orchestrator.coordinator.enable_source("a")
    assert (await orchestrator.fetch_from_all_sources())["a"] == "data"


async def test_priority_management():
    orchestrator = house(
        scripted("a", After(1, 1), priority=1), scripted("b", After(1, 2), priority=2), parallel_execution=False
    )
    orchestrator.coordinator.update_priority("b", 0)
    assert [outcome.source async for outcome in orchestrator.stream()] == ["b", "a"]


async def test_edge_cases_of_an_empty_registry_all_disabled_and_null_data():
    empty = await house().fetch_from_all_sources()
    disabled = await house(scripted("a", 1, enabled=False)).fetch_from_all_sources()
    null = await house(scripted("a", None)).fetch_from_all_sources()
    assert [result.metadata.success_count for result in (empty, disabled, null)] == [0, 0, 0]
    assert [result.metadata.sufficient for result in (empty, disabled, null)] == [False, False, False]
    outcome = null.outcomes["a"]
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.EMPTY
