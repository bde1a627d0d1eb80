"""robots.txt through the whole engine: what a source's own settings make of it, and who keeps its wishes."""

from contextlib import suppress
from typing import Any

import pytest

from data_source_orchestrator import (
    DataSourceOrchestrator,
    FetchContext,
    FetchError,
    LimitPolicy,
    RetryConfig,
    Skipped,
    Source,
    SourceCoordinator,
)
from data_source_orchestrator.core.events import RequestFinished
from data_source_orchestrator.core.outcome import Failure
from data_source_orchestrator.testing.fault_server import FaultServer, answer, in_turn, rate_limited

pytestmark = pytest.mark.real_time

FORBID = answer("User-agent: *\nDisallow: /no")


def house(server: FaultServer, path: str, **members: Any) -> DataSourceOrchestrator:
    async def fetch(ctx: FetchContext) -> Any:
        return await ctx.http.get_text(server.url(path), page=True)

    source: Source[Any] = Source(key="a", fetcher=fetch, records=lambda text: [text], **members)
    return DataSourceOrchestrator(SourceCoordinator([source]), retry=RetryConfig(max_retries=2, base_delay=0))


async def test_what_robots_txt_forbids_is_skipped_and_a_source_that_may_all_the_same_is_asked():
    async with FaultServer({"*": answer("a page"), "/robots.txt": FORBID}) as server:
        outcome = (await house(server, "/no").fetch()).outcomes["a"]
        assert isinstance(outcome, Skipped)
        assert outcome.reason == "robots"
        assert [request.path for request in server.requests] == ["/robots.txt"]
        allowed = house(server, "/no", robots=False, robots_reason="by letter")
        assert (await allowed.fetch())["a"] == "a page"


async def test_a_robots_txt_that_cannot_be_read_is_a_failure_of_its_site_and_is_tried_again():
    down = answer("oh", status=503)
    async with FaultServer({"*": answer("a page"), "/robots.txt": in_turn(down, down, FORBID)}) as server:
        result = await house(server, "/yes").fetch()
        assert result["a"] == "a page"
        assert result.outcomes["a"].attempts == 3
    async with FaultServer({"*": answer("a page"), "/robots.txt": down}) as server:
        orchestrator = house(server, "/yes")
        outcome = (await orchestrator.fetch()).outcomes["a"]
        assert isinstance(outcome, Failure)
        assert outcome.kind == "server"
        assert {request.path for request in server.requests} == {"/robots.txt"}
        [report] = orchestrator.get_health_reports()
        assert report.consecutive_failures == 1, "an outage is never hidden behind a skip"


async def test_a_crawl_delay_is_kept_by_the_pace_that_the_source_shares_with_its_host():
    wishes = answer("User-agent: *\nCrawl-delay: 30")
    async with FaultServer({"*": answer("a page"), "/robots.txt": wishes}) as server:
        orchestrator = house(server, "/yes", host="a.example", timeout=5)
        assert (await orchestrator.fetch())["a"] == "a page"
        outcome = (await orchestrator.fetch()).outcomes["a"]
        assert isinstance(outcome, Skipped)
        assert outcome.reason == "rate_limit"
        assert len(server.requests) == 2


async def test_a_wait_is_kept_even_where_the_fetcher_does_without_the_answer_that_asked_for_it():
    async with FaultServer({"/page": answer("a page"), "/extra": rate_limited("3600")}) as server:

        async def fetch(ctx: FetchContext) -> Any:
            with suppress(FetchError):
                await ctx.http.get_json(server.url("/extra"))
            return await ctx.http.get_text(server.url("/page"))

        source: Source[Any] = Source(key="a", fetcher=fetch, limits=LimitPolicy())
        orchestrator = DataSourceOrchestrator(SourceCoordinator([source]))
        assert (await orchestrator.fetch())["a"] == "a page"
        outcome = (await orchestrator.fetch()).outcomes["a"]
        assert isinstance(outcome, Skipped)
        assert outcome.reason == "rate_limit"
        assert len(server.requests) == 2


async def test_every_request_is_an_event_of_its_source():
    async with FaultServer({"*": answer("a page"), "/robots.txt": FORBID}) as server:
        orchestrator = house(server, "/yes", limits=LimitPolicy())
        heard = list[RequestFinished]()
        orchestrator.coordinator.hub.follow(heard.append, RequestFinished)  # type: ignore[arg-type]  # it hears these alone
        await orchestrator.fetch()
    assert [(event.source, event.request.robots, event.request.status) for event in heard] == [
        ("a", True, 200),
        ("a", False, 200),
    ]
