"""Each way in which an upstream misbehaves on the wire, as one failure of the right kind."""

import asyncio
import gzip
import math
import socket
import threading
import tracemalloc
import zlib
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from data_source_orchestrator.core.allowance import Allowance
from data_source_orchestrator.core.clock import SystemClock
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.testing.fault_server import (
    FaultServer,
    Reply,
    Request,
    answer,
    challenge,
    endless_headers,
    hang_up,
    head,
    large,
    late,
    rate_limited,
    reset,
    silence,
    trickle,
    truncated,
    unused_port,
)
from data_source_orchestrator.web import HttpPolicy, HttpPool

pytestmark = pytest.mark.real_time

MIB = 1024 * 1024


@asynccontextmanager
async def upstream(reply: Reply, policy: HttpPolicy = HttpPolicy(), **options: Any):  # noqa: B008 — a frozen record
    pool = HttpPool(policy, clock=SystemClock())
    async with FaultServer({"*": reply}, **options) as server, pool.use():
        yield server, pool.client(received=lambda _: None)


async def failure(reply: Reply, policy: HttpPolicy = HttpPolicy(), *, verb: str = "get"):  # noqa: B008 — a frozen record
    async with upstream(reply, policy) as (server, client):
        with pytest.raises(FetchError) as caught:
            await getattr(client, verb)(server.url("/x?token=hunter2"))
        assert len(server.requests) == 1, "a request is never sent again"
    assert "hunter2" not in str(caught.value)
    return caught.value


def sockets() -> int:
    files = [file for file in Path("/proc/self/fd").iterdir() if file.is_symlink()]
    return sum(str(file.readlink()).startswith("socket:") for file in files)


async def test_a_refused_connection_is_connection():
    async with upstream(answer()) as (_, client):
        with pytest.raises(FetchError, match=r"127\.0\.0\.1:\d+ refused the connection") as caught:
            await client.get(f"http://127.0.0.1:{unused_port()}/")
    assert caught.value.kind == "connection"


async def test_a_wrong_name_is_connection():
    async with upstream(answer()) as (_, client):
        with pytest.raises(FetchError, match=r"no address is known for no-such-host\.invalid") as caught:
            await client.get("http://no-such-host.invalid/")
    assert caught.value.kind == "connection"


async def test_a_malformed_name_is_connection():
    async with upstream(answer()) as (_, client):
        with pytest.raises(FetchError, match="the name is malformed") as caught:
            await client.get(f"http://{'a' * 70}.example/")
    assert caught.value.kind == "connection"


@pytest.mark.parametrize(
    "reply",
    [
        reset(),
        reset(head(200, {"Content-Length": "1000"}) + b"x" * 100),
        reset(head(200, {"Transfer-Encoding": "chunked"}) + b"3\r\nabc\r\n"),
        reset(head(200, {"Connection": "close"}) + b'{"looks": "whole"}'),
    ],
    ids=["before the answer", "in a body with a length", "in a chunked body", "in a body without a length"],
)
async def test_a_reset_is_connection(reply: Reply):
    error = await failure(reply, verb="get_text")
    assert error.kind == "connection"
    assert "reset the connection" in str(error)


async def test_an_upstream_that_hangs_up_without_an_answer_is_connection():
    error = await failure(hang_up())
    assert error.kind == "connection"
    assert "hung up" in str(error)


@pytest.mark.parametrize(
    "reply",
    [
        truncated(b"abc", announced=10),
        hang_up(head(200, {"Transfer-Encoding": "chunked"}) + b"3\r\nabc\r\n"),
        hang_up(head(200, {"Content-Encoding": "gzip"}) + gzip.compress(b"x" * 1000)[:-4]),
        hang_up(head(200, {"Content-Encoding": "deflate"}) + zlib.compress(b"x" * 1000)[:-1]),
    ],
    ids=["length", "chunked", "gzip", "deflate"],
)
async def test_a_body_that_ends_early_is_truncated_content(reply: Reply):
    error = await failure(reply)
    assert (error.kind, error.truncated) == ("content", True)


async def test_a_broken_encoding_is_content_and_not_truncated():
    error = await failure(answer(b"\xff" * 50, headers={"Content-Encoding": "gzip"}))
    assert (error.kind, error.truncated) == ("content", False)


@pytest.mark.parametrize(
    "reply",
    [
        endless_headers,
        hang_up(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"),
        hang_up(b"SSH-2.0-OpenSSH_9.2\r\n"),
        hang_up(b"\0" * 100),
    ],
    ids=["endless headers", "one long header", "another protocol", "rubbish"],
)
async def test_headers_without_end_or_sense_are_content(reply: Reply):
    assert (await failure(reply)).kind == "content"


@pytest.mark.parametrize(
    "reply",
    [
        large(100 * MIB),
        large(100 * MIB, announce=False),
        large(1000 * MIB, encoding="gzip"),
        large(1000 * MIB, encoding="deflate"),
    ],
    ids=["announced", "unannounced", "gzip bomb", "deflate bomb"],
)
async def test_a_hundred_megabytes_or_a_bomb_is_content_within_bounded_memory(reply: Reply):
    await failure(answer(status=500))  # so that importing aiohttp is not measured
    tracemalloc.start()
    try:
        error = await asyncio.wait_for(failure(reply, HttpPolicy(max_body=8 * MIB, max_wire=8 * MIB)), 20)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert error.kind == "content"
    assert not error.truncated
    assert "more than the 8 MiB" in str(error)
    assert peak < 24 * MIB


async def test_by_default_a_body_of_more_than_32_mib_is_refused():
    assert "32 MiB" in str(await failure(large(33 * MIB)))


@pytest.mark.parametrize(
    ("reply", "kind", "retry_after"),
    [
        (rate_limited("60"), "rate_limited", 60.0),
        (rate_limited(None), "rate_limited", None),
        (rate_limited("-5"), "rate_limited", math.inf),
        (rate_limited("60", status=403), "rate_limited", 60.0),
        (challenge(), "blocked", None),
        (challenge(sign=False), "blocked", None),
        (challenge(status=200, sign=False), "blocked", None),
        (challenge(status=503, sign=False), "blocked", None),
        (challenge(status=429, sign=False), "blocked", None),
        (answer("error code: 1020", status=403), "blocked", None),
        (answer("gone", status=410), "client", None),
        (answer("slow", status=408), "timeout", None),
        (answer("sorry", status=503, headers={"Retry-After": "3"}), "server", 3.0),
    ],
)
@pytest.mark.parametrize("verb", ["get", "get_json", "get_text", "check"])
async def test_a_refusal_has_one_kind_whoever_asks(reply: Reply, kind: str, retry_after: float | None, verb: str):
    error = await failure(reply, verb=verb)
    assert (error.kind, error.retry_after) == (kind, retry_after)


async def test_signs_of_a_challenge_are_found_in_a_compressed_body():
    page = gzip.compress(b"<html><title>Just a moment...</title></html>")
    error = await failure(answer(page, status=403, headers={"Content-Encoding": "gzip"}, kind="text/html"))
    assert error.kind == "blocked"


@pytest.mark.parametrize(
    "rest",
    [b"", b"<html>rate li"],
    ids=["nothing", "a part"],
)
async def test_an_error_whose_body_is_broken_is_judged_by_its_status(rest: bytes):
    reply = hang_up(head(429, {"Retry-After": "9", "Content-Length": "1000"}) + rest)
    error = await failure(reply)
    assert (error.kind, error.retry_after) == ("rate_limited", 9.0)


async def test_an_error_whose_body_never_ends_is_judged_by_its_status_all_the_same():
    async def held(_request: Request, writer: asyncio.StreamWriter):
        writer.write(head(429, {"Retry-After": "9", "Content-Length": "1000"}))
        await writer.drain()
        await asyncio.sleep(60)

    error = await asyncio.wait_for(failure(held), 10)
    assert (error.kind, error.retry_after) == ("rate_limited", 9.0)


@pytest.mark.parametrize("reply", [answer("<html></html>", kind="application/json"), answer("[" * 1_000_000)])
async def test_html_or_deep_nesting_for_json_is_content(reply: Reply):
    assert (await failure(reply, verb="get_json")).kind == "content"


async def test_a_small_body_that_decodes_to_more_json_than_fits_is_content():
    bomb = gzip.compress(b"[" + b"{}," * 10_000_000 + b"{}]")
    error = await failure(answer(bomb, headers={"Content-Encoding": "gzip"}), verb="get_json")
    assert error.kind == "content"
    assert "names and values" in str(error)


async def test_a_fetcher_may_lower_the_cap_on_a_body_and_never_raise_it():
    async with upstream(answer("x" * 1000), HttpPolicy(max_body=500)) as (server, client):
        for most in (100, 5000):
            with pytest.raises(FetchError, match=f"{min(most, 500)} bytes"):
                await client.get_text(server.url(), max_body=most)


@pytest.mark.parametrize(
    "reply", [trickle(b"x" * 1000), silence, late(5, answer())], ids=["a byte a second", "silence", "a late answer"]
)
async def test_b05_a_request_cut_off_from_outside_ends_at_once_and_leaves_nothing(reply: Reply):
    async with upstream(reply) as (server, client):
        before, tasks = sockets(), asyncio.all_tasks()
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await client.get(server.url())
        assert loop.time() - began < 1.0
        await asyncio.sleep(0.05)
        assert server.open_connections == 0
        assert sockets() == before
        assert asyncio.all_tasks() == tasks


async def test_a_name_server_that_does_not_answer_is_timeout_and_holds_nobody_up(monkeypatch: pytest.MonkeyPatch):
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(30) or [])
    async with upstream(answer(), HttpPolicy(connect_timeout=0.2), host="127.0.0.1") as (_, client):
        with pytest.raises(FetchError, match=r"within 0\.2 s") as caught:
            await client.get("http://slow-dns.example/")
    answered.set()
    assert caught.value.kind == "timeout"


async def test_a_connection_that_is_never_made_is_timeout():
    async with upstream(silence, HttpPolicy(connect_timeout=0.2)) as (server, client):
        with pytest.raises(FetchError, match=r"127\.0\.0\.1:\d+ did not accept a connection within 0\.2 s") as caught:
            await client.get(server.url().replace("http:", "https:"))  # a TLS handshake that nobody answers
    assert caught.value.kind == "timeout"


@pytest.mark.parametrize("headers", [{"X-A": "1\r\nX-B: 2"}, {"X-A": 5}])
async def test_headers_that_cannot_be_sent_are_the_fetchers_bug(headers: dict[str, Any]):
    async with upstream(answer()) as (server, client):
        with pytest.raises(FetchError) as caught:
            await client.get(server.url(), headers=headers)
    assert caught.value.kind == "bug"


async def test_what_an_upstream_says_is_left_of_our_allowance_is_handed_on():
    heard: list[Allowance] = []
    pool = HttpPool(HttpPolicy(), clock=SystemClock())
    reply = answer("{}", headers={"RateLimit-Remaining": "3", "RateLimit-Reset": "7"})
    async with FaultServer({"*": reply}) as server, pool.use():
        await pool.client(received=lambda _: None, observed=heard.append).get(server.url())
    assert heard == [Allowance(remaining=3, reset_after=7)]
