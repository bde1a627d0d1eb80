"""Every fault switch, as a client sees it on the wire."""

import asyncio
import json

import aiohttp
import httpx
import pytest

from cod_sources.sandbox import SOURCES, Sandbox, serve
from data_source_orchestrator.core.clock import ManualClock

pytestmark = pytest.mark.real_time


def monotonic() -> float:
    return asyncio.get_running_loop().time()


WEAPONS = {
    "codarmory": ("CODARMORY_BASE_URL", "/src/database/weapons.json"),
    "wzstats": ("WZSTATS_BASE_URL", "/wz2/weapons/meta/weapons-and-tier-lists/"),
    "codmunity": ("CODMUNITY_BASE_URL", "/weapon-stats/warzone"),
}


PLAIN = {"Accept-Encoding": "identity"}


def url(sandbox: Sandbox, source: str) -> str:
    variable, path = WEAPONS[source]
    return sandbox.variables[variable] + path


@pytest.mark.parametrize("source", SOURCES)
async def test_latency_delays_the_answer_and_spoils_nothing(source: str):
    async with Sandbox(faults={source: "latency=0.2"}) as sandbox, httpx.AsyncClient() as client:
        before = monotonic()
        answer = await client.get(url(sandbox, source))
        assert 0.2 <= monotonic() - before < 2
        assert answer.status_code == 200


async def test_latency_of_one_source_leaves_the_others_alone():
    async with Sandbox(faults={"codarmory": "latency=30"}) as sandbox, httpx.AsyncClient(timeout=5) as client:
        assert (await client.get(url(sandbox, "wzstats"))).status_code == 200


@pytest.mark.parametrize("source", SOURCES)
async def test_an_error_rate_of_one_fails_every_request(source: str):
    async with Sandbox(faults={source: "error_rate"}) as sandbox, httpx.AsyncClient() as client:
        assert [(await client.get(url(sandbox, source))).status_code for _ in range(3)] == [500, 500, 500]


async def test_an_error_rate_fails_the_same_requests_in_every_sandbox():
    draws = []
    for _ in range(2):
        async with Sandbox(faults={"wzstats": "error_rate=0.5"}) as sandbox, httpx.AsyncClient() as client:
            path = sandbox.variables["WZSTATS_BASE_URL"] + "/none"
            draws.append([(await client.get(path)).status_code for _ in range(20)])
    assert draws[0] == draws[1]
    assert {*draws[0]} == {500, 404}


@pytest.mark.parametrize("source", SOURCES)
async def test_a_limited_client_gets_429_with_the_wait_and_a_page_of_html(source: str):
    async with Sandbox(faults={source: "rate_limited=7"}) as sandbox, httpx.AsyncClient() as client:
        answer = await client.get(url(sandbox, source))
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("source", SOURCES)
async def test_a_challenge_is_403_with_its_mark(source: str):
    async with Sandbox(faults={source: "challenge"}) as sandbox, httpx.AsyncClient() as client:
        answer = await client.get(url(sandbox, source), headers={"If-None-Match": "*"})
    assert (answer.status_code, answer.headers["cf-mitigated"]) == (403, "challenge")
    assert "Just a moment" in answer.text


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_a_truncated_body_ends_before_its_promised_length(source: str, encoding: str):
    async with (
        Sandbox(faults={source: "truncated"}) as sandbox,
        aiohttp.ClientSession(headers={"Accept-Encoding": encoding}) as client,
        client.get(url(sandbox, source)) as response,
    ):
        assert response.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


async def test_half_of_a_truncated_body_arrives():
    async with Sandbox(faults={"codarmory": "truncated"}) as sandbox:
        host, _, port = sandbox.variables["CODARMORY_BASE_URL"].removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /src/database/weapons.json HTTP/1.1\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.read()
        writer.close()
        await writer.wait_closed()
    promised = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    assert len(body) == promised // 2


@pytest.mark.parametrize("source", SOURCES)
async def test_a_trickle_sends_one_byte_a_second(source: str):
    clock = ManualClock()
    async with (
        Sandbox(faults={source: "trickle"}, clock=clock) as sandbox,
        aiohttp.ClientSession(headers=PLAIN) as client,
        client.get(url(sandbox, source)) as response,
    ):
        assert int(response.headers["Content-Length"]) > 1000
        assert len(await response.content.readany()) == 1
        for _ in range(3):
            clock.advance(0.875)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(response.content.readany(), 0.05)
            clock.advance(0.125)
            assert len(await response.content.readany()) == 1


async def test_a_trickle_is_a_byte_a_second_of_real_time():
    async with (
        Sandbox(faults={"wzstats": "trickle"}) as sandbox,
        aiohttp.ClientSession(headers=PLAIN) as client,
        client.get(url(sandbox, "wzstats")) as response,
    ):
        before = monotonic()
        await response.content.readexactly(2)
        assert 0.9 < monotonic() - before < 2


@pytest.mark.parametrize(("spec", "size"), [("empty", 0), ("shrunken", 5)])
async def test_short_lists_come_under_200(spec: str, size: int):
    async with Sandbox(faults=dict.fromkeys(SOURCES, spec)) as sandbox, httpx.AsyncClient() as client:
        answers = {source: await client.get(url(sandbox, source)) for source in SOURCES}
    assert {answer.status_code for answer in answers.values()} == {200}
    assert len(answers["codarmory"].json()) == size
    assert len(answers["wzstats"].json()["weapons"]) == size
    assert len(comparator(answers["codmunity"].text)["weaponStats"]) == size


async def test_renamed_rows_and_wrong_games_come_under_200():
    async with Sandbox() as sandbox, httpx.AsyncClient() as client:
        for source, spec in [(source, spec) for source in SOURCES for spec in ("renamed_rows_key", "wrong_game")]:
            good = await client.get(url(sandbox, source))
            sandbox.set_fault(source, spec)
            bad = await client.get(url(sandbox, source), headers={"If-None-Match": good.headers["ETag"]})
            sandbox.set_fault(source, "")
            assert (good.status_code, bad.status_code) == (200, 200)
            assert good.content != bad.content


async def test_a_renamed_state_key_leaves_the_data_where_its_address_is():
    async with serve(faults={"codmunity": "renamed_state_key"}, port=0) as variables, httpx.AsyncClient() as client:
        page = (await client.get(variables["CODMUNITY_BASE_URL"] + "/weapon-stats/warzone")).text
    assert len(comparator(page)["weaponStats"]) > 100


def comparator(page: str) -> dict[str, list[object]]:
    _, _, script = page.partition('<script id="serverApp-state" type="application/json">')
    state = json.loads(script.partition("</script>")[0])
    (body,) = [held["b"] for held in state.values() if "u" in held and "stats-comparator" in held["u"]]
    held: dict[str, list[object]] = body
    return held


async def test_faults_are_changed_while_the_sandbox_runs():
    async with Sandbox() as sandbox, httpx.AsyncClient() as client:
        statuses = []
        for spec in ("", "challenge", "rate_limited=1", ""):
            sandbox.set_fault("wzstats", spec)
            statuses.append((await client.get(url(sandbox, "wzstats"))).status_code)
    assert statuses == [200, 403, 429, 200]
