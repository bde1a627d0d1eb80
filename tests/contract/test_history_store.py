"""What every store does. A new store joins the list of implementations and passes all of this."""

import asyncio
import contextlib
import itertools
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from data_source_orchestrator.core.claim import Contribution, Record
from data_source_orchestrator.core.errors import StoreError
from data_source_orchestrator.core.outcome import Failure, Skipped, Success
from data_source_orchestrator.core.ports import RunRow, Store, Transaction
from data_source_orchestrator.core.snapshot import Claim, Entity, FieldValue
from data_source_orchestrator.core.verdicts import FailureKind, SkipReason
from data_source_orchestrator.history import SqliteStore
from data_source_orchestrator.testing import run_virtual

pytestmark = pytest.mark.real_time

NOON = datetime(2026, 5, 7, 12, 30, 15, 123456, tzinfo=UTC)

Opener = Callable[[], Coroutine[Any, Any, Store]]
Opened = Callable[[], AbstractAsyncContextManager[Store]]


@pytest.fixture(params=[pytest.param(SqliteStore.open, id="sqlite")])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Open the same store again and again."""
    implementation: Callable[[Path], Coroutine[Any, Any, Store]] = request.param
    return lambda: implementation(tmp_path / "data" / "store.db")


@pytest.fixture
def opened(opener: Opener) -> Opened:
    @asynccontextmanager
    async def context() -> AsyncIterator[Store]:
        store = await opener()
        try:
            yield store
        finally:
            await store.close()

    return context


def a_run(name: str = "r1") -> RunRow:
    return RunRow(
        id=name,
        verb="sync",
        started_at=NOON,
        duration=1.5,
        sufficient=True,
        interrupted=False,
        outcomes=(
            Success(source="farm", data=object(), attempts=1, duration=0.5, latency=0.5, warnings=("late",)),
            Failure(
                source="shop", kind=FailureKind.SERVER, error=ValueError("half \udc80 a"), attempts=3, duration=1.5
            ),
            Skipped(source="blog", reason=SkipReason.DISABLED),
        ),
    )


def a_contribution(source: str = "farm", run: str = "r1", weight: Any = 120) -> Contribution:
    fields = {
        "weight": weight,
        "name": "Jäger \u0000 \U0001f350 \ud800",
        "tags": ["a", {"b": [None, True, 0, 1.0, ""]}],
    }
    return Contribution(source=source, run_id=run, checked_at=NOON, records=(Record("pear", fields), Record("fig", {})))


def an_entity(name: str, value: Any = 1, run: str = "r1") -> Entity:
    farm = Claim(source="farm", value=value, run_id=run, checked_at=NOON)
    shop = Claim(source="shop", value={"deep": [value]}, run_id="r0", checked_at=NOON - timedelta(days=1))
    return Entity(id=name, fields={"n": FieldValue(claim=farm, outranked=(shop,)), "m": FieldValue(claim=shop)})


def counting(key: str) -> Callable[[Transaction], None]:
    """Return work that adds one to a number, and loses count wherever two do so at once."""

    def work(transaction: Transaction) -> None:
        number = transaction.documents("count").get(key, 0)
        assert isinstance(number, int)
        transaction.put_document("count", key, number + 1)

    return work


def documents(transaction: Transaction) -> dict[str, Any]:
    return dict(transaction.documents("note"))


async def test_a_new_store_is_empty(opened: Opened):
    async with opened() as store:
        assert await store.read(lambda tx: (tx.documents("note"), tx.contributions(), tx.entities())) == ({}, {}, {})


async def test_documents_come_back_by_kind_and_the_last_one_put_stands(opened: Opened):
    """A25: they are there for the next process."""
    value: Any = {"n": [1, 1.5, True, None, "é\u0000"], "m": {"k": []}}

    def work(tx: Transaction) -> None:
        tx.put_document("note", "a", "first")
        tx.put_document("note", "a", value)
        tx.put_document("note", "b", None)
        tx.put_document("other", "a", 0)

    async with opened() as store:
        await store.write(work)
    async with opened() as store:
        assert await store.read(documents) == {"a": value, "b": None}
        assert await store.read(lambda tx: tx.documents("other")) == {"a": 0}


async def test_a_contribution_takes_the_place_of_its_sources_last_one(opened: Opened):
    """A22."""
    async with opened() as store:
        await store.write(lambda tx: tx.put_contribution(a_contribution(weight=1)))
        await store.write(lambda tx: tx.put_contribution(a_contribution("shop", weight=2)))
        await store.write(lambda tx: tx.put_contribution(a_contribution(run="r2", weight=3)))
    async with opened() as store:
        held = await store.read(lambda tx: tx.contributions())
    assert held == {"farm": a_contribution(run="r2", weight=3), "shop": a_contribution("shop", weight=2)}


async def test_entities_come_back_with_every_claim_and_are_replaced_and_removed_by_id(opened: Opened):
    async with opened() as store:
        await store.write(lambda tx: tx.put_entities([an_entity("fig"), an_entity("pear"), an_entity("plum")]))
        await store.write(lambda tx: tx.put_entities(iter([an_entity("pear", value=0.5, run="r2")])))
        await store.write(lambda tx: tx.remove_entities(["plum", "never there"]))
    async with opened() as store:
        held = await store.read(lambda tx: tx.entities())
    assert held == {"fig": an_entity("fig"), "pear": an_entity("pear", value=0.5, run="r2")}


async def test_what_is_held_takes_the_place_of_what_was_held_and_stands_apart_from_what_is_published(opened: Opened):
    async with opened() as store:
        await store.write(lambda tx: tx.put_entities([an_entity("fig")]))
        await store.write(lambda tx: tx.hold_entities([an_entity("fig", value=2), an_entity("pear")]))
        await store.write(lambda tx: tx.hold_entities(iter([an_entity("plum")])))
    async with opened() as store:
        assert await store.read(lambda tx: (tx.entities(), tx.held_entities())) == (
            {"fig": an_entity("fig")},
            {"plum": an_entity("plum")},
        )
        await store.write(lambda tx: tx.hold_entities(()))
        assert await store.read(lambda tx: (tx.entities(), tx.held_entities())) == ({"fig": an_entity("fig")}, {})


async def test_of_what_sources_had_said_before_something_was_held_the_oldest_stands(opened: Opened):
    async with opened() as store:
        await store.write(lambda tx: tx.keep_standing([a_contribution(weight=1)]))
        await store.write(lambda tx: tx.keep_standing(iter([a_contribution(weight=2), a_contribution("shop")])))
    async with opened() as store:
        held = await store.read(lambda tx: tx.standing())
        assert held == {"farm": a_contribution(weight=1), "shop": a_contribution("shop")}
        assert await store.read(lambda tx: tx.contributions()) == {}
        await store.write(lambda tx: tx.clear_standing())
        assert await store.read(lambda tx: tx.standing()) == {}


async def test_when_each_source_was_last_good_is_known_without_reading_what_it_said(opened: Opened):
    async with opened() as store:
        await store.write(lambda tx: tx.put_contribution(a_contribution()))
        assert await store.read(lambda tx: tx.last_checked()) == {"farm": NOON}


async def test_a_moment_of_another_time_zone_comes_back_as_the_same_moment(opened: Opened):
    berlin = NOON.astimezone(timezone(timedelta(hours=2)))
    contribution = Contribution(source="farm", run_id="r1", checked_at=berlin, records=())
    async with opened() as store:
        await store.write(lambda tx: tx.put_contribution(contribution))
        assert (await store.read(lambda tx: tx.contributions()))["farm"].checked_at == NOON


async def test_a_run_is_kept_once(opened: Opened):
    async with opened() as store:
        await store.write(lambda tx: tx.add_run(a_run()))
        await store.write(lambda tx: tx.add_run(a_run("r2")))
        with pytest.raises(StoreError):
            await store.write(lambda tx: tx.add_run(a_run()))


def confirm(tx: Transaction, *, at: datetime) -> None:
    tx.confirm_snapshot("abc", 2, at)


async def test_a_snapshot_may_be_confirmed_again_and_again(opened: Opened):
    """A22: an identical sync adds no version."""
    async with opened() as store:
        for hours in range(3):
            await store.write(partial(confirm, at=NOON + timedelta(hours=hours)))


async def test_read_and_write_return_what_the_work_returns(opened: Opened):
    async with opened() as store:
        assert await store.write(lambda _: "written") == "written"
        assert await store.read(lambda tx: len(documents(tx))) == 0


@pytest.mark.parametrize("error", [ValueError("no"), StoreError("no"), SystemExit(3), asyncio.CancelledError()])
async def test_what_the_work_raises_passes_unchanged_and_nothing_is_kept(opened: Opened, error: BaseException):
    def work(tx: Transaction) -> None:
        tx.put_document("note", "a", 1)
        tx.add_run(a_run())
        raise error

    async with opened() as store:
        with pytest.raises(type(error)) as caught:
            await store.write(work)
        assert caught.value is error
        assert await store.read(documents) == {}
        await store.write(lambda tx: tx.add_run(a_run()))


async def test_work_that_runs_out_of_an_iterator_is_told_and_leaves_nobody_waiting(opened: Opened):
    def work(tx: Transaction) -> None:
        tx.put_document("note", "a", next(iter([])))

    async with opened() as store:
        with pytest.raises(RuntimeError, match="StopIteration"):
            await store.write(work)


async def test_entities_whose_making_fails_halfway_leave_none_behind(opened: Opened):
    def entities() -> Iterator[Entity]:
        yield an_entity("fig")
        raise ValueError("no more")

    def work(tx: Transaction) -> None:
        with contextlib.suppress(ValueError):
            tx.put_entities(entities())

    async with opened() as store:
        await store.write(work)
        assert await store.read(lambda tx: tx.entities()) == {}


async def test_after_a_refused_statement_nothing_is_kept_even_if_the_work_carries_on(opened: Opened):
    def work(tx: Transaction) -> str:
        tx.put_document("note", "a", 1)
        tx.add_run(a_run())
        with contextlib.suppress(StoreError):
            tx.add_run(a_run())
        with contextlib.suppress(StoreError):
            tx.put_document("note", "b", 2)
        return "done"

    async with opened() as store:
        with pytest.raises(StoreError):
            await store.write(work)
        assert await store.read(documents) == {}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"bytes"])
async def test_what_json_cannot_hold_is_refused_with_a_sentence(opened: Opened, value: Any):
    async with opened() as store:
        with pytest.raises(StoreError, match="cannot be kept as JSON"):
            await store.write(lambda tx: tx.put_document("note", "a", value))
        with pytest.raises(StoreError, match="cannot be kept as JSON"):
            await store.write(lambda tx: tx.put_contribution(a_contribution(weight=value)))


async def test_a_moment_without_a_time_zone_is_refused(opened: Opened):
    async with opened() as store:
        with pytest.raises(StoreError, match="time zone"):
            await store.write(lambda tx: tx.confirm_snapshot("abc", 1, NOON.replace(tzinfo=None)))


async def test_a_read_writes_nothing(opened: Opened):
    async with opened() as store:
        with pytest.raises(StoreError, match=r"use write\(\)"):
            await store.read(lambda tx: tx.put_document("note", "a", 1))
        assert await store.read(documents) == {}


async def test_a_transaction_cannot_be_used_after_its_end(opened: Opened):
    async with opened() as store:
        leaked = await store.write(lambda tx: tx)
        with pytest.raises(StoreError, match="has ended"):
            leaked.documents("note")
        with pytest.raises(StoreError, match="has ended"):
            leaked.put_document("note", "a", 1)


async def test_a_closed_store_says_so_and_may_be_closed_twice(opener: Opener):
    store = await opener()
    await store.close()
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.read(documents)


async def test_what_was_handed_over_before_the_close_is_done(opener: Opener, opened: Opened):
    store = await opener()
    writes = [asyncio.create_task(store.write(counting("a"))) for _ in range(5)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*writes)
    async with opened() as again:
        assert await again.read(lambda tx: tx.documents("count")) == {"a": 5}


async def test_updates_at_the_same_time_through_two_stores_lose_nothing(opened: Opened):
    async with opened() as one, opened() as other:
        await asyncio.gather(*(store.write(counting("a")) for _ in range(25) for store in (one, other)))
        assert await one.read(lambda tx: tx.documents("count")) == {"a": 50}


async def test_a_reader_sees_the_old_state_while_a_writer_writes(opened: Opened):
    begun, go_on = threading.Event(), threading.Event()

    def slow(tx: Transaction) -> None:
        tx.put_document("note", "a", "new")
        tx.put_document("note", "b", "new")
        begun.set()
        assert go_on.wait(10)

    async with opened() as writer, opened() as reader:
        await writer.write(lambda tx: tx.put_document("note", "a", "old"))
        writing = asyncio.create_task(writer.write(slow))
        await asyncio.to_thread(begun.wait, 10)
        assert await reader.read(documents) == {"a": "old"}
        go_on.set()
        await writing
        assert await reader.read(documents) == {"a": "new", "b": "new"}


async def test_a_read_sees_one_state_from_its_first_question_to_its_last(opened: Opened):
    begun, go_on = threading.Event(), threading.Event()

    def twice(tx: Transaction) -> tuple[dict[str, Any], dict[str, Any]]:
        first = documents(tx)
        begun.set()
        assert go_on.wait(10)
        return first, documents(tx)

    async with opened() as writer, opened() as reader:
        reading = asyncio.create_task(reader.read(twice))
        await asyncio.to_thread(begun.wait, 10)
        await writer.write(lambda tx: tx.put_document("note", "a", "new"))
        go_on.set()
        assert await reading == ({}, {})
        assert await reader.read(documents) == {"a": "new"}


async def test_a_write_that_has_begun_is_finished_before_its_callers_cancellation_passes(opened: Opened):
    begun, go_on = threading.Event(), threading.Event()

    def slow(tx: Transaction) -> None:
        tx.put_document("note", "a", 1)
        begun.set()
        assert go_on.wait(10)
        tx.put_document("note", "b", 2)

    async with opened() as store:
        writing = asyncio.create_task(store.write(slow))
        await asyncio.to_thread(begun.wait, 10)
        for _ in range(3):
            writing.cancel()
            await asyncio.sleep(0.01)
            assert not writing.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await writing
        assert await store.read(documents) == {"a": 1, "b": 2}


async def test_a_cancelled_write_that_fails_leaves_nothing_and_the_store_goes_on(opened: Opened):
    begun, go_on = threading.Event(), threading.Event()

    def failing(tx: Transaction) -> None:
        tx.put_document("note", "a", 1)
        begun.set()
        assert go_on.wait(10)
        raise ValueError("no")

    async with opened() as store:
        writing = asyncio.create_task(store.write(failing))
        await asyncio.to_thread(begun.wait, 10)
        writing.cancel()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await writing
        await store.write(lambda tx: tx.put_document("note", "b", 2))
        assert await store.read(documents) == {"b": 2}


async def test_an_opening_that_is_cancelled_leaves_no_thread(opener: Opener):
    before = threading.active_count()
    opening = asyncio.ensure_future(opener())
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert threading.active_count() == before


def test_a_store_serves_one_event_loop_after_another(opener: Opener):
    store = asyncio.run(opener())
    for number in range(3):
        asyncio.run(store.write(counting("a")))
        assert asyncio.run(store.read(lambda tx: tx.documents("count"))) == {"a": number + 1}
    asyncio.run(store.close())


def test_virtual_time_stands_still_while_the_store_works(opened: Opened):
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with opened() as store:
            timer = loop.call_later(5, lambda: None)
            await store.write(lambda _: threading.Event().wait(0.1))
            assert loop.time() < 1
            timer.cancel()

    run_virtual(main())


async def test_a_whole_run_is_kept_in_one_transaction(opened: Opened):
    """B06: what succeeded is kept beside what failed."""
    steps = itertools.count()

    def work(tx: Transaction) -> None:
        tx.add_run(a_run())
        tx.put_contribution(a_contribution())
        tx.put_entities([an_entity("pear")])
        tx.confirm_snapshot("abc", 1, NOON)
        if next(steps) == 0:
            raise ValueError("the last step fails")

    def kept(tx: Transaction) -> tuple[int, int]:
        return len(tx.contributions()), len(tx.entities())

    async with opened() as store:
        with pytest.raises(ValueError, match="last step"):
            await store.write(work)
        assert await store.read(kept) == (0, 0)
        await store.write(work)
        assert await store.read(kept) == (1, 1)
