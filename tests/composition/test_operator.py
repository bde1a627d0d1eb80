"""The two switches (A07), health checks (A12) and what the coordinator hands out, under virtual time."""

import asyncio
import dataclasses
from typing import Any

import pytest

from data_source_orchestrator import (
    BudgetPolicy,
    ConfigurationError,
    DataSourceOrchestrator,
    FetchError,
    HealthStatus,
    OrchestratorConfig,
    RetryConfig,
    Skipped,
    SkipReason,
    Source,
    SourceCoordinator,
    UnknownSourceError,
    Verdict,
)
from data_source_orchestrator.testing import After, Hang, VirtualClock, script_of, scripted

DOWN = FetchError("server", "the server is down")


class Even:
    """Chance without surprises: jitter in its middle."""

    def random(self) -> float:
        return 0.5


def house(*sources: Source[Any], **config: Any) -> DataSourceOrchestrator:
    coordinator = SourceCoordinator(sources, clock=VirtualClock(), chance=Even())
    return DataSourceOrchestrator(coordinator, OrchestratorConfig(**config), RetryConfig(max_retries=0))


async def trip(orchestrator: DataSourceOrchestrator) -> None:
    for _ in range(5):
        await orchestrator.fetch()


async def test_B11_A07_five_failed_executions_in_a_row_refuse_the_source_and_a_probe_readmits_it():
    source = scripted("a", *[DOWN] * 5, "back")
    orchestrator = house(source)
    await trip(orchestrator)
    assert orchestrator.coordinator.get_enabled_sources() == ()
    enabled = orchestrator.coordinator.get_source("a")
    assert enabled is not None
    assert enabled.enabled  # the operator's switch is another one
    refused = (await orchestrator.fetch()).outcomes["a"]
    assert isinstance(refused, Skipped)
    assert refused.reason is SkipReason.CIRCUIT_OPEN
    assert len(script_of(source).calls) == 5
    await asyncio.sleep(30)
    assert (await orchestrator.fetch())["a"] == "back"
    assert orchestrator.coordinator.get_enabled_sources() == (enabled,)


async def test_D14_A07_a_failed_probe_waits_twice_as_long_and_is_not_retried():
    source = scripted("a", DOWN, max_retries=0)
    orchestrator = house(source)
    await trip(orchestrator)
    coordinator = orchestrator.coordinator
    coordinator.update_source("a", max_retries=3)
    await asyncio.sleep(30)
    await orchestrator.fetch()
    assert len(script_of(source).calls) == 6
    assert coordinator.guard("a").breaker.retry_after == pytest.approx(60)


async def test_a_failure_that_is_retried_to_success_is_no_failed_execution():
    source = scripted("a", *[DOWN, "data"] * 6)
    orchestrator = house(source)
    coordinator = orchestrator.coordinator
    coordinator.update_source("a", max_retries=1)
    for _ in range(6):
        await orchestrator.fetch()
    assert coordinator.get_source_stats("a").successes == 6
    assert coordinator.admits("a")


async def test_D15_D18_what_the_operator_disabled_stays_disabled_whatever_happens():
    source = scripted("a", "data")
    orchestrator = house(source)
    assert orchestrator.coordinator.disable_source("a")
    result = await orchestrator.fetch()
    reports = await orchestrator.check_source_health()
    skipped = result.outcomes["a"]
    assert isinstance(skipped, Skipped)
    assert skipped.reason is SkipReason.DISABLED
    assert not script_of(source).calls  # D18: neither a run nor a check asks it
    assert [report.key for report in reports] == ["a"]
    assert reports[0].last_check is None


async def test_D16_A07_enabling_by_hand_readmits_and_clears_the_count():
    orchestrator = house(scripted("a", DOWN))
    await trip(orchestrator)
    coordinator = orchestrator.coordinator
    assert coordinator.get_health("a").consecutive_failures == 5
    assert coordinator.enable_source("a")
    assert coordinator.admits("a")
    assert coordinator.get_health("a").consecutive_failures == 0
    await orchestrator.fetch()
    assert coordinator.admits("a")


async def test_A07_an_operators_successful_check_readmits_and_a_failed_one_changes_nothing():
    probe_fails = iter([True, False])

    async def probe() -> str:
        if next(probe_fails):
            raise DOWN
        return "alive"

    source = scripted("a", *[DOWN] * 5, "data", probe=probe)
    orchestrator = house(source)
    await trip(orchestrator)
    [report] = await orchestrator.check_source_health()
    assert report.last_check is not None
    assert not report.last_check.ok
    assert not orchestrator.coordinator.admits("a")
    [report] = await orchestrator.check_source_health()
    assert report.last_check is not None
    assert report.last_check.ok
    assert orchestrator.coordinator.admits("a")
    assert report.consecutive_failures == 0
    assert (await orchestrator.fetch())["a"] == "data"


async def test_A12_D17_a_check_has_its_own_record_and_never_touches_the_counters():
    source = scripted("a", DOWN, DOWN, "answer")
    orchestrator = house(source)
    await orchestrator.fetch()
    await orchestrator.fetch()
    before = orchestrator.coordinator.get_health("a")
    [report] = await orchestrator.check_source_health()
    after = orchestrator.coordinator.get_health("a")
    assert dataclasses.replace(after, last_check=None) == before
    assert report.last_check is not None
    assert report.last_check.ok
    assert report.consecutive_failures == 2


async def test_A12_D40_a_check_uses_the_light_probe_within_the_sources_own_timeout():
    async def probe() -> None:
        await asyncio.sleep(50)

    source = scripted("a", "data", probe=probe, timeout=20)
    orchestrator = house(source)
    [report] = await orchestrator.check_source_health()
    assert asyncio.get_running_loop().time() == pytest.approx(20)
    assert not script_of(source).calls
    assert report.last_check is not None
    assert "timeout" in report.last_check.message


async def test_checks_run_all_at_once():
    orchestrator = house(*(scripted(key, After(3, 1)) for key in ("a", "b", "c")))
    await orchestrator.check_source_health()
    assert asyncio.get_running_loop().time() == pytest.approx(3)


async def test_B15_sources_are_managed_by_key_and_an_unknown_key_is_told():
    orchestrator = house(scripted("a", 1, priority=2, provides=["tier"]), scripted("b", 2, priority=1))
    coordinator = orchestrator.coordinator
    assert [source.key for source in coordinator.get_all_sources()] == ["b", "a"]
    assert coordinator.update_priority("a", 0)
    assert [source.key for source in coordinator.get_all_sources()] == ["a", "b"]
    assert [source.key for source in coordinator.get_sources_by_capability("tier")] == ["a"]
    coordinator.register_source(scripted("c", 3))
    assert coordinator.unregister_source("b")
    assert [source.key for source in coordinator.get_enabled_sources()] == ["a", "c"]
    for refuse in (coordinator.enable_source, coordinator.disable_source, coordinator.unregister_source):
        assert refuse("zzz") is False
    assert coordinator.update_priority("zzz", 1) is False
    assert coordinator.get_source("zzz") is None
    with pytest.raises(UnknownSourceError, match="did you mean 'aa'"):
        house(scripted("aa", 1)).coordinator.update_source("aaa", timeout=3)
    with pytest.raises(UnknownSourceError, match="no source is called 'x'"):
        await orchestrator.fetch("x")


async def test_the_seeds_assignment_of_a_timeout_is_an_update():
    orchestrator = house(scripted("codarmory", Hang()))
    assert orchestrator.coordinator.update_source("codarmory", timeout=7).timeout == 7
    await orchestrator.fetch()
    assert asyncio.get_running_loop().time() == pytest.approx(7)
    with pytest.raises(ConfigurationError, match="seconds; did you mean 30"):
        orchestrator.coordinator.update_source("codarmory", timeout=30000)


async def test_D38_D39_names_of_python_are_no_sources_and_nothing_is_left_of_an_unregistered_one():
    orchestrator = house(scripted("a", 1))
    coordinator = orchestrator.coordinator
    await orchestrator.fetch()
    assert coordinator.get_source("__class__") is None
    assert coordinator.get_source("to_string") is None
    coordinator.unregister_source("a")
    assert coordinator.get_all_sources() == ()
    assert orchestrator.get_health_reports() == []
    assert dict(orchestrator.get_metrics().source_metrics) == {}
    assert orchestrator.get_overall_health().status is HealthStatus.UNKNOWN
    coordinator.register_source(scripted("a", 1))
    assert coordinator.get_source_stats("a").executions == 0


async def test_a_source_that_is_unregistered_while_it_runs_still_ends_the_run_well():
    orchestrator = house(scripted("a", After(1, "data")))
    run = asyncio.create_task(orchestrator.fetch())
    await asyncio.sleep(0.5)
    orchestrator.coordinator.unregister_source("a")
    assert (await run)["a"] == "data"


def test_D30_D31_what_is_handed_out_is_frozen_and_two_coordinators_share_nothing():
    source = scripted("a", 1)
    one, two = SourceCoordinator([source]), SourceCoordinator([source])
    one.update_source("a", timeout=5)
    one.disable_source("a")
    handed = two.get_source("a")
    assert handed == source
    with pytest.raises(dataclasses.FrozenInstanceError):
        source.timeout = 3  # type: ignore[misc]  # it is frozen, which is the point


@pytest.mark.parametrize("key", ["outcomes", "metadata", "get", "keys", "raise_if_insufficient"])
def test_a_key_that_would_hide_a_member_of_the_result_is_refused(key: str):
    with pytest.raises(ConfigurationError, match=f"cannot be called '{key}'"):
        SourceCoordinator([scripted(key, 1)])


def test_two_sources_of_one_key_are_refused():
    with pytest.raises(ConfigurationError, match="registered already"):
        SourceCoordinator([scripted("a", 1), scripted("a", 2)])


async def test_D33_D36_each_source_keeps_a_history_of_its_own_and_none_of_it_is_none():
    orchestrator = house(scripted("a", 1), scripted("b", DOWN))
    for _ in range(120):
        await orchestrator.fetch("a")
    await orchestrator.fetch("b")
    coordinator = orchestrator.coordinator
    assert len(coordinator.get_execution_history("a", 1000)) == 100
    assert len(coordinator.get_execution_history("b")) == 1
    assert coordinator.get_execution_history("b")[0].verdict is Verdict.FAILURE
    assert coordinator.get_execution_history("a", 0) == ()
    coordinator.reset("a")
    assert coordinator.get_execution_history("a") == ()
    assert len(coordinator.get_execution_history("b")) == 1


async def test_D34_D35_B13_empty_runs_and_meta_only_runs_are_counted():
    orchestrator = house(scripted("a", [1], provides=["tier"]))
    await orchestrator.fetch_meta_only()
    await orchestrator.fetch_from_all_sources()
    orchestrator.coordinator.disable_source("a")
    await orchestrator.fetch_from_all_sources()
    told = orchestrator.get_metrics()
    assert (told.total_executions, told.successful_executions, told.failed_executions) == (3, 2, 1)
    assert told.success_rate == pytest.approx(2 / 3)
    assert told.source_metrics["a"].executions == 2


async def test_B14_meta_only_asks_only_who_provides_it_and_gives_their_rows():
    tiers = scripted("tiers", After(0.1, [{"tier": "META"}, {"tier": "A"}]), provides=["tier", "win_rate"])
    stats = scripted("stats", [1, 2, 3], provides=["ttk"])
    orchestrator = house(tiers, stats)
    rows = await orchestrator.fetch_meta_only()
    assert rows == [{"tier": "META"}, {"tier": "A"}]
    assert rows.metadata.sources == ("tiers",)
    rows.raise_if_insufficient()
    assert not script_of(stats).calls


async def test_B12_B09_overall_health_names_who_is_not_healthy():
    orchestrator = house(scripted("good", 1), scripted("bad", DOWN), scripted("off", 1, enabled=False))
    assert orchestrator.get_overall_health().status is HealthStatus.UNKNOWN
    for _ in range(3):
        await orchestrator.fetch()
    told = orchestrator.get_overall_health()
    assert told.status is HealthStatus.DEGRADED
    assert (told.healthy_sources, told.down_sources, told.disabled_sources) == (1, 1, 1)
    assert "bad" in told.message


async def test_D01_D02_D03_a_set_up_in_which_everything_fails_says_so():
    orchestrator = house(scripted("a", DOWN), scripted("b", DOWN))
    results = [await orchestrator.fetch_from_all_sources() for _ in range(3)]
    assert [result.metadata.failure_count for result in results] == [2, 2, 2]
    assert not any(result.metadata.sufficient for result in results)
    assert orchestrator.get_overall_health().status is HealthStatus.DOWN
    assert [source.key for source in orchestrator.coordinator.get_all_sources()] == ["a", "b"]


async def test_A13_the_title_is_for_people_and_the_key_for_everything_else():
    orchestrator = house(scripted("wz", [1], title="WZStats"))
    result = await orchestrator.fetch_from_all_sources()
    assert list(result.outcomes) == ["wz"]
    assert orchestrator.get_health_reports()[0].source_name == "WZStats"
    with pytest.raises(UnknownSourceError):
        result["WZStats"]


async def test_A07_enabling_by_hand_lets_go_of_a_breaker_that_is_held_open():
    coordinator = SourceCoordinator([scripted("a", 1)], clock=VirtualClock())
    coordinator.guard("a").breaker.force_open()
    orchestrator = DataSourceOrchestrator(coordinator)
    assert (await orchestrator.fetch()).metadata.skipped_count == 1
    assert await orchestrator.enable("a")
    assert (await orchestrator.fetch()).metadata.success_count == 1


async def test_a_sources_own_budget_pays_for_it_in_place_of_the_one_for_all_and_can_be_changed():
    rich, poor = scripted("rich", DOWN, 1), scripted("poor", DOWN, 1).but(budget=BudgetPolicy(tokens=4))
    coordinator = SourceCoordinator([rich, poor], clock=VirtualClock(), chance=Even())
    orchestrator = DataSourceOrchestrator(coordinator, OrchestratorConfig(max_retries=1))
    result = await orchestrator.fetch()
    assert [result.outcomes[key].attempts for key in ("rich", "poor")] == [2, 1]
    coordinator.update_source("poor", budget=BudgetPolicy(tokens=50))
    assert coordinator.guard("poor").budget.tokens == 50
    coordinator.update_source("poor", budget=None)
    assert coordinator.guard("poor").budget.policy == BudgetPolicy()
