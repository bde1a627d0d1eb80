"""Ctrl-C and SIGTERM: what is finished is stored, nobody sees a traceback, and the exit status tells (A24)."""

import asyncio
import contextlib
import signal
import subprocess
import sys
import urllib.request
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator

import pytest
import typer
from test_cli_rig import MAIN, Dso, Ended, dso, environment

from cod_sources.sandbox import Sandbox

__all__ = ["dso"]

pytestmark = pytest.mark.real_time

PATIENCE = 20.0
"""Seconds for whatever must happen at all."""


@contextlib.asynccontextmanager
async def running(dso: Dso, verb: str, *more: str, **variables: str) -> AsyncIterator[Process]:
    words = [*MAIN, *dso.typed(verb, *more, sandbox=False)]
    process = await asyncio.create_subprocess_exec(*words, stdout=PIPE, stderr=PIPE, env=environment(**variables))
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def ended(process: Process) -> Ended:
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    assert process.returncode is not None
    told = Ended(process.returncode, out.decode(), err.decode())
    assert told.quiet
    return told


async def asked(sandbox: Sandbox, requests: int) -> None:
    """Wait until the upstreams have had that many requests, and their answers have been read."""
    async with asyncio.timeout(PATIENCE):
        while sandbox.requests.total() < requests:  # noqa: ASYNC110 — the sandbox counts, and tells nobody
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.7)


@pytest.mark.parametrize(
    ("number", "status", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "ended by SIGTERM")]
)
async def test_a_signal_during_a_run_stores_what_is_finished(dso: Dso, number: int, status: int, word: str):
    async with (
        Sandbox(faults={"wzstats": "trickle"}) as sandbox,
        running(dso, "sync", "--json", **sandbox.variables) as process,
    ):
        await asked(sandbox, 10)
        process.send_signal(number)
        told = await ended(process)
    assert (told.status, told.out) == (status, "")
    assert told.err.splitlines() == [
        "CODArmory and CODMunity had succeeded, and what they gave is stored",
        f"dso: {word}",
    ]
    sources = dso.apart("sources", "--json", sandbox=False).document["sources"]
    assert {key: told["freshness"] for key, told in sources.items()} == {
        "codarmory": "fresh",
        "wzstats": "never",
        "codmunity": "fresh",
    }
    health = dso.apart("health", "--json", sandbox=False).document["sources"]
    assert health["wzstats"]["status"] == "unknown"  # A17: our own cancellation says nothing about the source


async def test_a_run_that_is_interrupted_before_anything_came_leaves_the_store_as_it_was(dso: Dso):
    hang = dict.fromkeys(("codarmory", "wzstats", "codmunity"), "latency=60")
    async with Sandbox(faults=hang) as sandbox, running(dso, "sync", **sandbox.variables) as process:
        await asked(sandbox, 10)
        process.send_signal(signal.SIGINT)
        told = await ended(process)
    assert told.status == 130
    assert told.err.splitlines()[0] == "no source had succeeded yet: the stored data is as it was"


async def test_a_second_signal_ends_it_too(dso: Dso):
    async with Sandbox(faults={"wzstats": "trickle"}) as sandbox, running(dso, "fetch", **sandbox.variables) as process:
        await asked(sandbox, 10)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        assert (await ended(process)).status == 130


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_the_sandbox_prints_what_to_set_serves_and_ends_at_a_signal(dso: Dso, number: int, status: int):
    async with running(dso, "sandbox", "--fault", "wzstats=challenge") as process:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            lines = [(await process.stdout.readline()).decode() for _ in range(4)]
        told = dict(line.removeprefix("export ").rstrip().split("=", 1) for line in lines)
        assert list(told) == [
            "CODARMORY_BASE_URL",
            "WZSTATS_BASE_URL",
            "CODMUNITY_BASE_URL",
            "CODMUNITY_API_BASE_URL",
        ]
        assert all(line.startswith("export ") for line in lines)
        page = await asyncio.to_thread(_read, told["CODARMORY_BASE_URL"] + "/src/database/weapons.json")
        assert page.startswith("[")
        process.send_signal(number)
        assert (await ended(process)).status == status
    assert not dso.data.exists()


async def test_the_sandbox_tells_programs_what_to_set(dso: Dso):
    async with running(dso, "sandbox", "--json") as process:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            text = await process.stdout.readuntil(b"\n}\n")
        process.send_signal(signal.SIGINT)
        await ended(process)
    told = Ended(0, text.decode(), "").document
    assert told["schema"] == "dso.sandbox/1"
    assert told["variables"]["WZSTATS_BASE_URL"].startswith("http://127.0.0.1:")


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310 — loopback, by our own sandbox
        text: str = answer.read().decode()
    return text.lstrip()


INTERRUPTED = """
import sys

class CtrlC:
    left = {count}

    def find_spec(self, name, path=None, target=None):
        CtrlC.left -= 1
        if CtrlC.left == 0:
            raise KeyboardInterrupt

from data_source_orchestrator.cli import main
sys.meta_path.insert(0, CtrlC())
main()
"""
"""A command that Ctrl-C meets when it looks for its so many-th module."""


@pytest.mark.parametrize("count", [1, 2, 8, 40, 100, 200, 300, 400])
def test_ctrl_c_while_the_command_is_being_loaded_ends_it_without_a_traceback(dso: Dso, count: int):
    words = [sys.executable, "-c", INTERRUPTED.format(count=count), *dso.typed("health")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 — our own words
    told = Ended(done.returncode, done.stdout, done.stderr)
    assert (told.status, told.out) == (130, "")
    assert told.quiet


def test_nothing_but_the_entry_itself_is_loaded_before_ctrl_c_is_looked_after():
    loads = "import sys; had = {*sys.modules}; import data_source_orchestrator.cli; print(*{*sys.modules} - had)"
    done = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True)  # noqa: S603 — our own
    assert set(done.stdout.split()) == {"data_source_orchestrator", "data_source_orchestrator.cli"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, typer.Abort])
def test_ctrl_c_between_the_options_and_the_verb_ends_it_like_any_other(
    dso: Dso, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
):
    def interrupted(*_: object) -> int:
        raise error

    monkeypatch.setattr("data_source_orchestrator.cli.failures.guarded", interrupted)
    assert dso("health").status == 130
