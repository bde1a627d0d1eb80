"""Synchronising over a real SQLite file, under virtual time: what is kept, for how long, and who speaks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from data_source_orchestrator import (
    ConfigurationError,
    DataSourceOrchestrator,
    FetchError,
    HealthStatus,
    MergeRules,
    OrchestratorConfig,
    Record,
    RetryConfig,
    Source,
    SourceCoordinator,
    SqliteStore,
    StoreError,
)
from data_source_orchestrator.core.events import Event, SnapshotPublished
from data_source_orchestrator.testing import After, Hang, VirtualClock, scripted

DOWN = FetchError("server", "the server is down")
DAY = 86_400.0


def row(entity: str, **fields: Any) -> Record:
    return Record(entity, fields)


@asynccontextmanager
async def house(folder: Path, *sources: Source[Any], **members: Any) -> AsyncIterator[DataSourceOrchestrator]:
    """Run a process's worth of orchestrator over the store in a folder."""
    store = await SqliteStore.open(folder / "dso.db")
    clock = members.pop("clock", VirtualClock())
    try:
        async with DataSourceOrchestrator(
            SourceCoordinator(sources, clock=clock),
            OrchestratorConfig(timeout=60),
            RetryConfig(max_retries=0),
            store=store,
            **members,
        ) as orchestrator:
            yield orchestrator
    finally:
        await store.close()


async def values(orchestrator: DataSourceOrchestrator) -> dict[str, dict[str, Any]]:
    store = orchestrator._keeper._store
    assert store is not None
    entities = await store.read(lambda transaction: transaction.entities())
    return {key: entity.values() for key, entity in entities.items()}


async def test_two_sources_speak_of_one_entity_and_the_declared_order_decides(tmp_path: Path):
    rules = MergeRules(order={"name": ("b", "a")})
    sources = (
        scripted("a", [row("x", name="from a", size=0)], priority=1),
        scripted("b", [row("x", name="from b")], priority=2),
    )
    async with house(tmp_path, *sources, rules=rules) as orchestrator:
        report = await orchestrator.sync()
        assert await values(orchestrator) == {"x": {"name": "from b", "size": 0}}
    assert report.records == {"a": 1, "b": 1}
    assert (report.snapshot.entities, report.snapshot.new) == (1, 1)


async def test_A22_an_identical_sync_adds_no_version(tmp_path: Path):
    async with house(tmp_path, scripted("a", [row("x", n=1)])) as orchestrator:
        heard: list[Event] = []
        orchestrator.coordinator.hub.follow(heard.append)
        first = await orchestrator.sync()
        await asyncio.sleep(60)
        second = await orchestrator.sync()
    assert [event.snapshot_id for event in heard if isinstance(event, SnapshotPublished)] == [first.snapshot.id] * 2
    assert first.snapshot.id == second.snapshot.id
    assert (second.snapshot.new, second.snapshot.changed, second.snapshot.unchanged) == (0, 0, 1)


async def test_A22_a_source_that_fails_keeps_its_claims_until_they_expire(tmp_path: Path):
    source = scripted("a", [row("x", n=1)], DOWN, DOWN, update_frequency="daily")
    other = scripted("b", [row("y", n=2)], update_frequency="monthly")
    async with house(tmp_path, source, other) as orchestrator:
        await orchestrator.sync()
        await asyncio.sleep(3.9 * DAY)
        kept = await orchestrator.sync()
        assert set(await values(orchestrator)) == {"x", "y"}
        assert [missing.source for missing in kept.missing] == ["a"]
        assert kept.missing[0].why == "server: the server is down"
        assert kept.missing[0].expires_at is not None
        await asyncio.sleep(0.2 * DAY)
        gone = await orchestrator.sync()
        assert set(await values(orchestrator)) == {"y"}
        assert gone.snapshot.gone == 1


async def test_an_interrupted_sync_keeps_what_was_finished(tmp_path: Path):
    sources = (scripted("quick", After(1, [row("x", n=1)])), scripted("hung", Hang()))
    async with house(tmp_path, *sources) as orchestrator:
        run = asyncio.create_task(orchestrator.sync())
        await asyncio.sleep(5)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert set(await values(orchestrator)) == {"x"}
        assert orchestrator.coordinator.get_source_stats("hung").executions == 0


@pytest.mark.parametrize("ending", [KeyboardInterrupt(), SystemExit(1)])
async def test_A24_a_program_that_ends_ends_after_what_was_finished_is_kept(tmp_path: Path, ending: BaseException):
    sources = (scripted("quick", [row("x", n=1)]), scripted("ending", After(1, ending)))
    async with house(tmp_path, *sources) as orchestrator:
        with pytest.raises(type(ending)):
            await orchestrator.sync()
        assert set(await values(orchestrator)) == {"x"}


async def test_A25_health_metrics_breakers_and_switches_are_there_for_the_next_process(tmp_path: Path):
    def sources() -> tuple[Source[Any], ...]:
        return scripted("bad", DOWN), scripted("good", [row("x", n=1)]), scripted("off", 1)

    clock = VirtualClock()
    async with house(tmp_path, *sources(), clock=clock) as first:
        for _ in range(5):
            await first.sync()
        assert await first.disable("off")
        assert await first.prioritise("good", 7)
    async with house(tmp_path, *sources(), clock=clock) as second:
        coordinator = second.coordinator
        assert coordinator.get_health_report("bad").status is HealthStatus.DOWN
        assert not coordinator.admits("bad")
        assert second.get_metrics().total_executions == 5
        assert second.get_metrics().source_metrics["good"].successes == 5
        assert coordinator.get_source("off") == sources()[2].but(enabled=False, fetcher=_fetcher(coordinator, "off"))
        assert coordinator.get_all_sources()[0].key == "good"
        await asyncio.sleep(3600)
        assert coordinator.admits("bad")
        assert await second.enable("bad")
        assert await second.enable("off")
    async with house(tmp_path, *sources(), clock=clock) as third:
        assert third.coordinator.get_health("bad").consecutive_failures == 0
        assert third.coordinator.admits("bad")
        off = third.coordinator.get_source("off")
        assert off is not None
        assert off.enabled


def _fetcher(coordinator: SourceCoordinator, key: str) -> Any:
    source = coordinator.get_source(key)
    return source.fetcher if source else None


async def test_A25_two_processes_at_once_lose_none_of_each_others_executions(tmp_path: Path):
    clock = VirtualClock()
    async with (
        house(tmp_path, scripted("a", [row("x", n=1)]), clock=clock) as one,
        house(tmp_path, scripted("a", DOWN), clock=clock) as two,
    ):
        await asyncio.gather(one.sync(), two.sync())
        await one.sync()
        told = one.get_metrics()
    assert told.total_executions == 3
    assert (told.source_metrics["a"].successes, told.source_metrics["a"].failures) == (2, 1)


async def test_an_operators_act_in_another_process_outlives_a_run_that_had_begun_before(tmp_path: Path):
    clock = VirtualClock()
    async with (
        house(tmp_path, scripted("a", DOWN), clock=clock) as running,
        house(tmp_path, scripted("a", DOWN), clock=clock) as operator,
    ):
        for _ in range(5):
            await running.sync()
        async with house(tmp_path, scripted("a", DOWN), clock=clock) as late:
            assert not late.coordinator.admits("a")
            assert await late.enable("a")
        await running.sync()
        assert running.coordinator.admits("a")
        assert operator.coordinator.get_source("a") is not None


async def test_a_fetch_is_counted_across_processes_and_contributes_nothing(tmp_path: Path):
    async with house(tmp_path, scripted("a", [row("x", n=1)])) as orchestrator:
        await orchestrator.fetch()
        assert await values(orchestrator) == {}
    async with house(tmp_path, scripted("a", [row("x", n=1)])) as orchestrator:
        assert orchestrator.get_metrics().total_executions == 1


async def test_a_capability_that_no_row_has_carried_is_told_as_not_published(tmp_path: Path):
    source = scripted("a", [row("x", **{"tier.solo": "A"})], provides=["tier", "win_rate"])
    async with house(tmp_path, source) as orchestrator:
        [before] = orchestrator.get_source_views()
        assert before.not_published == ()
        await orchestrator.sync()
        [after] = orchestrator.get_source_views()
    assert after.not_published == ("win_rate",)
    assert after.freshness == "fresh"


async def test_a_store_that_cannot_be_written_keeps_the_old_data_and_is_told(tmp_path: Path):
    huge = [row(f"e{number}", text="x" * 2000) for number in range(2000)]
    async with house(tmp_path, scripted("a", [row("x", n=1)])) as orchestrator:
        await orchestrator.sync()
    store = await SqliteStore.open(tmp_path / "dso.db", max_pages=60)
    coordinator = SourceCoordinator([scripted("a", huge)], clock=VirtualClock())
    try:
        async with DataSourceOrchestrator(coordinator, store=store) as orchestrator:
            with pytest.raises(StoreError, match="full"):
                await orchestrator.sync()
            assert set(await values(orchestrator)) == {"x"}
            assert (await orchestrator.fetch("a")).metadata.sufficient  # a caller who waits for data still gets it
    finally:
        await store.close()


async def test_without_a_store_sync_says_what_is_missing():
    orchestrator = DataSourceOrchestrator(SourceCoordinator([scripted("a", [])], clock=VirtualClock()))
    with pytest.raises(ConfigurationError, match="give the orchestrator a store"):
        await orchestrator.sync()


async def test_nothing_read_ever_is_no_snapshot_and_says_why(tmp_path: Path):
    async with house(tmp_path, scripted("a", DOWN)) as orchestrator:
        report = await orchestrator.sync()
    assert report.snapshot.id is None
    assert report.snapshot.entities == 0
    assert report.snapshot.reason == "no source has been read yet"
