"""The main job against a local server of the captured upstream files, as the three sites really serve them."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

pytestmark = pytest.mark.real_time

PAGE = "<!doctype html><html><head></head><body><app-root></app-root>{}</body></html>"
STATE = '<script id="serverApp-state" type="application/json">{}</script>'


@asynccontextmanager
async def captured(upstream: Path) -> AsyncIterator[str]:
    """Serve the captures on loopback, all three sites from one address."""

    async def catalogue(request: web.Request) -> web.Response:
        return web.Response(text=(upstream / "codarmory" / request.match_info["file"]).read_text())

    async def tiers(_request: web.Request) -> web.Response:
        body = (upstream / "wzstats" / "weapons-and-tier-lists.json").read_bytes()
        return web.Response(body=body, content_type="application/json")

    async def stats(_request: web.Request) -> web.Response:
        state = (upstream / "codmunity" / "weapon-stats.ssr-transfer-state.json").read_text()
        return web.Response(text=PAGE.format(STATE.format(state)), content_type="text/html")

    async def ranking(request: web.Request) -> web.Response:
        found = sorted((upstream / "codmunity").glob(f"meta-loadouts-ranking.{request.match_info['mode']}.*json"))
        return web.Response(body=found[0].read_bytes(), content_type="application/json")

    app = web.Application()
    app.add_routes(
        [
            web.get("/src/database/{file}", catalogue),
            web.get("/wz2/weapons/meta/weapons-and-tier-lists/", tiers),
            web.get("/weapon-stats/warzone", stats),
            web.get("/website/pages/meta-loadouts-ranking/{mode}", ranking),
        ]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def dso(folder: Path, address: str, *words: str) -> dict[str, Any]:
    """Run the command as a person would, and return the document it prints."""
    names = ("CODARMORY_BASE_URL", "WZSTATS_BASE_URL", "CODMUNITY_BASE_URL")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "data_source_orchestrator", *words, "--json", "--data-dir", str(folder)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env={**os.environ, **dict.fromkeys(names, address)},
    )
    told, complaint = await process.communicate()
    assert process.returncode == 0, complaint.decode()
    document: dict[str, Any] = json.loads(told)
    return document


async def test_D45_a_sync_of_the_captured_files_reads_every_row_and_merges_by_identity(upstream: Path, tmp_path: Path):
    async with captured(upstream) as address:
        first = await dso(tmp_path, address, "sync")
        second = await dso(tmp_path, address, "sync")
    assert {key: told["status"] for key, told in first["sources"].items()} == dict.fromkeys(first["sources"], "success")
    records = {key: told["records"] for key, told in first["sources"].items()}
    assert records == {"codarmory": 97, "wzstats": 177, "codmunity": 46}
    assert first["snapshot"]["new"] == first["snapshot"]["entities"]
    assert second["snapshot"]["id"] == first["snapshot"]["id"]
    assert second["snapshot"]["unchanged"] == second["snapshot"]["entities"]
