"""Drift through whole syncs over a real SQLite file, under virtual time: what travels, what is kept, how it ends."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from data_source_orchestrator import (
    Contract,
    DataSourceOrchestrator,
    Failure,
    FailureKind,
    FetchContext,
    FetchError,
    OrchestratorConfig,
    Record,
    RetryConfig,
    Source,
    SourceCoordinator,
    SqliteStore,
    Success,
)
from data_source_orchestrator.core.age import Age
from data_source_orchestrator.core.clock import system_chance
from data_source_orchestrator.core.events import DriftDetected, Event, SourceFinished
from data_source_orchestrator.core.shown import Shown
from data_source_orchestrator.drift.fingerprint import MOST_VALUES
from data_source_orchestrator.fanout.plan import Query, make_plan
from data_source_orchestrator.orchestration.happened import without_data
from data_source_orchestrator.orchestration.run import Run
from data_source_orchestrator.testing import VirtualClock

DAY = 86_400.0

Fetch = Callable[[FetchContext], None]


class Shop:
    """An upstream whose rows a test changes, and the source that reads it."""

    def __init__(self, **members: Any) -> None:
        self.rows: Any = rows()
        self.body: bytes | None = None
        self.before: Fetch = lambda _: None
        self.after: Fetch = lambda _: None
        self.source: Source[Any] = Source(
            key="shop",
            title="Shop",
            fetcher=self.fetch,
            records=lambda payload: [Record(f"{number}", {"n": number}) for number in range(len(payload))],
            **members,
        )

    async def fetch(self, ctx: FetchContext) -> Any:
        self.before(ctx)
        ctx.show("prices.json", self.rows, body=self.body)
        self.after(ctx)
        return self.rows


def rows(count: int = 40, **fields: Any) -> list[dict[str, Any]]:
    return [{"id": number, **(fields or {"name": "x"})} for number in range(count)]


@asynccontextmanager
async def house(folder: Path, *shops: Shop, **members: Any) -> AsyncIterator[DataSourceOrchestrator]:
    """Run a process's worth of orchestrator over the store in a folder."""
    store = await SqliteStore.open(folder / "dso.db")
    try:
        async with DataSourceOrchestrator(
            SourceCoordinator([shop.source for shop in shops], clock=VirtualClock()),
            OrchestratorConfig(timeout=60),
            RetryConfig(max_retries=members.pop("retries", 0), jitter=False),
            store=store,
            **members,
        ) as orchestrator:
            yield orchestrator
    finally:
        await store.close()


async def syncs(orchestrator: DataSourceOrchestrator, count: int = 5) -> None:
    for _ in range(count):
        await orchestrator.sync()
        await asyncio.sleep(DAY)


def open_in(orchestrator: DataSourceOrchestrator, name: str = "prices.json") -> list[str]:
    standing = orchestrator.get_drift().get("shop", {}).get(name)
    return [f"{each.change} {each.path}" for each in standing.findings] if standing else []


RENAMED = ["vanished [].name", "appeared [].title"]


async def test_a_renamed_key_is_told_once_and_stays_open_until_the_shape_is_back(tmp_path: Path):
    shop = Shop()
    async with house(tmp_path, shop) as orchestrator:
        heard: list[Event] = []
        orchestrator.coordinator.hub.follow(heard.append, DriftDetected)
        await syncs(orchestrator)
        assert heard == []
        shop.rows = rows(title="x")
        report = await orchestrator.sync()
        assert report.drift == {"shop": 2}
        assert open_in(orchestrator) == RENAMED
        shop.rows = rows(41, title="y")
        await syncs(orchestrator, 2)
        shop.rows = rows()
        assert (await orchestrator.sync()).drift == {}
    [event] = heard
    assert isinstance(event, DriftDetected)
    assert (event.type, event.source, event.document) == ("drift_detected", "shop", "prices.json")
    assert event.changes == (
        "prices.json, [].name: the field vanished, which 100 % of the objects there had",
        "prices.json, [].title: a field appeared, in 100 % of the objects there",
    )


async def test_what_one_process_saw_the_next_one_judges_by(tmp_path: Path):
    shop = Shop()
    for _ in range(5):
        async with house(tmp_path, shop) as orchestrator:
            await orchestrator.sync()
    shop.rows = rows(title="x")
    async with house(tmp_path, shop) as orchestrator:
        await orchestrator.sync()
    async with house(tmp_path, Shop()) as orchestrator:
        assert open_in(orchestrator) == RENAMED


async def test_two_processes_that_sync_in_turn_undo_nothing_of_each_other(tmp_path: Path):
    shop = Shop()
    async with house(tmp_path, shop) as one, house(tmp_path, shop) as other:
        for each in (one, other, one, other, one):
            await each.sync()
        assert one.get_drift()["shop"]["prices.json"].sightings == 5
        shop.rows = rows(title="x")
        heard: list[Event] = []
        one.coordinator.hub.follow(heard.append, DriftDetected)
        other.coordinator.hub.follow(heard.append, DriftDetected)
        await asyncio.gather(one.sync(), other.sync())
        assert open_in(one) or open_in(other)
        assert len(heard) == 1, "the second finds it open in the store"


async def test_a_body_that_another_process_has_replaced_meanwhile_is_not_taken_for_the_last_one(tmp_path: Path):
    shop = Shop()
    async with house(tmp_path, shop) as one, house(tmp_path, shop) as other:
        shop.body = b"one"
        await syncs(one, 5)
        await other.sync()
        shop.rows, shop.body = rows(title="x"), b"two"
        await other.sync()
        shop.rows, shop.body = rows(), b"one"
        await one.sync()  # it knows the digest of the store as it was, and looks at nothing
        assert open_in(one) == RENAMED
        shapes = await one._keeper._store.read(lambda transaction: transaction.documents("shape"))  # type: ignore[union-attr]  # there is one
        assert shapes["shop"]["prices.json"]["arrival"]["sightings"] == 1  # type: ignore[index,call-overload]  # JSON
        await one.sync()
        assert open_in(one) == []


async def test_a_week_of_the_new_form_makes_it_usual(tmp_path: Path):
    shop = Shop()
    async with house(tmp_path, shop) as orchestrator:
        await syncs(orchestrator)
        shop.rows = rows(title="x")
        await syncs(orchestrator, 7)
        assert open_in(orchestrator) == RENAMED
        await syncs(orchestrator, 1)
        assert open_in(orchestrator) == []
        await syncs(orchestrator, 3)
        assert open_in(orchestrator) == []


async def test_an_operator_accepts_what_is_served_now(tmp_path: Path):
    shop = Shop()
    async with house(tmp_path, shop) as orchestrator:
        await syncs(orchestrator)
        shop.rows = rows(title="x")
        await orchestrator.sync()
        assert await orchestrator.accept_drift("shop")
        assert open_in(orchestrator) == []
        assert not await orchestrator.accept_drift("shoop")
    async with house(tmp_path, shop) as orchestrator:
        await orchestrator.sync()
        assert open_in(orchestrator) == []


async def test_a_reset_forgets_the_past_of_documents(tmp_path: Path):
    shop = Shop()
    async with house(tmp_path, shop) as orchestrator:
        await syncs(orchestrator)
        shop.rows = rows(title="x")
        await orchestrator.sync()
        await orchestrator.reset("shop")
        assert orchestrator.get_drift()["shop"] == {}
        await syncs(orchestrator, 4)
        assert orchestrator.get_drift()["shop"]["prices.json"].sightings == 4


async def test_a_source_that_was_unregistered_leaves_nothing_of_its_documents(tmp_path: Path):
    shop = Shop()
    async with house(tmp_path, shop) as orchestrator:
        await syncs(orchestrator)
        orchestrator.coordinator.unregister_source("shop")
    async with house(tmp_path, shop) as orchestrator:
        assert orchestrator.get_drift()["shop"] == {}


async def test_an_answer_that_its_contract_refuses_is_judged_all_the_same_and_is_no_past(tmp_path: Path):
    shop = Shop(contract=Contract(minimum_rows=20))
    async with house(tmp_path, shop) as orchestrator:
        await syncs(orchestrator)
        shop.rows = rows(3)
        report = await orchestrator.sync()
        assert not report.result.metadata.sufficient
        assert open_in(orchestrator) == ["volume []"]
        await syncs(orchestrator, 20)
        assert open_in(orchestrator) == ["volume []"]
        shop.rows = rows()
        await orchestrator.sync()
        assert open_in(orchestrator) == []


async def test_a_fetcher_that_fails_over_what_it_was_shown_tells_of_it(tmp_path: Path):
    shop = Shop()
    async with house(tmp_path, shop) as orchestrator:
        await syncs(orchestrator)
        shop.rows = rows(title="x")
        shop.after = raising(FetchError("content", "no name"))
        await orchestrator.sync()
        assert open_in(orchestrator) == RENAMED


async def test_a_source_that_fails_before_it_was_served_anything_leaves_all_as_it_was(tmp_path: Path):
    shop = Shop()
    async with house(tmp_path, shop) as orchestrator:
        await syncs(orchestrator)
        before = orchestrator.get_drift()
        shop.before = raising(FetchError("server", "down"))
        await orchestrator.sync()
        assert orchestrator.get_drift() == before


async def test_of_several_attempts_the_last_one_is_meant(tmp_path: Path):
    shop = Shop()

    def once(ctx: FetchContext) -> None:
        if ctx.attempt == 1:
            ctx.show("prices.json", rows(3))
            raise FetchError("server", "in the middle")

    async with house(tmp_path, shop, retries=2) as orchestrator:
        await syncs(orchestrator)
        shop.before = once
        await orchestrator.sync()
        assert open_in(orchestrator) == []


async def test_of_two_documents_under_one_name_the_last_one_is_meant(tmp_path: Path):
    shop = Shop()
    shop.before = lambda ctx: ctx.show("prices.json", {"error": "try again"})
    async with house(tmp_path, shop) as orchestrator:
        await syncs(orchestrator, 2)
        assert orchestrator.get_drift()["shop"]["prices.json"].sightings == 2
        await syncs(orchestrator, 4)
        assert open_in(orchestrator) == []


async def test_one_that_shows_nothing_and_succeeds_was_served_the_same_as_before(tmp_path: Path):
    """So it is where a parse was saved, because the body was the same."""
    shop = Shop()

    async def saved(_: FetchContext) -> Any:
        return shop.rows

    async with house(tmp_path, shop) as orchestrator:
        await orchestrator.sync()
    quiet = Shop()
    quiet.source = Source(key="shop", title="Shop", fetcher=saved)
    async with house(tmp_path, quiet) as orchestrator:
        await syncs(orchestrator, 4)
        assert orchestrator.get_drift()["shop"]["prices.json"].judged


async def test_a_body_that_is_known_is_not_looked_at_again(tmp_path: Path):
    looked: list[str] = []

    class Watched(dict[str, Any]):
        def items(self) -> Any:
            looked.append(shop.body.decode() if shop.body else "")
            return super().items()

    shop = Shop()
    shop.rows, shop.body = [Watched(name="x")], b"one"
    for _ in range(3):
        async with house(tmp_path, shop) as orchestrator:
            await syncs(orchestrator, 2)
    assert looked == ["one"]
    shop.rows, shop.body = [Watched(title="x")], b"another"
    async with house(tmp_path, shop) as orchestrator:
        await syncs(orchestrator, 3)
        assert open_in(orchestrator) == RENAMED
    assert looked == ["one", "another"]


async def test_a_mere_fetch_says_nothing_and_keeps_nothing_of_what_it_was_shown(tmp_path: Path):
    shop = Shop()
    async with house(tmp_path, shop) as orchestrator:
        await syncs(orchestrator)
        shop.rows = rows(title="x")
        heard: list[Event] = []
        orchestrator.coordinator.hub.follow(heard.append)
        result = await orchestrator.fetch()
        await orchestrator.check_source_health()
        assert open_in(orchestrator) == []
        outcome = result.outcomes["shop"]
        assert isinstance(outcome, Success)
        assert outcome.shown == ()
        finished = [event.executed.outcome for event in heard if isinstance(event, SourceFinished)]
        assert [getattr(each, "shown", None) for each in finished] == [()]
        assert not any(isinstance(event, DriftDetected) for event in heard)


async def test_a_report_holds_no_document_any_longer(tmp_path: Path):
    shop = Shop()
    async with house(tmp_path, shop) as orchestrator:
        good = (await orchestrator.sync()).result.outcomes["shop"]
        shop.after = raising(FetchError("content", "no"))
        bad = (await orchestrator.sync()).result.outcomes["shop"]
    assert isinstance(good, Success)
    assert good.shown == bad.shown == ()  # type: ignore[union-attr]  # a failure


def test_what_is_remembered_of_an_outcome_holds_no_document():
    shown = (Shown(name="prices.json", document=rows()),)
    good = Success(source="shop", data=1, attempts=1, duration=1, latency=1, shown=shown)
    bad = Failure(source="shop", kind=FailureKind.CONTENT, error=ValueError(), attempts=1, duration=1, shown=shown)
    assert without_data(good).shown == without_data(bad).shown == ()  # type: ignore[union-attr]  # neither is skipped
    assert "document" not in repr(good)


async def test_an_answer_out_of_a_cache_was_shown_by_nobody(clock: VirtualClock):
    plan = make_plan(Query(), [Shop().source])
    run = Run("sync", plan, required=1, clock=clock, chance=system_chance(1))
    age = Age(checked_at=clock.now(), seconds=1, reason="kept")
    run.add([Success(source="shop", data=1, attempts=0, duration=1, latency=1, age=age)])
    assert run.take_shown() == {}


async def test_older_data_beside_a_failure_does_not_hide_what_was_shown(tmp_path: Path):
    shop = Shop(serve_stale=90 * DAY)
    async with house(tmp_path, shop) as orchestrator:
        await syncs(orchestrator)
        shop.rows = rows(title="x")
        shop.after = raising(FetchError("content", "no"))
        outcome = (await orchestrator.sync()).result.outcomes["shop"]
        assert outcome.age is not None
        assert open_in(orchestrator) == RENAMED


async def test_a_document_that_cannot_be_looked_at_costs_no_data(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    class Odd(dict[str, int]):
        def items(self) -> Any:
            raise RuntimeError("it is being changed")

    shop = Shop()
    async with house(tmp_path, shop) as orchestrator:
        await syncs(orchestrator)
        shop.rows = [Odd(a=1)]
        with caplog.at_level(logging.ERROR):
            report = await orchestrator.sync()
        assert report.records == {"shop": 1}
        assert report.drift == {}
        assert orchestrator.get_drift()["shop"]["prices.json"].sightings == 5
    assert "prices.json cannot be looked at" in caplog.text


async def test_of_a_source_at_most_thirty_two_documents_are_watched(tmp_path: Path):
    shop = Shop()
    pages = [0]

    def many(ctx: FetchContext) -> None:
        for _ in range(40):
            ctx.show(f"page {pages[0]}", [pages[0]])
            pages[0] += 1

    shop.before = many
    async with house(tmp_path, shop) as orchestrator:
        await syncs(orchestrator, 2)
        assert len(orchestrator.get_drift()["shop"]) == 32


async def test_a_document_that_has_grown_a_thousandfold_is_told_as_that(tmp_path: Path):
    shop = Shop()
    shop.source = Source(key="shop", title="Shop", fetcher=shop.fetch)
    async with house(tmp_path, shop) as orchestrator:
        await syncs(orchestrator)
        shop.rows = [{"id": 1, "name": "x"}] * (MOST_VALUES + 1)
        await orchestrator.sync()
        [finding] = orchestrator.get_drift()["shop"]["prices.json"].findings
    assert (str(finding.change), finding.before, finding.after) == ("volume", 40.0, MOST_VALUES + 1)


def raising(error: Exception) -> Fetch:
    def raise_it(_: FetchContext) -> None:
        raise error

    return raise_it
