"""What robots.txt forbids, or wants us to wait for: our own decision, which says nothing about the source."""

from pathlib import Path
from typing import Any

import pytest
from test_keeping import disk, documents

from data_source_orchestrator import (
    DataSourceOrchestrator,
    FetchContext,
    FetchError,
    LimitPolicy,
    NotAskedError,
    OrchestratorConfig,
    RateLimitPolicy,
    RetryConfig,
    Skipped,
    SkipReason,
    Source,
    SourceCoordinator,
)
from data_source_orchestrator.core.events import RequestFinished
from data_source_orchestrator.core.traffic import WireRequest
from data_source_orchestrator.testing import VirtualClock, script_of, scripted
from data_source_orchestrator.web.robots_copy import RobotsCopy

FORBIDDEN = NotAskedError(SkipReason.ROBOTS, "robots.txt does not allow it")


def house(*sources: Source[Any], **members: Any) -> DataSourceOrchestrator:
    coordinator = SourceCoordinator(sources, clock=VirtualClock())
    return DataSourceOrchestrator(
        coordinator, OrchestratorConfig(timeout=60), RetryConfig(max_retries=3, jitter=False), **members
    )


async def test_a_source_that_robots_txt_forbids_is_skipped_and_not_asked_again():
    source = scripted("a", FORBIDDEN, [1])
    orchestrator = house(source)
    result = await orchestrator.fetch()
    outcome = result.outcomes["a"]
    assert isinstance(outcome, Skipped)
    assert (outcome.reason, outcome.attempts, outcome.detail) == ("robots", 1, "robots.txt does not allow it")
    assert len(script_of(source).calls) == 1
    assert (result.metadata.failure_count, result.metadata.skipped_count) == (0, 1)


async def test_it_says_nothing_against_the_source_a17():
    orchestrator = house(scripted("a", FORBIDDEN))
    for _ in range(10):
        await orchestrator.fetch()
    [report] = orchestrator.get_health_reports()
    assert (report.status, report.consecutive_failures, report.uptime) == ("unknown", 0, None)
    assert orchestrator.coordinator.admits("a")


async def test_a_group_of_requests_of_which_one_was_not_made_is_skipped_too():
    outcome = (await house(scripted("a", ExceptionGroup("all", [FORBIDDEN]))).fetch()).outcomes["a"]
    assert isinstance(outcome, Skipped)


async def test_a_retry_that_finds_the_way_forbidden_ends_the_execution():
    orchestrator = house(scripted("a", FetchError("server"), FORBIDDEN, [1]))
    outcome = (await orchestrator.fetch()).outcomes["a"]
    assert isinstance(outcome, Skipped)
    assert outcome.attempts == 2


async def test_a_probe_of_a_half_open_breaker_gives_its_permit_back():
    failing = scripted("a", *[FetchError("server")] * 5, FORBIDDEN, [1])
    orchestrator = house(failing.but(max_retries=0))
    for _ in range(5):
        await orchestrator.fetch()
    await VirtualClock().sleep(60)
    assert isinstance((await orchestrator.fetch()).outcomes["a"], Skipped)
    assert (await orchestrator.fetch())["a"] == [1]


async def test_what_a_robots_txt_wants_between_two_requests_holds_the_sources_pace():
    calls = list[float]()

    async def fetch(ctx: FetchContext) -> list[int]:
        calls.append(ctx.clock.monotonic())
        orchestrator.coordinator.hold("a", 20)
        if len(calls) == 1:
            raise FetchError("server")
        return [1]

    orchestrator = house(Source(key="a", fetcher=fetch, limits=LimitPolicy()))
    assert (await orchestrator.fetch())["a"] == [1]
    assert calls[1] - calls[0] == 20


async def test_what_was_asked_is_kept_by_every_process_and_forgotten_with_the_source(tmp_path: Path):
    async def fetch(ctx: FetchContext) -> list[int]:
        request = WireRequest(host="a.example", status=304)
        orchestrator.coordinator.hub.emit(RequestFinished(at=ctx.clock.now(), source="a", request=request))
        return [1]

    forbidden = scripted("b", FORBIDDEN)
    async with disk(tmp_path) as store:
        for _ in range(2):
            async with house(Source(key="a", fetcher=fetch), forbidden, store=store) as orchestrator:
                await orchestrator.fetch()
        async with house(Source(key="a", fetcher=fetch), forbidden, store=store) as orchestrator:
            told = (await orchestrator.get_politeness()).sources
            assert (told["a"].traffic.fetches, told["a"].traffic.total.not_modified) == (2, 2)
            assert (told["b"].traffic.forbidden, told["b"].traffic.total.requests) == (2, 0)
            await orchestrator.fetch("a")
            assert (await orchestrator.get_politeness()).sources["a"].traffic.fetches == 3
            await orchestrator.reset("a")
            assert (await orchestrator.get_politeness()).sources["a"].traffic.fetches == 0
        async with house(Source(key="a", fetcher=fetch), forbidden, store=store) as orchestrator:
            told = (await orchestrator.get_politeness()).sources
            assert (told["a"].traffic.fetches, told["b"].traffic.fetches) == (0, 2)


async def test_what_a_limit_delayed_or_held_back_is_counted(tmp_path: Path):
    two_seconds = LimitPolicy(rate=RateLimitPolicy(limit=1, per=2))
    source = scripted("a", [1]).but(limits=two_seconds, timeout=3)
    async with disk(tmp_path) as store, house(source, store=store) as orchestrator:
        await orchestrator.fetch()
        await orchestrator.fetch()
        orchestrator.coordinator.hold("a", 60)
        await orchestrator.fetch()
        told = (await orchestrator.get_politeness()).sources["a"].traffic
    assert (told.fetches, told.delays, told.delayed, told.held_back) == (2, 1, 2, 1)


async def test_a_robots_txt_that_one_process_has_read_spares_the_next_one_to_ask(tmp_path: Path):
    now = VirtualClock().now()
    copy = RobotsCopy(read_at=now, since=now, text="User-agent: *\nDisallow: /no")
    async with disk(tmp_path) as store:
        async with house(scripted("a", [1]), store=store) as orchestrator:
            orchestrator._http.robots.take_over({"https://a.example": copy.document})
            await orchestrator.fetch()
        async with house(scripted("a", [1]), store=store) as orchestrator:
            assert orchestrator._http.robots.copies == {"https://a.example": copy}


@pytest.mark.usefixtures("unlogged")
async def test_what_was_asked_while_the_store_failed_is_kept_by_the_next_transaction(tmp_path: Path):
    async with disk(tmp_path) as store, house(scripted("a", [1]), store=store) as orchestrator:
        store.broken = True
        await orchestrator.fetch()
        assert (await orchestrator.get_politeness()).sources["a"].traffic.fetches == 1
        store.broken = False
        await orchestrator.fetch()
        kept = await documents(store, "traffic")
        assert kept["a"]["fetches"] == 2
