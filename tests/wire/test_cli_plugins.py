"""A third party's plug-in through the command: whatever its fetchers do, the others' data is safe and nobody sees a
traceback (A24)."""

import os
import signal
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep  # noqa: TID251 — the subject is a process

import pytest
from test_cli_rig import MAIN, Dso, Ended, dso, environment

__all__ = ["dso"]

pytestmark = pytest.mark.real_time

MODULE = """
import asyncio, time
from data_source_orchestrator import Plugin, Record, source

BAD = {
    "bug": lambda: len(None),
    "none": lambda: None,
    "exit": lambda: exec("raise SystemExit(7)"),
    "interrupt": lambda: exec("raise KeyboardInterrupt"),
    "base": lambda: exec("raise BaseException('from below')"),
    "hang": lambda: time.sleep(30),
    "block": lambda: None,
    "stubborn": lambda: None,
}

@source(key="good", title="Good")
async def good():
    return [Record("m4", {"tier": "A"}), {"odd": float("nan")}]

@source(key="bad", title="Bad", timeout=1, max_retries=0)
async def bad():
    await asyncio.sleep(0.2)
    if how == "block":
        time.sleep(0.7)
    elif how == "stuck":
        open("stuck", "w").close()
        time.sleep(30)
    elif how == "hang":
        await asyncio.sleep(30)
    elif how == "stubborn":
        while True:
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                pass
    return BAD[how]()

def sources(env):
    global how
    how = env["HOW"]
    return [good, bad]

plugin = Plugin(name="pear", sources=sources)
"""


def installed(dso: Dso, how: str) -> Mapping[str, str]:
    """Install the plug-in in a folder, and return the variables by which a process finds it there."""
    site = dso.folder / "site"
    about = site / "pear-1.0.dist-info"
    about.mkdir(parents=True, exist_ok=True)
    (site / "pear.py").write_text(MODULE)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: pear\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[data_source_orchestrator.plugins]\npear = pear:plugin\n")
    dso.write('plugins = ["pear"]')
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))
    return environment(PYTHONPATH=path, HOW=how)


def with_plugin(dso: Dso, how: str, verb: str, *more: str) -> Ended:
    """Run a command in a process in which the plug-in is installed."""
    ended = dso.apart(verb, *more, sandbox=False, env=installed(dso, how))
    assert ended.quiet
    return ended


def entities(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "dso.db")) as connection:
        return [str(row[0]) for row in connection.execute("SELECT id FROM entities")]


@pytest.mark.parametrize(
    ("how", "kind", "words", "named"),
    [
        ("none", "empty", "the fetcher returned None", ""),
        ("base", "bug", "from below", "the traceback is in"),
        ("hang", "timeout", "no answer", ""),
        ("block", "empty", "the fetcher returned None", "held up the event loop, and everybody on it, for 0.7"),
        ("stubborn", "timeout", "no answer", "notice: the fetcher of bad went on for 1.0"),
    ],
)
def test_a_fetcher_that_misbehaves_fails_alone_and_is_named(dso: Dso, how: str, kind: str, words: str, named: str):
    ended = with_plugin(dso, how, "sync", "--json")
    assert ended.status == 0
    good, bad = (ended.document["sources"][key] for key in ("good", "bad"))
    assert (good["status"], good["records"]) == ("success", 2)
    assert bad["error"]["kind"] == kind
    assert words in bad["error"]["message"]
    assert bad["duration_s"] < 1 + 1.5
    assert named in "; ".join([ended.err, *bad["warnings"]])
    assert entities(dso.data) == ["m4"]


def test_a_bug_is_one_line_and_its_traceback_is_in_the_data_folder(dso: Dso):
    ended = with_plugin(dso, "bug", "fetch", "bad")
    log = dso.data / "errors.log"
    assert ended.status == 1
    assert ended.err.startswith("error: bad: ")
    assert ended.err.endswith(f"; the traceback is in {log}\n")
    assert len(ended.err.splitlines()) == 1
    assert "TypeError: object of type 'NoneType' has no len()" in log.read_text()


@pytest.mark.parametrize(("how", "status"), [("interrupt", 130), ("exit", 7)])
def test_a_fetcher_that_ends_the_program_is_obeyed_after_what_is_finished_is_stored(dso: Dso, how: str, status: int):
    ended = with_plugin(dso, how, "sync", "--json")
    assert (ended.status, ended.out) == (status, "")
    assert entities(dso.data) == ["m4"]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_signal_ends_even_a_fetcher_that_never_gives_the_loop_back(dso: Dso, number: int, status: int):
    words = [*MAIN, *dso.typed("sync", sandbox=False)]
    env = installed(dso, "stuck")
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)  # noqa: S603 — our own words
    began = monotonic()
    while not Path("stuck").exists():
        assert monotonic() - began < 20
    for _ in range(2):
        sleep(0.3)
        process.send_signal(number)
    out, err = process.communicate(timeout=10)
    told = Ended(process.returncode, out, err)
    assert (told.status, told.quiet) == (status, True)
    assert entities(dso.data) == ["m4"]


def test_rows_of_any_kind_are_told_as_json(dso: Dso):
    told = with_plugin(dso, "none", "fetch", "good", "--json").document["sources"]["good"]
    assert told["rows"] == [{"entity": "m4", "fields": {"tier": "A"}}, {"odd": None}]


def test_a_set_up_without_plug_ins_says_so(dso: Dso):
    dso.write("plugins = []")
    assert dso("sync").status == 1
    assert "no source is registered" in dso("sync").out
    assert "no source is registered" in dso("sources").out
    assert "Overall unknown: no source is registered" in dso("health").out
    assert dso("doctor").status == dso("sync").status == 1
    assert "no plug-in here has made-up upstreams" in dso("sandbox").err


def test_in_the_sandbox_nobody_is_asked_who_has_no_made_up_upstream(dso: Dso):
    ended = with_plugin(dso, "exit", "sync", "--sandbox", "--json")
    assert (ended.status, ended.document["sources"]) == (1, {})
    assert "Traceback" not in ended.err
