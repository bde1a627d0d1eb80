"""What a person reads when the disk, the rights, another process or a damaged file are in the way: the old data stays.

Run as a program, this file does one thing on a file system of its own (see `on_a_file_system_of_its_own`).
"""

import asyncio
import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from data_source_orchestrator.core.claim import Contribution, Record
from data_source_orchestrator.core.clock import system_chance
from data_source_orchestrator.core.errors import StoreError, StoreFlaw
from data_source_orchestrator.core.ports import Transaction
from data_source_orchestrator.core.snapshot import Claim, Entity, FieldValue
from data_source_orchestrator.history import SqliteStore
from data_source_orchestrator.history.queries import load_migrations

pytestmark = pytest.mark.real_time

NOON = datetime(2026, 5, 7, 12, tzinfo=UTC)
BIG = "x" * 2_000_000

FULL = "has no room to grow, its disk is full: free some space and try again; what it held before is intact"
READ_ONLY = (
    "cannot be written, its file, folder or mount is read-only: give this user the right to write there,"
    " or choose another data folder"
)
LOCKED = (
    "was locked by another process for longer than this one may wait: let that one finish, or end it, and try again;"
    " nothing was changed"
)
DAMAGED = "is damaged: move it away or put a copy back in its place, then try again; it was left as it is"


def note(key: str, value: Any) -> Callable[[Transaction], None]:
    return lambda tx: tx.put_document("note", key, value)


def notes(tx: Transaction) -> dict[str, Any]:
    return tx.documents("note")


def everything(tx: Transaction) -> tuple[object, ...]:
    return tx.documents("note"), tx.contributions(), tx.entities()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def do(path: Path, *works: Callable[[Transaction], Any], max_pages: int | None = None) -> list[Any]:
    """Open a store, do these works one after another, close it, and return their results, of errors the sentence."""
    store = await SqliteStore.open(path, max_pages=max_pages, busy_timeout=0.2)
    told: list[Any] = []
    try:
        for work in works:
            try:
                told.append(await store.write(work))
            except StoreError as error:
                told.append(str(error))
    finally:
        await store.close()
    return told


async def sentence(path: Path) -> str:
    """Return what a person reads who opens this store; nobody is left waiting, and no thread either."""
    threads = threading.active_count()
    with pytest.raises(StoreError) as caught:
        await do(path, notes)
    assert threading.active_count() == threads
    told = str(caught.value)
    assert str(path) in told
    assert "\n" not in told
    return told


async def test_a_store_that_may_grow_no_further_says_so_and_keeps_what_it_held(tmp_path: Path):
    path = tmp_path / "dso.db"
    await do(path, note("old", 1))
    told = await do(path, note("big", BIG), notes, note("small", 2), notes, max_pages=20)
    assert told == [f"the store {path} {FULL}", {"old": 1}, None, {"old": 1, "small": 2}]


async def test_a_store_too_small_for_its_own_tables_says_so(tmp_path: Path):
    with pytest.raises(StoreError, match="its disk is full"):
        await do(tmp_path / "dso.db", max_pages=3)
    assert await do(tmp_path / "dso.db", notes) == [{}]


async def test_a_full_disk_is_told_and_the_old_data_is_there_when_it_has_room_again(tmp_path: Path):
    told = on_a_file_system_of_its_own("full_disk", tmp_path)
    assert told["opened"] == f"the store {tmp_path}/disk/dso.db {FULL}"
    assert told["made"] == f"the store {tmp_path}/disk/another.db {FULL}"
    assert told["made in a new folder"] == f"the store {tmp_path}/disk/deep/another.db {FULL}"
    assert told["filled by itself"] == [f"the store {tmp_path}/disk/dso.db {FULL}", {"old": 1}]
    assert told["at last"] == [None, {"old": 1, "new": 2}]


async def test_a_read_only_mount_is_told_and_the_old_data_is_there_when_it_is_writable_again(tmp_path: Path):
    told = on_a_file_system_of_its_own("read_only", tmp_path)
    assert told["opened"] == f"the store {tmp_path}/disk/dso.db {READ_ONLY}"
    assert told["made"] == f"the store {tmp_path}/disk/deep/dso.db {READ_ONLY}"
    assert told["at last"] == {"old": 1}


def test_a_folder_without_the_right_to_write_is_told(tmp_path: Path):
    if os.geteuid() == 0:
        pytest.skip("root may write in any folder; the read-only mount stands for this case")
    tmp_path.chmod(0o555)
    try:
        assert asyncio.run(sentence(tmp_path / "dso.db")) == f"the store {tmp_path}/dso.db {READ_ONLY}"
    finally:
        tmp_path.chmod(0o755)


@pytest.mark.parametrize("place", ["file/dso.db", "file/deep/dso.db", "folder"])
async def test_a_place_that_cannot_hold_a_store_is_told(tmp_path: Path, place: str):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    assert "cannot be made (" in await sentence(tmp_path / place)
    assert (tmp_path / "file").read_text() == "mine"


async def test_a_store_locked_by_another_process_is_told_and_can_still_be_read(tmp_path: Path):
    path = tmp_path / "dso.db"
    await do(path, note("old", 1))
    store = await SqliteStore.open(path, busy_timeout=0.2)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError) as caught:
            await store.write(note("new", 2))
        assert await store.read(notes) == {"old": 1}
        other.execute("ROLLBACK")
        await store.write(note("new", 2))
    await store.close()
    assert str(caught.value) == f"the store {path} {LOCKED}"
    assert await do(path, notes) == [{"old": 1, "new": 2}]


@pytest.mark.parametrize("new", [True, False])
async def test_a_store_that_another_process_keeps_to_itself_is_told_on_opening(tmp_path: Path, *, new: bool):
    path = tmp_path / "dso.db"
    if not new:
        await do(path, note("old", 1))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        assert await sentence(path) == f"the store {path} {LOCKED}"
        other.execute("ROLLBACK")
    assert await do(path, notes) == [{} if new else {"old": 1}]


async def test_a_store_of_a_newer_version_is_refused_with_its_format_named(tmp_path: Path):
    path = tmp_path / "dso.db"
    await do(path, note("old", 1))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    told = f"the store {path} is in format 99, and this program knows {len(load_migrations('sqlite'))}: install"
    assert (await sentence(path)).startswith(told)
    assert path.read_bytes() == before


async def test_the_database_of_another_program_is_left_alone(tmp_path: Path):
    path = tmp_path / "photos.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE photos (a)")
        connection.execute("PRAGMA journal_mode = WAL")
    before = path.read_bytes()
    assert "is the database of another program" in await sentence(path)
    assert path.read_bytes() == before


def entity(name: str) -> Entity:
    claim = Claim(source="farm", value="é" * 300, run_id="r1", checked_at=NOON)
    return Entity(id=name, fields={"n": FieldValue(claim=claim)})


async def filled(path: Path) -> tuple[object, ...]:
    """Make a store of some hundred pages and return all that it holds."""
    chance = system_chance(7)
    noise = [chance.random() for _ in range(5000)]
    contribution = Contribution(source="farm", run_id="r1", checked_at=NOON, records=(Record("pear", {"n": noise}),))
    works = (
        note("old", BIG[:20_000]),
        lambda tx: tx.put_contribution(contribution),
        lambda tx: tx.put_entities(entity(f"pear-{number}") for number in range(200)),
        everything,
    )
    found: tuple[object, ...] = (await do(path, *works))[-1]
    return found


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: b"\0garbage" * 13 + content[104:], id="header"),
        pytest.param(lambda _: b"this was never a database, it is a letter\n" * 100, id="another-file"),
        pytest.param(lambda content: content[: len(content) // 2], id="cut-in-half"),
        pytest.param(lambda content: content[:8192] + b"\xa5" * (len(content) - 8192), id="all-but-the-first-pages"),
    ],
)
async def test_a_damaged_file_is_told_and_left_as_it_is(tmp_path: Path, damage: Callable[[bytes], bytes]):
    path = tmp_path / "dso.db"
    await filled(path)
    path.write_bytes(damage(path.read_bytes()))
    before = path.read_bytes()
    try:
        [told] = await do(path, everything)
    except StoreError as error:
        told = str(error)
    assert told == f"the store {path} {DAMAGED}"
    assert path.read_bytes() == before


async def test_a_file_cut_to_nothing_beside_its_log_is_damaged_and_its_log_stays(tmp_path: Path):
    path, log = tmp_path / "dso.db", tmp_path / "dso.db-wal"
    store = await SqliteStore.open(path)
    await store.write(note("old", 1))
    held = log.read_bytes()
    await store.close()
    path.write_bytes(b"")
    log.write_bytes(held)
    assert await sentence(path) == f"the store {path} {DAMAGED}"
    assert (path.read_bytes(), log.read_bytes()) == (b"", held)


async def test_an_empty_file_that_was_there_becomes_a_store_and_that_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    path = tmp_path / "dso.db"
    path.write_bytes(b"")
    os.utime(path, (0, 0))
    assert await do(path, note("new", 1), notes) == [None, {"new": 1}]
    assert await do(tmp_path / "another.db", notes) == [{}]
    assert await do(path, notes) == [{"new": 1}]
    [told] = caplog.messages
    assert told == f"{path} was there and empty, and a new store begins in it; if it held data before, put a copy back"


async def test_a_store_opened_to_read_shows_what_is_there_and_refuses_to_write_in_the_words_given(tmp_path: Path):
    path, trouble = tmp_path / "a%20b?c#d.db", StoreError("the disk is full", StoreFlaw.FULL)
    await do(path, note("old", 1))
    before = path.read_bytes()
    store = await SqliteStore.open_to_read(path, trouble)
    assert store.trouble is trouble
    assert await store.read(notes) == {"old": 1}
    with pytest.raises(StoreError, match=r"^the disk is full$") as caught:
        await store.write(note("new", 2))
    await store.close()
    assert caught.value.flaw is StoreFlaw.FULL
    assert names(tmp_path) == [path.name]
    assert path.read_bytes() == before


async def test_a_store_that_another_process_has_open_is_read_with_what_it_wrote_last(tmp_path: Path):
    path = tmp_path / "dso.db"
    writer = await SqliteStore.open(path)
    await writer.write(note("new", 2))
    reader = await SqliteStore.open_to_read(path, StoreError("no"))
    assert await reader.read(notes) == {"new": 2}
    await reader.close()
    await writer.close()


@pytest.mark.parametrize("spoil", ["", "PRAGMA application_id = 1; CREATE TABLE a (b)", "letter"])
async def test_what_is_no_store_is_not_opened_to_read_and_left_as_it_is(tmp_path: Path, spoil: str):
    path = tmp_path / "dso.db"
    path.write_bytes(b"a letter" * 500 if spoil == "letter" else b"")
    if spoil.startswith("PRAGMA"):
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(spoil)
    before = path.read_bytes()
    with pytest.raises(StoreError):
        await SqliteStore.open_to_read(path, StoreError("no"))
    assert path.read_bytes() == before
    assert names(tmp_path) == [path.name]


async def test_a_damaged_page_in_the_middle_is_told_or_touches_nothing_that_was_asked_for(tmp_path: Path):
    path = tmp_path / "dso.db"
    whole = await filled(path)
    content = path.read_bytes()
    chance = system_chance(11)
    told: list[object] = []
    for _ in range(40):
        start = 4096 * (1 + int(chance.random() * (len(content) // 4096 - 1)))
        noise = bytes(int(chance.random() * 256) for _ in range(4096))
        path.write_bytes(content[:start] + noise + content[start + 4096 :])
        try:
            [found] = await do(path, everything)
        except StoreError as error:
            found = str(error)
        told.append(found)
    assert [found for found in told if found != whole and "is damaged" not in str(found)] == []
    assert sum("is damaged" in str(found) for found in told if isinstance(found, str)) > 20


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE contributions SET body = x'00'",
        "UPDATE contributions SET body = substr(body, 1, length(body) - 9)",
        "UPDATE contributions SET checked_at = 'yesterday'",
        "UPDATE entities SET json = substr(json, 2)",
        "UPDATE entities SET json = '{\"n\": []}'",
        "UPDATE entities SET json = '[1]'",
        "UPDATE documents SET json = 'NaN-'",
        "UPDATE documents SET json = cast(x'22ff22' AS TEXT)",
    ],
)
async def test_a_row_that_is_not_what_was_written_is_told(tmp_path: Path, damage: str):
    path = tmp_path / "dso.db"
    await filled(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(damage)
    [told] = await do(path, everything)
    assert told == f"the store {path} {DAMAGED}"


def on_a_file_system_of_its_own(scene: str, tmp_path: Path) -> dict[str, Any]:
    """Play a scene of this file in a process with a small disk of its own, at `tmp_path/disk`, and return its tale."""
    disk = tmp_path / "disk"
    disk.mkdir()
    apart = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec"]
    mount = f"mount -t tmpfs -o size=512k none '{disk}'"
    if shutil.which("unshare") is None:
        pytest.skip("there is no `unshare` here to give a test a disk of its own")
    tried = subprocess.run([*apart, mount], capture_output=True, text=True, check=False)  # noqa: S603 — our own words
    if tried.returncode:
        pytest.skip(f"a test may not mount a disk of its own here: {tried.stderr.strip()}")
    play = f"{mount}; exec '{sys.executable}' -W error '{__file__}' {scene} '{disk}'"
    played = subprocess.run([*apart, play], capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 — our own words
    assert played.returncode == 0, played.stderr
    told: dict[str, Any] = json.loads(played.stdout)
    return told


async def or_sentence(path: Path, *works: Callable[[Transaction], Any]) -> Any:
    try:
        return (await do(path, *works))[-1]
    except StoreError as error:
        return str(error)


async def full_disk(disk: Path) -> dict[str, Any]:
    path, rest = disk / "dso.db", disk / "rest"
    await do(path, note("old", 1))
    with rest.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    told: dict[str, Any] = {"opened": await or_sentence(path, notes)}
    told["made"] = await or_sentence(disk / "another.db", notes)
    told["made in a new folder"] = await or_sentence(disk / "deep" / "another.db", notes)
    rest.unlink()
    told["filled by itself"] = await do(path, note("big", BIG), notes)
    told["at last"] = await do(path, note("new", 2), notes)
    return told


async def read_only(disk: Path) -> dict[str, Any]:
    path = disk / "dso.db"
    remount = partial(subprocess.run, check=True)
    await do(path, note("old", 1))
    remount(["mount", "-o", "remount,ro", disk])
    told: dict[str, Any] = {
        "opened": await or_sentence(path, notes),
        "made": await or_sentence(disk / "deep" / "dso.db", notes),
    }
    remount(["mount", "-o", "remount,rw", disk])
    told["at last"] = await or_sentence(path, notes)
    return told


if __name__ == "__main__":
    scenes = {"full_disk": full_disk, "read_only": read_only}
    print(json.dumps(asyncio.run(scenes[sys.argv[1]](Path(sys.argv[2])))))  # noqa: T201 — the parent reads it
