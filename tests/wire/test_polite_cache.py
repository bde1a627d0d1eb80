"""Kept answers beside robots.txt, the count of requests, a source's own signs, and what is kept to look at."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from data_source_orchestrator import Classification, FailureKind, FetchError, HttpPolicy, HttpPool, NotAskedError, Sign
from data_source_orchestrator.core.context import HttpClient
from data_source_orchestrator.core.served import Served
from data_source_orchestrator.core.traffic import WireRequest
from data_source_orchestrator.testing.fault_server import FaultServer, Request, answer

pytestmark = pytest.mark.real_time

VALIDATED = {"ETag": '"1"', "Cache-Control": "no-cache"}
UPKEEP = Classification(signs=(Sign(kind=FailureKind.SERVER, told="is down for upkeep", body=rb".*?upkeep"),))


async def confirming(request: Request, writer: asyncio.StreamWriter) -> None:
    """Serve the address itself, under a validator, and say 304 to whoever has it."""
    holds = request.headers.get("if-none-match") == VALIDATED["ETag"]
    reply = answer(status=304, headers=VALIDATED) if holds else answer(f"a page at {request.path}", headers=VALIDATED)
    await reply(request, writer)


@dataclass
class Site:
    """A site all of whose addresses have validators, robots.txt too, and what was told of each request and answer."""

    server: FaultServer
    pool: HttpPool
    told: list[WireRequest] = field(default_factory=list)
    served: list[Served] = field(default_factory=list)

    def client(self, own: Classification = Classification()) -> HttpClient:  # noqa: B008 — a frozen record
        return self.pool.client(told=self.told.append, served=self.served.append, own=own, confirmed=True)

    @property
    def asked(self) -> list[tuple[str, str | None]]:
        """The paths that were asked for, each with its condition."""
        return [(request.path, request.headers.get("if-none-match")) for request in self.server.requests]


@asynccontextmanager
async def site(robots: str = "User-agent: *\nDisallow: /no") -> AsyncIterator[Site]:
    pool = HttpPool(HttpPolicy(cache=True))
    routes = {"*": confirming, "/robots.txt": answer(robots, headers=VALIDATED)}
    async with FaultServer(routes) as server, pool.use():
        yield Site(server, pool)


async def test_a_page_is_confirmed_as_robots_txt_allows_and_that_is_never_kept_itself():
    async with site() as one:
        for _ in range(2):
            await one.client().get_text(one.server.url("/yes"), page=True)
            with pytest.raises(NotAskedError):
                await one.client().get_text(one.server.url("/no"), page=True)
        assert one.asked == [("/robots.txt", None), ("/yes", None), ("/yes", '"1"')]
        other = HttpPool(HttpPolicy(cache=True), responses=one.pool._responses)  # as another process has it
        async with other.use():
            await other.client(confirmed=True).get_text(one.server.url("/yes"), page=True)
        assert one.asked[3:] == [("/robots.txt", None), ("/yes", '"1"')]


async def test_a_confirmation_is_counted_as_what_went_over_the_wire():
    async with site() as one:
        for _ in range(2):
            await one.client().get_text(one.server.url("/rows"))
        assert [(request.status, request.received > 0) for request in one.told] == [(200, True), (304, False)]


async def test_a_confirmed_body_is_kept_to_look_at_as_it_was_when_it_was_sent():
    async with site() as one:
        for _ in range(2):
            await one.client().get_text(
                one.server.url("/rows?token=hunter2x")
            )  # never kept: its address holds a secret
            await one.client().get_text(one.server.url("/rows"))
        told = [(each.status, each.body, each.from_cache) for each in one.served]
        assert told == [(200, b"a page at /rows", False)] * 3 + [(200, b"a page at /rows", True)]


async def test_a_confirmation_is_no_failure_whatever_a_source_says_of_304():
    async with site() as one:
        own = Classification(statuses={304: "empty"})
        for _ in range(2):
            assert await one.client(own).get_text(one.server.url("/rows")) == "a page at /rows"


async def test_a_kept_body_is_judged_by_the_signs_of_whoever_asks_for_it_now_and_let_go_where_it_is_none():
    async with site() as one:
        url = one.server.url("/upkeep")
        assert await one.client().get_text(url) == "a page at /upkeep"
        for _ in range(2):
            with pytest.raises(FetchError, match="is down for upkeep") as caught:
                await one.client(UPKEEP).get_text(url)
            assert caught.value.kind == "server"
        assert one.asked == [("/upkeep", None), ("/upkeep", '"1"'), ("/upkeep", None)]
        assert [each.from_cache for each in one.served] == [False], "what is no data by a sign was never accepted"
