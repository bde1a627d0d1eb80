"""The sandbox begins and ends cleanly, whatever is in flight."""

import asyncio
import gc
import socket

import aiohttp
import httpx
import pytest

from cod_sources.sandbox import Sandbox, serve
from data_source_orchestrator.core.errors import ConfigurationError

pytestmark = pytest.mark.real_time


def monotonic() -> float:
    return asyncio.get_running_loop().time()


PLAIN = {"Accept-Encoding": "identity"}


def three_free_ports() -> int:
    """Return the first of three ports in a row that were free a moment ago."""
    for first in range(20_000, 60_000, 7):
        try:
            for port in range(first, first + 3):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise AssertionError("no three free ports in a row")


def listening(url: str) -> bool:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.socket() as client:
        return client.connect_ex((host, int(port))) == 0


async def first_request(sandbox: Sandbox) -> None:
    while not sandbox.requests:  # noqa: ASYNC110 — the sandbox has no signal for it, and needs none but here
        await asyncio.sleep(0.01)


async def nothing_left() -> None:
    """Fail if a task is left, or a socket that nobody closed (a warning is an error here)."""
    gc.collect()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_given_port_is_the_first_of_three():
    first = three_free_ports()
    async with serve(faults={}, port=first) as variables:
        assert [int(url.rsplit(":", 1)[1]) for url in variables.values()] == [first, first + 1, first + 2, first + 2]


async def test_a_taken_port_is_refused_with_what_to_do_and_frees_the_others():
    first = three_free_ports()
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", first + 1))
        squatter.listen()
        with pytest.raises(ConfigurationError, match=rf"port {first + 1} of 127.0.0.1 .* or 0 for any that are free"):
            async with serve(faults={}, port=first):
                pass
        assert not listening(f"http://127.0.0.1:{first}")
    await nothing_left()


async def test_nothing_listens_and_nothing_is_left_when_it_ends():
    async with Sandbox() as sandbox:
        urls = [*sandbox.variables.values()]
        async with httpx.AsyncClient() as client:
            await client.get(urls[0] + "/src/database/weapons.json")
        assert all(listening(url) for url in urls)
    assert sandbox.variables == {}
    assert not any(listening(url) for url in urls)
    await nothing_left()


@pytest.mark.parametrize("spec", ["trickle", "latency=60", ""])
async def test_what_is_in_flight_is_cut_at_once(spec: str):
    async with aiohttp.ClientSession() as client:
        async with Sandbox(faults={"wzstats": spec}) as sandbox:
            url = sandbox.variables["WZSTATS_BASE_URL"] + "/wz2/weapons/meta"
            asked = asyncio.create_task(whole_body(client, url))
            await first_request(sandbox)
            before = monotonic()
        assert monotonic() - before < 2
        outcome = await asyncio.wait_for(asyncio.gather(asked, return_exceptions=True), 2)
        assert isinstance(outcome[0], bytes if not spec else aiohttp.ClientError)
    await nothing_left()


async def whole_body(client: aiohttp.ClientSession, url: str) -> bytes:
    async with client.get(url) as response:
        return await response.read()


async def test_a_client_that_reads_nothing_does_not_hold_up_the_end():
    async with Sandbox() as sandbox:
        host, _, port = sandbox.variables["CODMUNITY_BASE_URL"].removeprefix("http://").partition(":")
        with socket.socket() as mute:
            mute.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            mute.connect((host, int(port)))
            mute.sendall(b"GET /weapon-stats/warzone HTTP/1.1\r\n\r\n" * 200)
            await first_request(sandbox)
            await asyncio.sleep(0.1)
            before = monotonic()
            await sandbox.__aexit__(None, None, None)
            assert monotonic() - before < 2
    await nothing_left()


async def test_clients_that_leave_early_harm_nobody():
    async with Sandbox(faults={"wzstats": "trickle"}) as sandbox:
        url = sandbox.variables["WZSTATS_BASE_URL"] + "/wz2/weapons/meta"
        for _ in range(5):
            async with aiohttp.ClientSession(headers=PLAIN) as client, client.get(url) as response:
                await response.content.readexactly(1)
        sandbox.set_fault("wzstats", "")
        async with aiohttp.ClientSession() as client:
            assert len(await whole_body(client, url)) > 10_000
    await nothing_left()


async def test_two_sandboxes_stand_side_by_side():
    async with Sandbox(faults={"wzstats": "challenge"}) as one, Sandbox() as two, httpx.AsyncClient() as client:
        statuses = [(await client.get(s.variables["WZSTATS_BASE_URL"] + "/wz2/weapons/meta")) for s in (one, two)]
        assert [answer.status_code for answer in statuses] == [403, 200]
    await nothing_left()


async def test_an_error_inside_the_context_closes_the_sandbox_too():
    sandbox = Sandbox()
    urls: list[str] = []

    async def run() -> None:
        async with sandbox:
            urls.extend(sandbox.variables.values())
            raise RuntimeError("the run failed")

    with pytest.raises(RuntimeError, match="the run failed"):
        await run()
    assert urls
    assert not any(listening(url) for url in urls)
    await nothing_left()
