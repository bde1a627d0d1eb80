"""A pace, and a wait that an upstream asked for, outlast the process, hold for all processes, and can be lifted."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from test_keeping import SlowDisk, disk, documents

from data_source_orchestrator import (
    DataSourceOrchestrator,
    FetchError,
    LimitPolicy,
    OrchestratorConfig,
    RateLimitPolicy,
    RetryConfig,
    Skipped,
    Source,
    SourceCoordinator,
)
from data_source_orchestrator.core.verdicts import SkipReason
from data_source_orchestrator.testing import VirtualClock, script_of, scripted

BUSY = FetchError("rate_limited", "asked to wait", retry_after=3600)
ONE_A_MINUTE = LimitPolicy(rate=RateLimitPolicy(limit=1, per=60))


class Wall(VirtualClock):
    """Virtual time whose calendar can be set."""

    set_by = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.set_by)


def process(store: SlowDisk, *sources: Source[Any], set_by: float = 0.0, **more: Any) -> DataSourceOrchestrator:
    """A house as a process builds it, on a machine whose calendar is that far off."""
    clock = Wall()
    clock.set_by = set_by
    coordinator = SourceCoordinator(sources, clock=clock, **more)
    return DataSourceOrchestrator(coordinator, OrchestratorConfig(timeout=30), RetryConfig(max_retries=0), store=store)


def limited(key: str, *script: Any, **members: Any) -> Source[Any]:
    return scripted(key, *script).but(**{"limits": LimitPolicy(), **members})


async def skipped(orchestrator: DataSourceOrchestrator, key: str = "a") -> float | None:
    """Return for how many seconds a source is left alone by its pace; None where it was asked."""
    outcome = (await orchestrator.fetch(key)).outcomes[key]
    if not isinstance(outcome, Skipped):
        return None
    assert outcome.reason is SkipReason.RATE_LIMIT
    return float(outcome.detail.rpartition("had to wait ")[2].removesuffix(" s"))


async def test_a_wait_that_an_upstream_asked_for_is_kept_by_the_next_process_and_ends_in_time(tmp_path: Path):
    async with disk(tmp_path) as store:
        source = limited("a", BUSY, 1)
        await process(store, source).fetch()
        await asyncio.sleep(600)
        assert await skipped(process(store, source)) == pytest.approx(3000)
        await asyncio.sleep(2960)
        assert await skipped(process(store, source)) == pytest.approx(40)
        assert len(script_of(source).calls) == 1
        await asyncio.sleep(41)
        assert (await process(store, source).fetch())["a"] == 1


async def test_a_pace_counts_what_earlier_processes_have_taken(tmp_path: Path):
    async with disk(tmp_path) as store:
        source = limited("a", 1, limits=ONE_A_MINUTE)
        assert await skipped(process(store, source)) is None
        await asyncio.sleep(20)
        assert await skipped(process(store, source)) == pytest.approx(40)
        await asyncio.sleep(41)
        assert await skipped(process(store, source)) is None


async def test_a_hosts_wait_and_the_pace_of_all_are_kept_by_their_own_names(tmp_path: Path):
    async with disk(tmp_path) as store:
        shared = [limited("a", BUSY, host="h", limits=None), limited("b", 1, host="h", limits=None)]
        await process(store, *shared).fetch("a")
        assert await skipped(process(store, *shared), "b") == pytest.approx(3600)
        alone = [limited("c", 1), limited("d", 1)]
        assert await skipped(process(store, *alone, limits=ONE_A_MINUTE), "c") is None
        assert await skipped(process(store, *alone, limits=ONE_A_MINUTE), "d") == pytest.approx(60)
        held = {name: kept["state"] is not None for name, kept in (await documents(store, "pace")).items()}
        assert held == {"host h": True, "all": True}


async def test_overlapping_processes_lose_nothing_of_what_the_other_has_learnt(tmp_path: Path):
    async with disk(tmp_path) as store:
        learns, idle = process(store, limited("a", BUSY)), process(store, limited("a", 1), limited("b", 1))
        await idle.fetch("b")
        await learns.fetch()
        await idle.fetch("b")  # writes after the other, and hears of it
        assert await skipped(idle) == pytest.approx(3600)
        assert await skipped(process(store, limited("a", 1))) == pytest.approx(3600)


@pytest.mark.parametrize("by", [-86_400.0, -1e6, 1800.0, 1e6])
async def test_a_wall_clock_that_was_set_lets_nobody_wait_for_ever_and_gives_no_negative_wait(
    tmp_path: Path, by: float
):
    async with disk(tmp_path) as store:
        await process(store, limited("a", BUSY)).fetch()
        waits = await skipped(process(store, limited("a", 1), set_by=by))
        assert waits is None if by >= 3600 else 0 < (waits or 0) <= 3600
        for _ in range(13):  # every five minutes another process, each of which keeps what it found
            await asyncio.sleep(300)
            await process(store, limited("b", 1), limited("a", 1).but(enabled=False), set_by=by).fetch("b")
        assert await skipped(process(store, limited("a", 1), set_by=by)) is None


async def test_what_is_over_is_no_longer_in_the_store_and_nothing_is_written_that_says_nothing(tmp_path: Path):
    async with disk(tmp_path) as store:
        quiet = process(store, limited("a", 1))
        await quiet.fetch()
        assert await documents(store, "pace") == {}
        await process(store, limited("b", BUSY)).fetch()
        await asyncio.sleep(3601)
        await process(store, limited("b", 1)).fetch()
        assert await documents(store, "pace") == {"source b": {"version": 0, "state": None}}


async def test_whoever_enables_a_source_ends_the_wait_in_every_process(tmp_path: Path):
    async with disk(tmp_path) as store:
        running = process(store, limited("a", BUSY, 1), limited("b", 1))
        await running.fetch()
        assert await skipped(running) is not None
        await process(store, limited("a", 1)).enable("a")
        await running.fetch("b")  # keeps what happened, hears of the operator's act, and does not undo it
        assert await skipped(running) is None
        assert await skipped(process(store, limited("a", 1))) is None


async def test_a_reset_begins_a_pace_anew_in_the_store_too(tmp_path: Path):
    async with disk(tmp_path) as store:
        orchestrator = process(store, limited("a", BUSY, 1))
        await orchestrator.fetch()
        await orchestrator.reset("a")
        assert await skipped(process(store, limited("a", 1))) is None


async def test_a_wait_that_is_learnt_after_the_operators_act_is_kept(tmp_path: Path):
    async with disk(tmp_path) as store:
        orchestrator = process(store, limited("a", BUSY))
        await orchestrator.enable("a")
        await orchestrator.fetch()
        assert await skipped(process(store, limited("a", 1))) == pytest.approx(3600)


async def test_a_wait_that_is_learnt_while_the_store_is_written_is_not_lost(tmp_path: Path):
    async with disk(tmp_path) as store:
        orchestrator = process(store, limited("a", BUSY), limited("b", 1))
        await orchestrator.fetch("b")
        store.seconds = 5
        writing = asyncio.create_task(orchestrator.fetch("b"))
        await asyncio.sleep(1)
        pace = orchestrator.coordinator.guard("a").pace
        assert pace is not None
        pace.hold(600)
        await writing
        assert pace.held_for > 590


async def test_what_is_learnt_while_an_operators_act_is_written_is_not_lost(tmp_path: Path):
    async with disk(tmp_path) as store:
        house = process(store, limited("a", BUSY))
        await house.fetch()
        await house.enable("a")
        store.seconds = 1.0
        enabling = asyncio.ensure_future(house.enable("a"))
        await asyncio.sleep(0.5)
        asking = asyncio.ensure_future(house.fetch())
        await asyncio.gather(enabling, asking)
        assert await skipped(house) == pytest.approx(3600, abs=5)


async def test_a_source_that_is_registered_later_takes_over_its_pace(tmp_path: Path):
    async with disk(tmp_path) as store:
        await process(store, limited("a", BUSY)).fetch()
        orchestrator = process(store, limited("b", 1))
        async with orchestrator:
            orchestrator.coordinator.register_source(limited("a", 1))
            assert await skipped(orchestrator) == pytest.approx(3600)


@pytest.mark.parametrize("stored", [5, None, {}, {"version": 1}, {"version": 0, "state": {"held": {"at": "soon"}}}])
async def test_what_cannot_be_read_of_a_pace_holds_nobody(tmp_path: Path, stored: Any):
    async with disk(tmp_path) as store:
        await store.write(lambda transaction: transaction.put_document("pace", "source a", stored))
        assert await skipped(process(store, limited("a", 1))) is None


async def test_an_operators_act_before_the_store_was_read_is_not_undone_by_reading_it(tmp_path: Path):
    async with disk(tmp_path) as store:
        await process(store, limited("a", BUSY)).fetch()
        orchestrator = process(store, limited("a", 1))
        orchestrator.coordinator.enable_source("a")
        assert await skipped(orchestrator) is None
        assert await skipped(process(store, limited("a", 1))) is None


async def test_an_operators_act_while_the_store_is_written_is_not_undone_by_what_was_in_it(tmp_path: Path):
    async with disk(tmp_path) as store:
        running = process(store, limited("a", 1), limited("b", 1))
        await running.fetch("b")
        await process(store, limited("a", BUSY)).fetch()
        store.seconds = 5
        writing = asyncio.create_task(running.fetch("b"))
        await asyncio.sleep(1)
        running.coordinator.enable_source("a")
        await writing
        assert await skipped(running) is None


async def test_whoever_enables_a_source_ends_the_wait_of_its_host_for_all(tmp_path: Path):
    async with disk(tmp_path) as store:
        shared = [limited("a", BUSY, host="h", limits=None), limited("b", 1, host="h", limits=None)]
        await process(store, *shared).fetch("a")
        await process(store, *shared).enable("a")
        assert await skipped(process(store, *shared), "b") is None


async def test_a_source_that_is_gone_or_has_no_limits_any_longer_has_no_pace():
    coordinator = SourceCoordinator([limited("a", 1), limited("b", 1)], clock=VirtualClock())
    assert set(coordinator.paces) == {"source a", "source b"}
    coordinator.update_source("a", limits=None)
    coordinator.unregister_source("b")
    assert set(coordinator.paces) == set()
