"""What is kept, and taken over, when writes overlap, fail or are cancelled, and sources come and go meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from data_source_orchestrator import (
    CachePolicy,
    ConfigurationError,
    DataSourceOrchestrator,
    FetchError,
    OrchestratorConfig,
    Record,
    RetryConfig,
    Source,
    SourceCoordinator,
    SqliteStore,
    StoreError,
)
from data_source_orchestrator.core.ports import Transaction
from data_source_orchestrator.testing import After, Hang, VirtualClock, script_of, scripted

R = TypeVar("R")

DOWN = FetchError("server", "the server is down")


class SlowDisk:
    """The SQLite store on a disk that takes its time, and fails when told to."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.seconds = 0.0
        self.broken = False

    async def read(self, work: Callable[[Transaction], R]) -> R:
        await asyncio.sleep(self.seconds)
        return await self.store.read(work)

    async def write(self, work: Callable[[Transaction], R]) -> R:
        await asyncio.sleep(self.seconds)
        if self.broken:
            raise StoreError("the disk is full; free some space")
        return await self.store.write(work)

    async def close(self) -> None:
        await self.store.close()


@asynccontextmanager
async def disk(folder: Path) -> AsyncIterator[SlowDisk]:
    slow = SlowDisk(await SqliteStore.open(folder / "dso.db"))
    try:
        yield slow
    finally:
        await slow.close()


def house(
    store: SlowDisk, *sources: Source[Any], coordinator: SourceCoordinator | None = None
) -> DataSourceOrchestrator:
    return DataSourceOrchestrator(
        coordinator or SourceCoordinator(sources, clock=VirtualClock()),
        OrchestratorConfig(timeout=60),
        RetryConfig(max_retries=0),
        store=store,
    )


async def documents(store: SlowDisk, kind: str) -> dict[str, Any]:
    return await store.store.read(lambda transaction: transaction.documents(kind))


async def rows_of_runs(store: SlowDisk) -> int:
    def count(transaction: Any) -> int:
        return int(transaction._connection.execute("SELECT count(*) FROM runs").fetchone()[0])

    return await store.store.read(count)


async def test_B11_overlapping_runs_over_a_slow_disk_trip_the_breaker_on_the_fifth_failure(tmp_path: Path):
    async with disk(tmp_path) as store:
        source = scripted("x", DOWN)
        orchestrator = house(store, source)
        await orchestrator.fetch()
        store.seconds = 0.1

        async def later(number: int) -> None:
            await asyncio.sleep(0.03 * number)
            await orchestrator.fetch()

        await asyncio.gather(*(later(number) for number in range(9)))
        assert len(script_of(source).calls) == 5
        assert not orchestrator.coordinator.admits("x")
        assert (await documents(store, "breaker"))["x"]["state"]["state"] == "open"


async def test_B11_two_first_calls_at_once_load_once(tmp_path: Path):
    async with disk(tmp_path) as store:
        before = house(store, scripted("x", DOWN))
        for _ in range(3):
            await before.fetch()
        store.seconds = 0.1
        orchestrator = house(store, scripted("x", DOWN))
        await asyncio.gather(orchestrator.fetch(), orchestrator.fetch("x"))
        await orchestrator.fetch()
        assert orchestrator.coordinator.get_health("x").consecutive_failures == 5
        assert not orchestrator.coordinator.admits("x")


async def test_a_caller_who_gives_up_while_its_run_is_kept_loses_nothing(tmp_path: Path):
    async with disk(tmp_path) as store:
        source = scripted("x", DOWN)
        orchestrator = house(store, source)
        store.seconds = 1.0
        for number in range(5):
            run = asyncio.create_task(orchestrator.fetch())
            if number == 2:
                await asyncio.sleep(0.5)
                run.cancel()
            await asyncio.wait([run])
        assert len(script_of(source).calls) == 5
        assert not orchestrator.coordinator.admits("x")
        assert await rows_of_runs(store) == 5


async def test_what_could_not_be_kept_is_kept_by_the_next_transaction(tmp_path: Path):
    async with disk(tmp_path) as store:
        orchestrator = house(store, scripted("x", [1, 2, 3]))
        await orchestrator.fetch()
        store.broken = True
        for _ in range(3):
            assert (await orchestrator.fetch())["x"] == [1, 2, 3]
        with pytest.raises(StoreError, match="disk is full"):
            await orchestrator.disable("x")
        assert "[1, 2, 3]" not in repr([vars(type(e)) and e for e in orchestrator._keeper._unkept])  # no payloads
        store.broken = False
        await orchestrator.fetch()
        assert (await documents(store, "switch"))["x"] == {"enabled": False}
        assert await rows_of_runs(store) == 5
        assert orchestrator.get_metrics().total_executions == 5


async def test_a_store_that_fails_does_not_swallow_a_cancellation_or_the_programs_end(tmp_path: Path):
    async with disk(tmp_path) as store:
        hung = house(store, scripted("x", Hang()))
        run = asyncio.create_task(hung.sync())
        await asyncio.sleep(1)
        store.broken = True
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        ending = house(store, scripted("x", SystemExit(3)))
        store.broken = False
        await ending._keeper.load()
        store.broken = True
        with pytest.raises(SystemExit):
            await ending.sync()


async def test_sync_without_a_store_is_refused_before_anybody_is_asked():
    source = scripted("x", 1)
    orchestrator = DataSourceOrchestrator(SourceCoordinator([source], clock=VirtualClock()))
    with pytest.raises(ConfigurationError, match="give the orchestrator a store"):
        await orchestrator.sync()
    assert not script_of(source).calls


async def test_D15_what_was_switched_by_hand_before_the_store_was_read_stays_so(tmp_path: Path):
    async with disk(tmp_path) as store:
        first = house(store, scripted("x", 1), scripted("y", 1))
        await first.enable("x")
        await first.prioritise("y", 3)
        source = scripted("x", 1)
        second = house(store, source, scripted("y", 1))
        second.coordinator.disable_source("x")
        second.coordinator.update_priority("y", 9)
        await second.fetch()
        assert not script_of(source).calls
        assert (await documents(store, "switch")) == {"x": {"enabled": False}, "y": {"priority": 9}}


async def test_a_source_registered_late_takes_over_its_stored_switch_and_breaker(tmp_path: Path):
    async with disk(tmp_path) as store:
        first = house(store, scripted("x", DOWN), scripted("y", 1))
        for _ in range(5):
            await first.fetch("x")
        await first.disable("y")
        second = house(store)
        async with second:
            late, off = scripted("x", DOWN), scripted("y", 1)
            second.coordinator.register_source(late)
            second.coordinator.register_source(off)
            await second.fetch()
            assert not script_of(late).calls
            assert not script_of(off).calls
            assert (await documents(store, "breaker"))["x"]["state"]["state"] == "open"


async def test_D16_enabling_and_resetting_by_hand_outlast_the_next_transaction(tmp_path: Path):
    async with disk(tmp_path) as store:
        orchestrator = house(store, scripted("x", DOWN))
        coordinator = orchestrator.coordinator
        for _ in range(5):
            await orchestrator.fetch()
        coordinator.enable_source("x")
        await orchestrator.fetch()
        assert coordinator.get_health("x").consecutive_failures == 1
        coordinator.reset("x")
        await orchestrator.fetch()
        assert coordinator.get_source_stats("x").executions == 1
    async with disk(tmp_path) as store:
        again = house(store, scripted("x", DOWN))
        await again._keeper.load()
        assert again.coordinator.get_source_stats("x").executions == 1
        assert again.coordinator.admits("x")


async def test_D39_a_new_source_of_an_old_key_has_neither_its_data_nor_its_past(tmp_path: Path):
    async with disk(tmp_path) as store:
        orchestrator = house(store, scripted("x", DOWN, DOWN, After(5, "old")))
        coordinator = orchestrator.coordinator
        for _ in range(2):
            await orchestrator.fetch()
        old = asyncio.create_task(orchestrator.fetch())
        await asyncio.sleep(1)
        coordinator.unregister_source("x")
        coordinator.register_source(scripted("x", "new"))
        assert (await orchestrator.fetch())["x"] == "new"
        assert (await old)["x"] == "old"
        assert coordinator.get_source_stats("x").executions == 1
        assert coordinator.get_source_stats("x").failures == 0


async def test_unregistering_while_a_run_or_a_check_is_under_way_costs_only_that_source():
    sources = [scripted("a", After(1, "data"), priority=1), scripted("b", 2, priority=2)]
    coordinator = SourceCoordinator(sources, clock=VirtualClock())
    orchestrator = DataSourceOrchestrator(coordinator, OrchestratorConfig(parallel_execution=False))
    run = asyncio.create_task(orchestrator.fetch())
    await asyncio.sleep(0.5)
    coordinator.unregister_source("b")
    result = await run
    assert result["a"] == "data"
    assert str(result.outcomes["b"]) == "b: skipped, unregistered while the run was under way"
    check = asyncio.create_task(orchestrator.check_source_health())
    await asyncio.sleep(0.5)
    coordinator.unregister_source("a")
    assert await check == []


async def test_A12_a_check_that_ends_the_program_keeps_what_the_others_found(tmp_path: Path):
    async with disk(tmp_path) as store:
        orchestrator = house(store, scripted("good", 1), scripted("ending", After(1, SystemExit(3))))
        with pytest.raises(SystemExit):
            await orchestrator.check_source_health()
        assert (await documents(store, "health"))["good"]["last_check"][1] is True


async def test_A07_a_check_of_a_source_whose_cool_down_is_over_clears_the_count_too():
    source = scripted("x", *[DOWN] * 5, "answer")
    orchestrator = DataSourceOrchestrator(
        SourceCoordinator([source], clock=VirtualClock()), retry=RetryConfig(max_retries=0)
    )
    for _ in range(5):
        await orchestrator.fetch()
    await asyncio.sleep(100)
    [report] = await orchestrator.check_source_health()
    assert report.consecutive_failures == 0
    assert orchestrator.coordinator.guard("x").breaker.state == "closed"


async def test_entities_of_a_good_source_survive_anothers_odd_rows(tmp_path: Path):
    async with disk(tmp_path) as store:
        odd = scripted("odd", [Record("x", {"n": float("nan")})])
        good = scripted("good", [Record("y", {"n": 1})])
        report = await house(store, odd, good).sync()
        assert report.snapshot.entities == 1
        assert "NaN" in str(report.result.outcomes["odd"]) or "nan" in str(report.result.outcomes["odd"])


async def test_A10_A25_runs_that_left_a_source_too_little_time_are_remembered_by_later_processes(tmp_path: Path):
    hung = scripted("hung", Hang(), timeout=100)
    async with disk(tmp_path) as store:
        for _ in range(2):
            await house(store, hung).fetch()
        async with house(store, hung) as later:
            [report] = later.get_health_reports()
    assert [(cut.after, cut.timeout) for cut in report.cut_short] == [(60, 100)] * 2
    assert report.message.startswith("its last 2 runs were cut by the run's limit after 60 s, before its own timeout")


async def test_what_a_refresh_found_after_its_run_is_kept_when_the_context_ends(tmp_path: Path):
    async with disk(tmp_path) as store:
        cache = CachePolicy(ttl=0, stale_while_revalidate=60)
        source = scripted("a", After(0.1, [1]), cache=cache)
        async with DataSourceOrchestrator(SourceCoordinator([source], clock=VirtualClock()), store=store) as first:
            await first.fetch()
            await first.fetch()
            await asyncio.sleep(1)
        async with DataSourceOrchestrator(SourceCoordinator([source], clock=VirtualClock()), store=store) as later:
            assert later.get_metrics().source_metrics["a"].executions == 2
