"""The sandbox serves the three sites on loopback, in their own manners."""

import asyncio
import json
import socket

import aiohttp
import httpx
import pytest

from cod_sources.sandbox import Sandbox, serve

pytestmark = pytest.mark.real_time

PATHS = {
    "CODARMORY_BASE_URL": "/src/database/weapons.json",
    "WZSTATS_BASE_URL": "/wz2/weapons/meta/weapons-and-tier-lists/",
    "CODMUNITY_BASE_URL": "/weapon-stats/warzone",
    "CODMUNITY_API_BASE_URL": "/website/pages/meta-loadouts-ranking/mpranked",
}


async def test_four_variables_point_at_three_origins_on_loopback():
    async with serve(faults={}, port=0) as variables:
        assert variables.keys() == PATHS.keys()
        assert all(url.startswith("http://127.0.0.1:") for url in variables.values())
        assert variables["CODMUNITY_BASE_URL"] == variables["CODMUNITY_API_BASE_URL"]
        assert len({*variables.values()}) == 3


async def test_each_site_sends_its_own_content_type_and_caching():
    async with Sandbox() as sandbox, aiohttp.ClientSession() as client:
        seen = {}
        for variable, path in PATHS.items():
            async with client.get(sandbox.variables[variable] + path) as response:
                assert response.status == 200
                assert {"etag", "date", "vary", "x-sandbox"} <= {name.lower() for name in response.headers}
                seen[variable] = (response.headers["Content-Type"], response.headers.get("Cache-Control"))
    assert seen == {
        "CODARMORY_BASE_URL": ("text/plain; charset=utf-8", "max-age=300"),
        "WZSTATS_BASE_URL": ("application/json; charset=utf-8", None),
        "CODMUNITY_BASE_URL": ("text/html; charset=utf-8", None),
        "CODMUNITY_API_BASE_URL": ("application/json; charset=utf-8", None),
    }


async def test_all_of_codarmorys_files_are_arrays_indented_by_four():
    names = ("weapons", "attachments", "categories", "platforms", "attachment-categories", "attachment-stats")
    async with Sandbox() as sandbox, httpx.AsyncClient(base_url=sandbox.variables["CODARMORY_BASE_URL"]) as client:
        texts = [(await client.get(f"/src/database/{name}.json")).text for name in names]
    assert all(text.startswith("[\n    {\n        ") for text in texts)
    assert all(isinstance(json.loads(text), list) for text in texts)


async def test_what_a_client_holds_already_is_304_without_a_body():
    async with Sandbox() as sandbox, httpx.AsyncClient() as client:
        for variable, path in PATHS.items():
            first = await client.get(sandbox.variables[variable] + path)
            again = await client.get(first.url, headers={"If-None-Match": first.headers["ETag"]})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["ETag"] == first.headers["ETag"]


async def test_wzstats_honours_brackets_in_a_query_however_they_are_encoded():
    async with Sandbox() as sandbox, httpx.AsyncClient() as client:
        url = sandbox.variables["WZSTATS_BASE_URL"] + PATHS["WZSTATS_BASE_URL"]
        whole = (await client.get(url)).json()["weapons"]
        encoded = (await client.get(url, params={"weaponGames[]": ["bo6"]})).json()["weapons"]
        plain = (await client.get(f"{url}?weaponGames[]=bo6&weaponAttributes[]=name")).json()["weapons"]
    assert {row["game"] for row in encoded} == {"bo6"}
    assert len(plain) == len(encoded) < len(whole)
    assert "game" not in plain[0]


async def test_a_connection_serves_many_requests_and_a_head_has_no_body():
    async with Sandbox() as sandbox:
        host, port = sandbox.variables["WZSTATS_BASE_URL"].removeprefix("http://").split(":")
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as client:
            for _ in range(3):
                async with client.head(f"http://{host}:{port}{PATHS['WZSTATS_BASE_URL']}") as response:
                    assert int(response.headers["Content-Length"]) > 1000
                    assert await response.read() == b""
            async with client.post(f"http://{host}:{port}/") as response:
                assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")
        assert sandbox.requests["wzstats"] == 3


async def test_the_index_page_says_what_this_is_and_is_not_counted():
    async with Sandbox(faults={"codmunity": "challenge"}) as sandbox, httpx.AsyncClient() as client:
        page = await client.get(sandbox.variables["CODMUNITY_BASE_URL"])
        assert page.status_code == 200
        assert "invented" in page.text
        assert "challenge" in page.text
        assert f"CODMUNITY_API_BASE_URL={sandbox.variables['CODMUNITY_API_BASE_URL']}" in page.text
        assert not sandbox.requests


async def test_requests_are_counted_by_source():
    async with Sandbox() as sandbox, httpx.AsyncClient() as client:
        for variable, path in PATHS.items():
            await client.get(sandbox.variables[variable] + path)
        assert sandbox.requests == {"codarmory": 1, "wzstats": 1, "codmunity": 2}


async def test_no_other_address_than_loopback_is_listened_on():
    async with Sandbox() as sandbox:
        assert {url.rsplit(":", 1)[0] for url in sandbox.variables.values()} == {"http://127.0.0.1"}
        port = int(sandbox.variables["CODARMORY_BASE_URL"].rsplit(":", 1)[1])
        for other in ("127.0.0.2", "::1"):
            family = socket.AF_INET6 if ":" in other else socket.AF_INET
            with socket.socket(family) as client, pytest.raises(OSError, match=r"refused|not available|not supported"):
                client.connect((other, port))


async def test_what_is_no_http_gets_a_400_and_harms_nobody():
    async with Sandbox() as sandbox:
        port = int(sandbox.variables["WZSTATS_BASE_URL"].rsplit(":", 1)[1])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"what is this\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()
        await writer.wait_closed()
        async with httpx.AsyncClient() as client:
            assert (await client.get(sandbox.variables["WZSTATS_BASE_URL"])).status_code == 200
