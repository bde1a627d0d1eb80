"""What a person reads when the store cannot be used; the old data stays as it was, and the exit status is 1."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from test_cli_rig import Dso, Ended, dso, environment

__all__ = ["dso"]

pytestmark = pytest.mark.real_time

MAIN = f"'{sys.executable}' -c 'from data_source_orchestrator.cli import main; main()'"


def refused(ended: Ended, *words: str) -> None:
    assert (ended.status, ended.out) == (1, "")
    [line] = ended.err.splitlines()
    assert line.startswith("dso: the store ")
    assert ended.quiet
    for word in words:
        assert word in line


@pytest.mark.parametrize(
    "words", [("sync",), ("fetch",), ("sources",), ("health", "--probe"), ("disable", "wzstats")], ids=" ".join
)
def test_a_damaged_store_is_one_sentence_and_left_as_it_is(dso: Dso, words: tuple[str, ...]):
    dso("sync")
    path = dso.data / "sandbox.db"
    path.write_bytes(b"this was never a database, it is a letter\n" * 100)
    before = path.read_bytes()
    refused(dso(*words, "--json"), str(path), "is damaged", "left as it is")
    assert path.read_bytes() == before


def test_a_data_folder_that_is_a_file_is_one_sentence(dso: Dso):
    dso.data.write_text("mine")
    refused(dso("sync"), "choose another data folder")
    assert dso.data.read_text() == "mine"


def test_a_full_disk_is_one_sentence_and_the_old_data_is_there_when_it_has_room_again(dso: Dso):
    told = on_a_small_disk(
        dso.folder,
        f"{MAIN} sync --sandbox --data-dir disk >/dev/null; echo first $?;"
        " dd if=/dev/zero of=disk/rest bs=4k status=none 2>/dev/null;"
        f" {MAIN} sync --sandbox --data-dir disk --json; echo full $?; rm disk/rest;"
        f" {MAIN} sync --sandbox --data-dir disk | grep Stored",
    )
    assert told.out.startswith("first 0\nfull 1\nStored ")
    assert " 0 new, 0 changed," in told.out
    [line] = told.err.splitlines()
    assert "its disk is full" in line
    assert "what it held before is intact" in line


def test_a_read_only_mount_is_one_sentence(dso: Dso):
    told = on_a_small_disk(
        dso.folder,
        f"{MAIN} sync --sandbox --data-dir disk >/dev/null; echo first $?; mount -o remount,ro disk;"
        f" {MAIN} sync --sandbox --data-dir disk; echo read-only $?",
    )
    assert told.out == "first 0\nread-only 1\n"
    [line] = told.err.splitlines()
    assert "is read-only" in line


FULL_DISK = "dd if=/dev/zero of=disk/rest bs=4k status=none 2>/dev/null"
READ_ONLY_MOUNT = "mount -o remount,ro disk"

KILLED = (
    f"'{sys.executable}' -c 'import os, sqlite3; store = sqlite3.connect(\"disk/sandbox.db\");"
    ' store.execute("PRAGMA user_version = %d" % store.execute("PRAGMA user_version").fetchone());'
    " os._exit(0)'; test -s disk/sandbox.db-wal || exit 9"
)
"""What leaves a write-ahead log behind."""


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (FULL_DISK, "its disk is full"),
        (READ_ONLY_MOUNT, "is read-only"),
        (f"{KILLED}; {READ_ONLY_MOUNT}", "is read-only"),
    ],
    ids=["full", "read-only", "read-only after a kill"],
)
def test_who_only_reads_is_shown_the_old_data_and_told_in_one_line_that_nothing_can_be_kept(
    dso: Dso, spoil: str, why: str
):
    verbs = ("sources", "health", "metrics", "health --probe")
    reads = "; ".join(f"{MAIN} {verb} --sandbox --data-dir disk; echo {verb} $?" for verb in verbs)
    told = on_a_small_disk(dso.folder, f"{MAIN} sync --sandbox --data-dir disk >/dev/null; {spoil}; {reads}")
    assert [f"{verb} 0" in told.out.splitlines() for verb in verbs] == [True] * 4
    assert told.out.count("fresh, checked") == 3
    assert "3 of 3 sources healthy" in told.out
    assert "1 run, 100 % of them sufficient" in told.out
    *notices, probing = told.err.splitlines()
    assert len(notices) == 3
    for line in (*notices, probing):
        assert why in line
    assert {line.partition(" the store ")[0] for line in notices} == {"notice: nothing can be kept:"}
    assert probing.startswith("error: not kept yet: the store ")


def test_where_there_is_nothing_to_read_the_reason_is_told(dso: Dso):
    told = on_a_small_disk(dso.folder, f"{READ_ONLY_MOUNT}; {MAIN} sources --sandbox --data-dir disk; echo {'$?'}")
    assert told.out == "1\n"
    [line] = told.err.splitlines()
    assert "is read-only" in line


def test_an_empty_file_in_the_stores_place_is_told_before_a_new_store_begins_in_it(dso: Dso):
    dso("sync")
    path = dso.data / "sandbox.db"
    path.write_bytes(b"")
    os.utime(path, (0, 0))
    [line] = dso("sources").err.splitlines()
    assert line.startswith(f"warning: {path} was there and empty, and a new store begins in it")
    assert dso("sources").err == ""


@pytest.mark.parametrize(
    ("spoil", "told", "command"),
    [
        (FULL_DISK, "its disk is full", "df -h disk"),
        (READ_ONLY_MOUNT, "is read-only", "ls -ld disk disk/sandbox.db"),
    ],
)
def test_the_doctor_begins_with_a_disk_that_takes_nothing_and_looks_at_the_rest(
    dso: Dso, spoil: str, told: str, command: str
):
    ended = on_a_small_disk(
        dso.folder,
        f"{MAIN} sync --sandbox --data-dir disk >/dev/null; {spoil};"
        f" {MAIN} doctor --sandbox --data-dir disk; echo exit $?",
    )
    assert ended.err == ""
    heading, finding, next_command, *rest = ended.out.splitlines()
    assert heading == "Nothing kept"
    assert told in finding
    assert next_command.strip() == f"$ {command.replace('disk', str(dso.folder / 'disk'))}"
    assert any("Network connectivity: all 3 sources answered" in line for line in rest)
    assert rest[-1] == "exit 1"


def on_a_small_disk(folder: Path, script: str) -> Ended:
    """Run a script in a process that has a disk of 4 MB mounted at `disk`."""
    (folder / "disk").mkdir()
    apart = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    mount = "mount -t tmpfs -o size=4m none disk"
    if shutil.which("unshare") is None:
        pytest.skip("there is no `unshare` here to give a test a disk of its own")
    tried = subprocess.run([*apart, mount], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 — our own words
    if tried.returncode:
        pytest.skip(f"a test may not mount a disk of its own here: {tried.stderr.strip()}")
    words = [*apart, f"{mount}; {script}"]
    options: dict[str, Any] = {"cwd": folder, "capture_output": True, "text": True, "timeout": 60, "env": environment()}
    ended = subprocess.run(words, check=False, **options)  # noqa: S603 — our own words
    told = Ended(ended.returncode, ended.stdout, ended.stderr)
    assert told.quiet
    return told
