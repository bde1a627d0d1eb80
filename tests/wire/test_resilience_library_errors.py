"""What aiohttp, httpx, requests and urllib really raise against a server on loopback that misbehaves (A18)."""

import asyncio
import json
import socket
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp
import httpx
import pytest
import requests

from data_source_orchestrator.resilience.classify import Failed, classify

pytestmark = pytest.mark.real_time

Get = Callable[[str], Awaitable[Any]]

ANSWERS = {
    "/missing": b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    "/limited": b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 60\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    "/broken": b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    "/truncated": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n[1, 2",
    "/cut-chunk": (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1, 2\r\n"
    ),
    "/no-gzip": (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"
    ),
    "/html": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
    "/round": b"HTTP/1.1 302 Found\r\nLocation: /round\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    "/silent": b"",
    "/garbage": b"no HTTP at all\r\n\r\n",
}


@asynccontextmanager
async def misbehaving() -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            path = (await reader.read(65536)).split(b" ")[1].decode(errors="replace")
            if path == "/slow":
                await reader.read()
            writer.write(ANSWERS.get(path, b""))
            await writer.drain()
        except (OSError, IndexError):
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def with_aiohttp(url: str) -> Any:
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.3), raise_for_status=True) as session,
        session.get(url) as response,
    ):
        return await response.json()


async def with_httpx(url: str) -> Any:
    async with httpx.AsyncClient(timeout=0.3, follow_redirects=True, trust_env=False) as client:
        return (await client.get(url)).raise_for_status().json()


async def with_requests(url: str) -> Any:
    def get() -> Any:
        with requests.Session() as session:
            session.trust_env = False
            response = session.get(url, timeout=0.3)
            response.raise_for_status()
            return response.json()

    return await asyncio.to_thread(get)


async def with_urllib(url: str) -> Any:
    def get() -> Any:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=0.3) as response:
            return json.load(response)

    return await asyncio.to_thread(get)


CLIENTS = [with_aiohttp, with_httpx, with_requests, with_urllib]


async def meant(get: Get, url: str) -> Failed:
    try:
        await get(url)
    except Exception as error:  # noqa: BLE001 — whatever the library raises is the subject
        failed = classify(error, datetime(2026, 1, 1, tzinfo=UTC))
        if callable(close := getattr(error, "close", None)):
            close()  # an error of urllib is its response, too
        return failed
    raise AssertionError(f"{url} gave an answer")


@pytest.mark.parametrize("get", CLIENTS)
@pytest.mark.parametrize(
    ("path", "kinds", "retryable"),
    [
        ("/missing", {"client"}, False),
        ("/limited", {"rate_limited"}, True),
        ("/broken", {"server"}, True),
        ("/truncated", {"content", "connection"}, True),
        ("/cut-chunk", {"content", "connection"}, True),
        ("/html", {"content"}, False),
        ("/silent", {"connection"}, True),
        ("/garbage", {"connection"}, True),
        ("/slow", {"timeout"}, True),
    ],
)
async def test_every_library_s_error_gets_the_same_kind_a18(get: Get, path: str, kinds: set[str], retryable: bool):
    async with misbehaving() as base:
        failed = await meant(get, base + path)
    assert failed.kind in kinds, failed.error
    assert failed.retryable is retryable, failed.error
    assert failed.retry_after == (60 if path == "/limited" else None)


@pytest.mark.parametrize("get", CLIENTS)
async def test_a_refused_connection_is_a_connection_failure_a18(get: Get):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        failed = await meant(get, f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert (failed.kind, failed.retryable) == ("connection", True)


@pytest.mark.parametrize("get", CLIENTS)
async def test_tls_that_fails_is_a_connection_failure_a18(get: Get):
    async with misbehaving() as base:
        failed = await meant(get, base.replace("http:", "https:"))
    assert (failed.kind, failed.retryable) == ("connection", True)


@pytest.mark.parametrize("get", CLIENTS)
async def test_a_redirect_loop_is_the_client_s_fault_a18(get: Get):
    async with misbehaving() as base:
        failed = await meant(get, base + "/round")
    assert (failed.kind, failed.retryable) == ("client", False)


@pytest.mark.parametrize("get", [with_aiohttp, with_httpx, with_requests])
async def test_a_body_that_cannot_be_decompressed_is_bad_content_a18(get: Get):
    async with misbehaving() as base:
        failed = await meant(get, base + "/no-gzip")
    assert failed.kind == "content", failed.error
