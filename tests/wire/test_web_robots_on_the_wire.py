"""robots.txt on the wire: what is asked, in which order, within which bounds."""

import asyncio
import gzip
from contextlib import asynccontextmanager
from typing import Any

import pytest

from data_source_orchestrator import FetchError, NotAskedError
from data_source_orchestrator.core.clock import SystemClock
from data_source_orchestrator.core.traffic import WireRequest
from data_source_orchestrator.testing.fault_server import (
    FaultServer,
    Reply,
    answer,
    challenge,
    hang_up,
    in_turn,
    large,
    rate_limited,
    redirect,
    silence,
)
from data_source_orchestrator.web import HttpPolicy, HttpPool
from data_source_orchestrator.web.robots_copy import PARSED

pytestmark = pytest.mark.real_time

FORBID = answer("User-agent: *\nDisallow: /no\n")


@asynccontextmanager
async def site(file: Reply | None = None, policy: HttpPolicy = HttpPolicy(), **options: Any):  # noqa: B008 — a frozen record
    """Serve a site with that robots.txt and a page at every other address; yield it and a client."""
    pool = HttpPool(policy, clock=SystemClock())
    routes: dict[str, Reply] = {"*": answer("a page")} | ({} if file is None else {"/robots.txt": file})
    async with FaultServer(routes, host="0.0.0.0") as server, pool.use():  # noqa: S104 — two origins need two addresses
        server.host = "127.0.0.1"
        yield server, pool.client(received=lambda _: None, **options)


def paths(server: FaultServer) -> list[str]:
    return [request.path for request in server.requests]


async def test_a_page_is_asked_for_after_its_robots_txt_and_not_where_that_forbids_it():
    async with site(FORBID) as (server, client):
        assert await client.get_text(server.url("/yes"), page=True) == "a page"
        with pytest.raises(NotAskedError):
            await client.get_text(server.url("/no/1"), page=True)
        with pytest.raises(NotAskedError):
            await client.check(server.url("/no/2"), page=True)
        assert paths(server) == ["/robots.txt", "/yes"]
        assert server.requests[0].headers["user-agent"] == server.requests[1].headers["user-agent"]


async def test_what_is_no_page_is_asked_for_without_it():
    async with site(FORBID) as (server, client):
        assert await client.get_text(server.url("/no/data")) == "a page"
        await client.check(server.url("/no/data"))
        assert paths(server) == ["/no/data"] * 2


async def test_a_source_may_be_let_off_it():
    async with site(FORBID, robots=False) as (server, client):
        assert await client.get_text(server.url("/no"), page=True) == "a page"
        assert paths(server) == ["/no"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418, 451])
async def test_a_4xx_means_that_there_is_no_file(status: int):
    async with site(answer("what?", status=status)) as (server, client):
        assert await client.get_text(server.url("/no"), page=True) == "a page"


async def test_a_challenge_in_its_place_means_so_too_and_the_page_speaks_for_itself():
    async with site(challenge()) as (server, client):
        assert await client.get_text(server.url("/no"), page=True) == "a page"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer("oh", status=500), "server"),
        (answer("oh", status=503), "server"),
        (answer("oh", status=408), "timeout"),
        (rate_limited("7"), "rate_limited"),
        (hang_up(), "connection"),
        (answer("x", headers={"Content-Encoding": "br"}), "content"),
    ],
)
async def test_a_file_that_cannot_be_read_keeps_us_from_every_page_and_is_a_failure_of_its_site(
    reply: Reply, kind: str
):
    async with site(reply) as (server, client):
        with pytest.raises(FetchError, match=r"no page is asked for while robots\.txt cannot be read") as caught:
            await client.get_text(server.url("/yes"), page=True)
        assert caught.value.kind == kind
        assert not isinstance(caught.value, NotAskedError)
        assert set(paths(server)) == {"/robots.txt"}
    assert caught.value.retry_after == (7 if kind == "rate_limited" else None)


async def test_five_redirects_to_the_file_are_followed_even_to_another_origin():
    async with site(FORBID) as (other, _), site() as (server, client):
        server.routes |= {"/robots.txt": redirect("/1"), "/1": redirect("/2"), "/2": redirect("/3")}
        server.routes |= {"/3": redirect("/4"), "/4": redirect(other.url("/robots.txt"))}
        with pytest.raises(NotAskedError):
            await client.get_text(server.url("/no"), page=True)
        assert paths(server) == ["/robots.txt", "/1", "/2", "/3", "/4"]


async def test_beyond_five_redirects_and_in_a_circle_there_is_no_file():
    async with site(redirect("/robots.txt")) as (server, client):
        assert await client.get_text(server.url("/no"), page=True) == "a page"
    async with site(redirect("/1")) as (server, client):
        server.routes |= {f"/{step}": redirect(f"/{step + 1}") for step in range(1, 7)}
        assert await client.get_text(server.url("/no"), page=True) == "a page"
        assert paths(server) == ["/robots.txt", "/1", "/2", "/3", "/4", "/5", "/no"]


async def test_an_operator_who_follows_fewer_redirects_is_not_taken_for_a_site_without_a_file():
    async with site(redirect("/1"), HttpPolicy(max_redirects=0)) as (server, client):
        with pytest.raises(FetchError) as caught:
            await client.get_text(server.url("/yes"), page=True)
        assert caught.value.kind == "client"


async def test_the_file_leads_to_no_inner_address_either():
    async with site(FORBID) as (inner, _), site() as (server, client):
        server.routes["/robots.txt"] = redirect(inner.url("/robots.txt", host="127.0.0.2"))
        with pytest.raises(FetchError, match="not public") as caught:
            await client.get_text(server.url("/yes"), page=True)
        assert caught.value.kind == "blocked"
        assert inner.connections == 0


async def test_where_a_page_redirects_to_the_next_site_is_asked_as_well():
    async with site(FORBID) as (other, _), site() as (server, client):
        server.routes["/a"] = redirect(other.url("/no/1"))
        server.routes["/b"] = redirect(other.url("/yes"))
        with pytest.raises(NotAskedError):
            await client.get_text(server.url("/a"), page=True)
        assert await client.get_text(server.url("/b"), page=True) == "a page"
        assert paths(other) == ["/robots.txt", "/yes"]


@pytest.mark.parametrize("packed", [False, True])
async def test_half_a_megabyte_of_it_counts_and_what_follows_does_not(packed: bool):
    early = "User-agent: *\nDisallow: /no\n" + "#" * 70 + "\n"
    text = early + ("# " + "x" * 77 + "\n") * (PARSED // 80) + "Disallow: /late\n" * 1000
    whole = text.encode()[: PARSED - 10].rpartition(b"\n")[0] + b"\nDisallow: /yes-and-more\n" + text.encode()
    body = gzip.compress(whole) if packed else whole
    async with site(answer(body, headers={"Content-Encoding": "gzip"} if packed else {})) as (server, client):
        with pytest.raises(NotAskedError):
            await client.get_text(server.url("/no"), page=True)
        assert await client.get_text(server.url("/late"), page=True) == "a page"
        assert await client.get_text(server.url("/yes-and"), page=True) == "a page", "a line that is cut is none"


async def test_a_file_without_end_is_left_after_half_a_megabyte():
    async with site(large(10**9, announce=False)) as (server, client):
        assert await client.get_text(server.url("/yes"), page=True) == "a page"
    async with site(large(10**9, encoding="gzip")) as (server, client):
        assert await client.get_text(server.url("/yes"), page=True) == "a page"


async def test_a_site_that_never_gives_its_file_holds_nobody_beyond_his_own_time():
    async with site(silence) as (server, client):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await client.get_text(server.url("/yes"), page=True)
        server.routes["/robots.txt"] = FORBID
        assert await client.get_text(server.url("/yes"), page=True) == "a page"


async def test_many_pages_at_once_take_one_file_and_no_more_connections_than_allowed():
    async with site(FORBID, HttpPolicy(max_connections=1)) as (server, client):
        server.routes["/a"] = redirect("/b")
        assert (
            await asyncio.gather(*(client.get_text(server.url("/a"), page=True) for _ in range(10))) == ["a page"] * 10
        )
        assert paths(server).count("/robots.txt") == 1


async def test_a_crawl_delay_is_told_for_each_request_for_a_page():
    delays = list[float]()
    async with site(answer("User-agent: *\nCrawl-delay: 12"), delayed=delays.append) as (server, client):
        await client.get_text(server.url("/a"), page=True)
        await client.get_text(server.url("/b"))
        await client.check(server.url("/c"), page=True)
    assert delays == [12, 12]


async def test_every_request_is_told_with_its_host_its_status_and_its_bytes():
    told = list[WireRequest]()
    async with site(FORBID, told=told.append) as (server, client):
        server.routes |= {"/a": redirect("/b"), "/c": in_turn(answer(status=304), rate_limited("5"), hang_up())}
        await client.get_text(server.url("/a"), page=True)
        for _ in range(3):
            with pytest.raises(FetchError):
                await client.get(server.url("/c"))
    host = "127.0.0.1"
    page = len(b"<!DOCTYPE html><html><head><title>Rate limit</title></head><body>Whoa there!</body></html>")
    assert told == [
        WireRequest(host=host, status=200, received=28, robots=True),
        WireRequest(host=host, status=302),
        WireRequest(host=host, status=200, received=6),
        WireRequest(host=host, status=304),
        WireRequest(host=host, status=429, received=page, limited=True, wait=5),
        WireRequest(host=host, status=None),
    ]
