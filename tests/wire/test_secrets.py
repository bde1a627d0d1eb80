"""What is secret in an address or a header is told to its upstream, and to nobody else: no log, error or event."""

import asyncio
import logging
import traceback
from typing import Any

import pytest

from data_source_orchestrator import (
    DataSourceOrchestrator,
    FetchContext,
    RetryConfig,
    Source,
    SourceCoordinator,
)
from data_source_orchestrator.core.events import Event
from data_source_orchestrator.core.outcome import Failure, Skipped
from data_source_orchestrator.testing.fault_server import (
    FaultServer,
    Reply,
    answer,
    challenge,
    hang_up,
    in_turn,
    rate_limited,
    redirect,
    reset,
    silence,
    truncated,
    unused_port,
)

pytestmark = pytest.mark.real_time

SECRET = "hunter2"  # noqa: S105 — what must not be seen
QUERY = f"?api_key={SECRET}&X-Amz-Signature={SECRET}&page=1"
HEADERS = {"Authorization": f"Bearer {SECRET}", "X-Api-Key": SECRET}

REPLIES: dict[str, Reply] = {
    "good": answer('{"a": 1}'),
    "no JSON": answer("what?"),
    "HTML": answer("<html>", kind="text/html"),
    "404": answer("no", status=404),
    "500": answer("oh", status=500),
    "429": rate_limited("1"),
    "challenge": challenge(),
    "hang up": hang_up(),
    "reset": reset(),
    "truncated": truncated(b"[1, 2", announced=50),
    "no HTTP": hang_up(b"what is this\r\n\r\n"),
    "too large": answer("x" * 2000),
    "encoded": answer("x", headers={"Content-Encoding": "br"}),
    "broken gzip": answer("x", headers={"Content-Encoding": "gzip"}),
    "silence": silence,
    "redirect away": redirect(f"ftp://user:{SECRET}@a.example/?token={SECRET}"),
    "redirect inwards": redirect(f"http://user:{SECRET}@127.0.0.9/?token={SECRET}"),
    "redirect nowhere": redirect(f"http://user:{SECRET}@[::zz/?token={SECRET}"),
    "redirect in a circle": redirect(f"?token={SECRET}"),
}


def told(thing: object) -> str:
    """Return all that can be seen of an outcome, an error with its causes, or an event."""
    error = thing.error if isinstance(thing, Failure) else thing
    lines = traceback.format_exception(error) if isinstance(error, BaseException) else []
    return "\n".join([str(thing), repr(thing), *lines])


@pytest.mark.parametrize("reply", REPLIES)
@pytest.mark.parametrize("way", ["json", "text", "page", "check"])
async def test_a_secret_is_seen_by_its_upstream_alone(reply: str, way: str, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    seen = list[Any]()
    async with FaultServer({"*": in_turn(REPLIES[reply]), "/robots.txt": answer("")}) as server:
        address = server.url(f"/x{QUERY}").replace("//", f"//user:{SECRET}@")
        seen.append(await outcome_of(address, way, seen.append))
        assert any(SECRET in request.target for request in server.requests)
    seen += [record.getMessage() for record in caplog.records]
    assert not [what for what in map(told, seen) if SECRET in what]


@pytest.mark.parametrize("way", ["json", "page"])
async def test_nor_is_it_where_nobody_answers(way: str, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    seen = list[Any]()
    address = f"http://user:{SECRET}@127.0.0.1:{unused_port()}/x{QUERY}"
    seen.append(await outcome_of(address, way, seen.append))
    seen.append(await outcome_of(f"https://user:{SECRET}@nowhere.invalid/x{QUERY}", way, seen.append))
    seen += [record.getMessage() for record in caplog.records]
    assert not [what for what in map(told, seen) if SECRET in what]


async def test_nor_where_robots_txt_forbids_its_page():
    seen = list[Event]()
    async with FaultServer({"/robots.txt": answer("User-agent: *\nDisallow: /")}) as server:
        outcome = await outcome_of(server.url(f"/x{QUERY}").replace("//", f"//user:{SECRET}@"), "page", seen.append)
    assert isinstance(outcome, Skipped)
    assert not [what for what in map(told, [outcome, *seen]) if SECRET in what]


async def outcome_of(address: str, way: str, heard: Any) -> object:
    async def fetch(ctx: FetchContext) -> object:
        match way:
            case "json":
                return await ctx.http.get_json(address, headers=HEADERS, max_body=1000)
            case "text":
                return await ctx.http.get_text(address, headers=HEADERS, max_body=1000)
            case "page":
                return await ctx.http.get_text(address, headers=HEADERS, max_body=1000, page=True)
            case _:
                await ctx.http.check(address)
                return []

    source: Source[Any] = Source(key="a", fetcher=fetch, timeout=0.4)
    orchestrator = DataSourceOrchestrator(SourceCoordinator([source]), retry=RetryConfig(max_retries=0))
    orchestrator.coordinator.hub.follow(heard, Event)
    outcome = (await orchestrator.fetch()).outcomes["a"]
    await asyncio.sleep(0)
    return outcome
