"""What one request over HTTP costs, end to end over loopback: 1 kB of JSON, at most 100 at one time.

`uv run python benchmarks/over_http.py [how many]`. The server is a process of its own, and only the CPU
time of the process that asks is counted. Five contestants: aiohttp as it comes; our client, with its caps, its checks
of addresses and its strict JSON; the same with its HTTP cache on, where nothing that comes can be kept; the engine with
a source for each request over our client; and httpx as it comes.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from importlib import import_module
from typing import Any

import aiohttp
from loopback_server import served
from measure import Contestant, race
from peers import Work
from rung import Rung, tell

from data_source_orchestrator import (
    DataSourceOrchestrator,
    FetchContext,
    HttpPolicy,
    HttpPool,
    Source,
    SourceCoordinator,
)

MANY = 1_000
FEWER = 100
"""Requests through httpx, which takes so much longer."""

AT_ONCE = 100
ROUNDS = 11

AIOHTTP, CLIENT, ENGINE, HTTPX = "aiohttp", "our client", "the engine over our client", "httpx"
CACHING = "our client with its cache on"


def gathered(ask: Work, many: int) -> Work:
    """Return a gather of so many requests, a bounded number of them at one time."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with slots:
            await ask()

    async def run() -> None:
        await asyncio.gather(*(one() for _ in range(many)))

    return run


async def of_aiohttp(url: str, opened: AsyncExitStack) -> Work:
    """Return a request with aiohttp."""
    session = await opened.enter_async_context(aiohttp.ClientSession(raise_for_status=True))

    async def ask() -> object:
        async with session.get(url) as response:
            return await response.json()

    return ask


async def of_client(url: str, opened: AsyncExitStack, *, cache: bool = False) -> Work:
    """Return a request with our client."""
    pool = HttpPool(HttpPolicy(cache=cache))
    await opened.enter_async_context(pool.use())
    client = pool.client()
    return lambda: client.get_json(url)


async def of_engine(url: str, opened: AsyncExitStack, many: int) -> Work:
    """Return a run over so many sources, each of which makes a request; our client itself bounds those at one time."""

    async def fetch(ctx: FetchContext) -> Any:
        return await ctx.http.get_json(url)

    sources = [Source(key=f"s{number}", fetcher=fetch) for number in range(many)]
    orchestrator = await opened.enter_async_context(DataSourceOrchestrator(SourceCoordinator(sources)))

    async def run() -> None:
        result = await orchestrator.fetch()
        if result.metadata.success_count != many:
            raise SystemExit(f"only {result.metadata.success_count} of {many} succeeded")

    return run


async def of_httpx(url: str, opened: AsyncExitStack) -> Work:
    """Return a request with httpx."""
    client = await opened.enter_async_context(import_module("httpx").AsyncClient())

    async def ask() -> object:
        return (await client.get(url)).raise_for_status().json()

    return ask


async def prepared(opened: AsyncExitStack, many: int) -> dict[str, tuple[Work, int]]:
    """Return what is compared, and how many requests each makes."""
    url = await opened.enter_async_context(served())
    runs = {
        CLIENT: (gathered(await of_client(url, opened), many), many),
        CACHING: (gathered(await of_client(url, opened, cache=True), many), many),
        ENGINE: (await of_engine(url, opened, many), many),
        AIOHTTP: (gathered(await of_aiohttp(url, opened), many), many),
    }
    try:
        runs[HTTPX] = (gathered(await of_httpx(url, opened), FEWER), FEWER)
    except ImportError:
        print("left out, not installed: httpx")
    return runs


def rungs(many: int = MANY) -> list[Rung]:
    """Measure, print what a request costs, and return our two rungs."""
    with asyncio.Runner() as runner:
        opened = AsyncExitStack()
        try:
            runs = runner.run(prepared(opened, many))

            def contestant(run: Callable[[], Awaitable[object]], times: int) -> Contestant:
                async def whole() -> None:
                    await run()

                return Contestant(lambda: runner.run(whole()), times)

            taken = race({name: contestant(*each) for name, each in runs.items()}, rounds=ROUNDS)
        finally:
            runner.run(opened.aclose())
    taken.tell(f"one request of {many}, CPU", AIOHTTP)
    costs = {name: f"{taken.microseconds(name).value:.0f} µs" for name in runs}
    engine = f"a request by the engine, against semaphore and gather, both over our client ({costs[ENGINE]})"
    client = f"a request by our client, against aiohttp as it comes ({costs[CLIENT]} and {costs[AIOHTTP]})"
    return [
        Rung(figure=engine, measured=taken.ratio(ENGINE, CLIENT), must=1.10, aim=1.03),
        Rung(
            figure=client,
            measured=taken.ratio(CLIENT, AIOHTTP),
            must=1.25,
            aim=1.10,
            beside={name: taken.ratio(name, AIOHTTP) for name in (CACHING, HTTPX) if name in runs},
        ),
    ]


if __name__ == "__main__":
    tell(rungs(int(sys.argv[1]) if len(sys.argv) > 1 else MANY))
