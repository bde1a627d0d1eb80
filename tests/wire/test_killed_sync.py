"""`dso sync` killed at random moments: whatever was stored is whole, and the next sync goes on from there.

Five kills, fifty with DSO_TEST_EFFORT=full.
"""

import asyncio
import json
import os
import sqlite3
import sys
from pathlib import Path

import pytest

from data_source_orchestrator.core.clock import system_chance

pytestmark = pytest.mark.real_time

KILLS = 50 if os.environ.get("DSO_TEST_EFFORT") == "full" else 5
LONGEST = 1.6
"""Seconds after which a sync over the sandbox has surely ended."""


async def start(folder: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "data_source_orchestrator", "sync", "--sandbox", "--json"),
        *("--data-dir", str(folder)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=folder,
    )


def assert_whole(file: Path) -> int:
    """Check the file, and return how many runs it holds."""
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        runs = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
        whole = connection.execute(
            "SELECT count(*) FROM runs r WHERE 3 = (SELECT count(*) FROM outcomes WHERE run_id = r.id)"
        )
        assert whole.fetchone()[0] == runs
        if runs:
            assert connection.execute("SELECT count(*) FROM contributions").fetchone()[0] == 3
            entities = connection.execute("SELECT count(*) FROM entities").fetchone()[0]
            assert connection.execute("SELECT entities FROM snapshots").fetchone()[0] == entities
    connection.close()
    return int(runs)


@pytest.mark.timeout(600)
async def test_a_sync_killed_at_any_moment_leaves_the_store_whole(tmp_path: Path):
    chance = system_chance(20261124)
    kept = 0
    for _ in range(KILLS):
        sync = await start(tmp_path)
        try:
            await asyncio.wait_for(sync.wait(), LONGEST * chance.random())
        except TimeoutError:
            sync.kill()
        await sync.communicate()
        if (tmp_path / "sandbox.db").exists():
            runs = assert_whole(tmp_path / "sandbox.db")
            assert runs >= kept  # nothing that was kept is lost
            kept = runs
    last = await start(tmp_path)
    told, _ = await last.communicate()
    assert last.returncode == 0
    assert json.loads(told)["snapshot"]["entities"] > 100
    assert assert_whole(tmp_path / "sandbox.db") == kept + 1
