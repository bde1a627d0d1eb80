"""A synchronisation whose merged snapshot has lost too much, over a real SQLite file, under virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from data_source_orchestrator import (
    ConfigurationError,
    DataSourceOrchestrator,
    FetchError,
    GatePolicy,
    OrchestratorConfig,
    Record,
    RetryConfig,
    Source,
    SourceCoordinator,
    SqliteStore,
)
from data_source_orchestrator.core.events import Event, FreshnessChanged, SnapshotHeld, SnapshotPublished
from data_source_orchestrator.testing import Hang, VirtualClock, scripted

DOWN = FetchError("server", "the server is down")
DAY = 86_400.0


def rows(names: str, **fields: Any) -> list[Record]:
    """Return a row for each letter."""
    return [Record(name, {"n": 1, **fields}) for name in names]


FULL, HALF = rows("abcdefghij"), rows("abcde")


@asynccontextmanager
async def house(folder: Path, *sources: Source[Any], **members: Any) -> AsyncIterator[DataSourceOrchestrator]:
    """Run a process's worth of orchestrator over the store in a folder."""
    store = await SqliteStore.open(folder / "dso.db")
    try:
        async with DataSourceOrchestrator(
            SourceCoordinator(sources, clock=VirtualClock()),
            OrchestratorConfig(timeout=60),
            RetryConfig(max_retries=0),
            store=store,
            **members,
        ) as orchestrator:
            yield orchestrator
    finally:
        await store.close()


async def published(orchestrator: DataSourceOrchestrator) -> str:
    """Return the entities that readers get, as one word."""
    store = orchestrator._keeper._store
    assert store is not None
    return "".join(sorted(await store.read(lambda transaction: transaction.entities())))


def heard(orchestrator: DataSourceOrchestrator) -> list[Event]:
    events: list[Event] = []
    orchestrator.coordinator.hub.follow(events.append, SnapshotHeld, SnapshotPublished, FreshnessChanged)
    return events


def names(events: list[Event]) -> list[str]:
    return [event.type for event in events]


async def test_a_snapshot_that_lost_too_much_is_held_and_readers_keep_the_one_before(tmp_path: Path):
    async with house(tmp_path, scripted("a", FULL, HALF, title="Farm")) as orchestrator:
        first = await orchestrator.sync()
        second = await orchestrator.sync()
        assert await published(orchestrator) == "abcdefghij"
    assert first.snapshot.held is None
    held = second.snapshot.held
    assert held is not None
    assert held.sentence == "held: 5 of 10 entities missing (from Farm)"
    assert (held.entities, second.snapshot.gone) == (5, 5)


async def test_what_is_held_is_known_to_the_next_process(tmp_path: Path):
    async with house(tmp_path, scripted("a", FULL, HALF)) as orchestrator:
        await orchestrator.sync()
        report = await orchestrator.sync()
    async with house(tmp_path, scripted("a", HALF)) as orchestrator:
        assert orchestrator.get_gate().held == report.snapshot.held


async def test_that_a_snapshot_is_held_is_told_once_however_often_it_comes(tmp_path: Path):
    async with house(tmp_path, scripted("a", FULL, HALF, HALF, rows("ab"))) as orchestrator:
        events = heard(orchestrator)
        since = []
        for _ in range(4):
            report = await orchestrator.sync()
            since.append(report.snapshot.held and report.snapshot.held.since)
            await asyncio.sleep(60)
        told = [name for name in names(events) if name.startswith("snapshot")]
        assert told == ["snapshot_published", "snapshot_held", "snapshot_held"]
        assert since[1] == since[2] == since[3]  # the gate has been closed all the time


async def test_a_later_good_snapshot_supersedes_the_held_one(tmp_path: Path):
    async with house(tmp_path, scripted("a", FULL, HALF, rows("abcdefghijk"))) as orchestrator:
        superseded = [(await orchestrator.sync()).snapshot.superseded for _ in range(3)]
        assert superseded == [False, False, True]
        assert orchestrator.get_gate().held is None
        assert await published(orchestrator) == "abcdefghijk"
        with pytest.raises(ConfigurationError, match="holds nothing"):
            await orchestrator.accept_held()


async def test_what_is_accepted_is_published_and_is_the_measure_from_then_on(tmp_path: Path):
    async with house(tmp_path, scripted("a", FULL, HALF, HALF)) as orchestrator:
        await orchestrator.sync()
        await orchestrator.sync()
        events = heard(orchestrator)
        change = await orchestrator.accept_held(why="the season is over")
        assert change is not None
        assert (change.unchanged, change.gone) == (5, 5)
        assert await published(orchestrator) == "abcde"
        assert (await orchestrator.sync()).snapshot.held is None
        assert names(events) == ["snapshot_published", "snapshot_published"]
        [decision] = orchestrator.get_gate().decisions
        assert (decision.verdict, decision.why) == ("accepted", "the season is over")


async def test_what_is_rejected_does_not_come_back_when_another_source_is_synchronised(tmp_path: Path):
    sources = scripted("a", FULL, HALF), scripted("b", rows("xyz"), rows("xyz"), rows("wxyz"))
    async with house(tmp_path, *sources) as orchestrator:
        await orchestrator.sync()
        await orchestrator.sync()
        await orchestrator.reject_held(why="half a page")
        assert await published(orchestrator) == "abcdefghijxyz"
        report = await orchestrator.sync("b")
        assert report.snapshot.held is None
        assert await published(orchestrator) == "abcdefghijwxyz"


async def test_what_was_rejected_is_not_taken_again_while_its_source_says_just_that(tmp_path: Path):
    sources = scripted("a", FULL, HALF, list(reversed(HALF)), rows("abcdefghi")), scripted("b", rows("x"))
    async with house(tmp_path, *sources) as orchestrator:
        await orchestrator.sync()
        await orchestrator.sync()
        await orchestrator.reject_held()
        await asyncio.sleep(60)
        again = await orchestrator.sync()
        assert (again.snapshot.held, again.snapshot.refused) == (None, ("a",))
        assert await published(orchestrator) == "abcdefghijx"
        ages = {each.key: each.view.checked_at for each in orchestrator.get_status().sources}
        assert ages["a"] is not None
        assert ages["b"] is not None
        assert (ages["b"] - ages["a"]).total_seconds() >= 60  # what was refused does not make it younger
        other = await orchestrator.sync()
        assert (other.snapshot.held, other.snapshot.refused) == (None, ())
        assert await published(orchestrator) == "abcdefghix"


async def test_a_rejection_ends_when_its_source_has_said_something_else_that_is_published(tmp_path: Path):
    async with house(tmp_path, scripted("a", FULL, HALF, rows("ab"), HALF, rows("abcdefghi"), HALF)) as orchestrator:
        await orchestrator.sync()
        await orchestrator.sync()
        await orchestrator.reject_held()
        assert (await orchestrator.sync()).snapshot.held is not None  # something else, and no better
        assert (await orchestrator.sync()).snapshot.refused == ("a",)
        assert (await orchestrator.sync()).snapshot.held is None
        assert orchestrator.get_gate().rejected == ()
        report = await orchestrator.sync()
        assert (report.snapshot.refused, report.snapshot.held is not None) == ((), True)


async def test_rejecting_after_several_bad_answers_returns_to_what_is_published(tmp_path: Path):
    async with house(tmp_path, scripted("a", FULL, HALF, rows("ab"), rows("a"), DOWN)) as orchestrator:
        for _ in range(4):
            await orchestrator.sync()
        await orchestrator.reject_held()
        report = await orchestrator.sync()
        assert (report.snapshot.held, report.snapshot.unchanged) == (None, 10)


async def test_what_was_rejected_by_mistake_is_taken_again_and_judged_anew(tmp_path: Path):
    async with house(tmp_path, scripted("a", FULL, HALF)) as orchestrator:
        await orchestrator.sync()
        await orchestrator.sync()
        await orchestrator.reject_held()
        assert [source for source, _ in orchestrator.get_gate().rejected] == ["a"]
        assert await orchestrator.accept_held() is None
        assert (await orchestrator.sync()).snapshot.held is not None


async def test_nobody_decides_on_a_snapshot_that_he_has_not_seen(tmp_path: Path):
    async with house(tmp_path, scripted("a", FULL, HALF, rows("ab"))) as orchestrator:
        await orchestrator.sync()
        seen = (await orchestrator.sync()).snapshot.id or ""
        await orchestrator.sync()  # as another process would
        with pytest.raises(ConfigurationError, match="by now, not"):
            await orchestrator.accept_held(snapshot=seen)
        assert await published(orchestrator) == "abcdefghij"
        held = orchestrator.get_gate().held
        assert held is not None
        assert held.snapshot_id is not None
        await orchestrator.accept_held(snapshot=held.snapshot_id[:8])
        assert await published(orchestrator) == "ab"


async def test_what_expires_is_not_held_for_nobody_may_serve_it(tmp_path: Path):
    sources = (
        scripted("a", FULL, DOWN, update_frequency="daily"),
        scripted("b", rows("xyz"), update_frequency="monthly"),
    )
    async with house(tmp_path, *sources) as orchestrator:
        await orchestrator.sync()
        await asyncio.sleep(4.1 * DAY)
        report = await orchestrator.sync()
        assert report.snapshot.held is None
        assert await published(orchestrator) == "xyz"


async def test_what_only_a_disabled_source_said_stays_until_it_expires(tmp_path: Path):
    sources = (scripted("a", FULL, update_frequency="daily"), scripted("b", rows("xyz"), update_frequency="monthly"))
    async with house(tmp_path, *sources) as orchestrator:
        await orchestrator.sync()
        await orchestrator.disable("a")
        await asyncio.sleep(3.9 * DAY)
        assert (await orchestrator.sync()).snapshot.gone == 0
        await asyncio.sleep(0.2 * DAY)
        report = await orchestrator.sync()
        assert (report.snapshot.held, report.snapshot.gone) == (None, 10)


async def test_what_only_an_unregistered_source_said_is_held_until_somebody_says_that_it_was_meant(tmp_path: Path):
    async with house(tmp_path, scripted("a", FULL), scripted("b", rows("xyz"))) as orchestrator:
        await orchestrator.sync()
    async with house(tmp_path, scripted("b", rows("xyz"))) as orchestrator:
        report = await orchestrator.sync()
        assert report.snapshot.held is not None
        assert report.snapshot.held.sentence == "held: 10 of 13 entities missing (from a (no longer registered))"
        await orchestrator.accept_held()
        assert (await orchestrator.sync()).snapshot.held is None
        assert await published(orchestrator) == "xyz"


async def test_a_set_up_that_lost_all_its_sources_empties_nothing(tmp_path: Path):
    async with house(tmp_path, scripted("a", FULL)) as orchestrator:
        await orchestrator.sync()
    async with house(tmp_path) as orchestrator:
        report = await orchestrator.sync()
        assert (report.snapshot.id, report.snapshot.held is not None) == (None, True)
        assert await published(orchestrator) == "abcdefghij"
        assert await orchestrator.accept_held() is not None
        assert await published(orchestrator) == ""


async def test_a_gate_that_is_off_publishes_everything_and_lets_go_of_what_was_held(tmp_path: Path):
    async with house(tmp_path, scripted("a", FULL, HALF)) as orchestrator:
        await orchestrator.sync()
        await orchestrator.sync()
    async with house(tmp_path, scripted("a", HALF), gate=GatePolicy(enabled=False)) as orchestrator:
        assert (await orchestrator.sync()).snapshot.held is None
        assert orchestrator.get_gate().held is None
        assert await published(orchestrator) == "abcde"


async def test_an_interrupted_sync_is_judged_as_any_other(tmp_path: Path):
    async with house(tmp_path, scripted("a", FULL, HALF), scripted("hung", [], Hang())) as orchestrator:
        await orchestrator.sync()
        run = asyncio.create_task(orchestrator.sync())
        await asyncio.sleep(5)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert orchestrator.get_gate().held is not None
        assert await published(orchestrator) == "abcdefghij"


async def test_deciding_needs_a_store():
    async with DataSourceOrchestrator(SourceCoordinator([scripted("a", FULL)])) as orchestrator:
        assert orchestrator.get_gate().held is None
        with pytest.raises(ConfigurationError, match="store"):
            await orchestrator.accept_held()


async def test_a_change_of_freshness_is_told_at_the_run_that_notices_it(tmp_path: Path):
    async with house(tmp_path, scripted("a", FULL, DOWN, DOWN, FULL), scripted("b", rows("x"))) as orchestrator:
        events = heard(orchestrator)
        await orchestrator.sync()
        for days in (1.5, 1.5, 0.1):
            await asyncio.sleep(days * DAY)
            await orchestrator.sync()
        changes = [(e.source, e.before, e.after) for e in events if isinstance(e, FreshnessChanged)]
        assert changes == [
            ("a", "never", "fresh"),
            ("b", "never", "fresh"),
            ("a", "fresh", "late"),
            ("a", "late", "stale"),
            ("a", "stale", "fresh"),
        ]
