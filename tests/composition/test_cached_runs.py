"""The result cache in runs: what is served, what is asked, what is counted, and what lives only inside the context."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from data_source_orchestrator import (
    BudgetPolicy,
    CachePolicy,
    DataSourceOrchestrator,
    Failure,
    OrchestratorConfig,
    RetryConfig,
    Source,
    SourceCoordinator,
    SqliteStore,
    Success,
)
from data_source_orchestrator.core.events import BudgetRefused
from data_source_orchestrator.testing import After, Recorder, VirtualClock, run_virtual, scripted

NO_RETRY = RetryConfig(max_retries=0)


class Upstream:
    """Answers with how often it was asked, each time after a second; fails while it is down."""

    def __init__(self) -> None:
        self.asked = 0
        self.down = False

    async def __call__(self) -> int:
        self.asked += 1
        answer = self.asked
        await asyncio.sleep(1)
        if self.down:
            raise ConnectionError("down")
        return answer


def orchestrate(upstream: Upstream, **members: Any) -> DataSourceOrchestrator:
    source = Source(key="a", fetcher=upstream, **members)
    return DataSourceOrchestrator(SourceCoordinator([source], clock=VirtualClock()), OrchestratorConfig(), NO_RETRY)


async def test_a_fresh_answer_is_served_without_a_call_and_is_no_execution():
    upstream = Upstream()
    orchestrator = orchestrate(upstream, cache=CachePolicy(ttl=60))
    results = [await orchestrator.fetch() for _ in range(3)]
    assert ([result["a"] for result in results], upstream.asked) == ([1, 1, 1], 1)
    assert orchestrator.get_metrics().source_metrics["a"].executions == 1
    assert orchestrator.get_metrics().total_executions == 3
    await asyncio.sleep(61)
    assert (await orchestrator.fetch())["a"] == 2


async def test_stale_while_revalidate_refreshes_only_inside_the_context_and_once():
    upstream = Upstream()
    orchestrator = orchestrate(upstream, cache=CachePolicy(ttl=10, stale_while_revalidate=100))
    async with orchestrator:
        await orchestrator.fetch()
        await asyncio.sleep(20)
        results = await asyncio.gather(orchestrator.fetch(), orchestrator.fetch())
        assert [result["a"] for result in results] == [1, 1]
        outcome = results[0].outcomes["a"]
        assert isinstance(outcome, Success)
        assert outcome.age is not None
        await asyncio.sleep(2)
        assert ((await orchestrator.fetch())["a"], upstream.asked) == (2, 2)
        assert orchestrator.get_metrics().source_metrics["a"].executions == 2
        await asyncio.sleep(20)
        await orchestrator.fetch()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    await asyncio.sleep(50)
    assert (await orchestrator.fetch())["a"] == 4


@pytest.mark.pair("cache", "budget")
async def test_what_cannot_be_refreshed_behind_is_asked_for_at_once_and_the_refusal_is_told():
    upstream, heard = Upstream(), Recorder()
    source: Source[int] = Source(key="a", fetcher=upstream, cache=CachePolicy(ttl=10, stale_while_revalidate=100))
    coordinator = SourceCoordinator([source], clock=VirtualClock(), budget=BudgetPolicy(tokens=0))
    async with DataSourceOrchestrator(coordinator) as orchestrator:
        await orchestrator.fetch()
        await asyncio.sleep(20)
        with heard.listening(coordinator.hub):
            outcome = (await orchestrator.fetch()).outcomes["a"]
        assert isinstance(outcome, Success)
        assert (outcome.data, outcome.age, outcome.attempts) == (2, None, 1)
        assert [refused.purpose for refused in heard.of(BudgetRefused)] == ["refresh"]


@pytest.mark.pair("cache", "budget")
async def test_a_refresh_that_is_under_way_is_paid_for_once():
    upstream = Upstream()
    orchestrator = orchestrate(upstream, cache=CachePolicy(ttl=10, stale_while_revalidate=100))
    budget = orchestrator.coordinator.guard("a").budget
    async with orchestrator:
        await orchestrator.fetch()
        await asyncio.sleep(20)
        for _ in range(3):
            await orchestrator.fetch()
            assert budget.tokens == 499
        await asyncio.sleep(2)
        assert budget.tokens == 500, "its success has paid it back"


def test_A24_a_refresh_behind_that_ends_the_program_ends_it_when_what_is_open_is_closed():
    ended: list[str] = []

    async def main() -> None:
        source = scripted("a", "data", After(1, SystemExit(3)), cache=CachePolicy(ttl=10, stale_while_revalidate=100))
        async with DataSourceOrchestrator(SourceCoordinator([source], clock=VirtualClock())) as orchestrator:
            await orchestrator.fetch()
            await asyncio.sleep(20)
            await orchestrator.fetch()
            try:
                await asyncio.sleep(100)
            finally:
                ended.append(f"after {asyncio.get_running_loop().time():.0f} s")

    with pytest.raises(SystemExit, match="3"):
        run_virtual(main())
    assert ended == ["after 21 s"]


async def test_A20_stale_data_stands_beside_a_failure_only_where_the_source_says_so():
    upstream = Upstream()
    orchestrator = orchestrate(upstream, serve_stale=3600)
    await orchestrator.fetch()
    upstream.down = True
    await asyncio.sleep(100)
    result = await orchestrator.fetch()
    outcome = result.outcomes["a"]
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.stale_data, result.metadata.stale, result.metadata.sufficient) == (
        "connection",
        1,
        ("a",),
        False,
    )
    assert outcome.age is not None
    assert outcome.age.seconds > 99
    assert orchestrator.get_metrics().source_metrics["a"].failures == 1


async def test_a_source_that_is_replaced_or_reset_has_no_past():
    upstream, other = Upstream(), Upstream()
    other.asked = 100
    orchestrator = orchestrate(upstream, cache=CachePolicy(ttl=3600))
    await orchestrator.fetch()
    orchestrator.coordinator.update_source("a", fetcher=other)
    assert (await orchestrator.fetch())["a"] == 101
    orchestrator.coordinator.reset("a")
    assert (await orchestrator.fetch())["a"] == 102


async def test_what_a_replaced_fetcher_still_brings_is_not_kept_for_its_successor():
    upstream, other = Upstream(), Upstream()
    other.asked = 100
    orchestrator = orchestrate(upstream, cache=CachePolicy(ttl=3600))
    running = asyncio.ensure_future(orchestrator.fetch())
    await asyncio.sleep(0.5)
    orchestrator.coordinator.unregister_source("a")
    orchestrator.coordinator.register_source(Source(key="a", fetcher=other, cache=CachePolicy(ttl=3600)))
    assert (await orchestrator.fetch())["a"] == 101
    await running
    assert (await orchestrator.fetch())["a"] == 101


async def test_A23_a_sync_asks_even_where_a_fetch_is_being_served(tmp_path: Path):
    upstream = Upstream()
    source: Source[int] = Source(key="a", fetcher=upstream.__call__, cache=CachePolicy(ttl=3600))
    store = await SqliteStore.open(tmp_path / "dso.db")
    try:
        orchestrator = DataSourceOrchestrator(SourceCoordinator([source], clock=VirtualClock()), store=store)
        await orchestrator.fetch()
        await asyncio.gather(orchestrator.fetch(), orchestrator.sync())
    finally:
        await store.close()
    assert upstream.asked == 2
