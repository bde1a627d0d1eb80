"""Contracts in runs: a breach counts against its source, bad rows are not merged, a baseline outlasts the process."""

from pathlib import Path
from typing import Any, cast

import pytest
from test_sync import house, row, values

from data_source_orchestrator import (
    Baseline,
    CachePolicy,
    Contract,
    DataSourceOrchestrator,
    Failure,
    FailureKind,
    FetchContext,
    FetchError,
    HealthStatus,
    Record,
    RetryConfig,
    Source,
    SourceCoordinator,
    StoreError,
    Success,
    Tally,
)
from data_source_orchestrator.core.context import Notes
from data_source_orchestrator.core.contract import Field
from data_source_orchestrator.core.ports import Breach
from data_source_orchestrator.core.served import MOST_BYTES, MOST_IN_ALL, Served
from data_source_orchestrator.history.inspection import InspectionFolder
from data_source_orchestrator.orchestration.baselines import from_json, to_json
from data_source_orchestrator.orchestration.happened import without_data
from data_source_orchestrator.testing import VirtualClock, script_of, scripted

PRICED = Contract(mode="quarantine", largest_quarantine=0.5, fields=(Field("price", required=True, lowest=0),))


def rows(count: int, price: float = 1) -> list[Record]:
    return [row(f"r{number}", price=price) for number in range(count)]


def alone(source: Source[Any], clock: VirtualClock) -> DataSourceOrchestrator:
    return DataSourceOrchestrator(SourceCoordinator([source], clock=clock), retry=RetryConfig(max_retries=3))


async def test_a_breach_is_a_failure_of_content_that_is_not_retried_and_counts_for_health_and_breaker(
    clock: VirtualClock,
):
    source = scripted("a", rows(10), rows(7), contract=Contract())
    orchestrator = alone(source, clock)
    assert (await orchestrator.fetch()).metadata.success_count == 1
    for _ in range(5):
        outcome = (await orchestrator.fetch()).outcomes["a"]
        assert isinstance(outcome, Failure)
        assert (outcome.kind, outcome.attempts) == ("content", 1)
        assert "`dso contract a --accept`" in outcome.message
    report = orchestrator.get_health_reports()[0]
    assert (report.status, report.consecutive_failures) == (HealthStatus.DOWN, 5)
    assert not orchestrator.coordinator.admits("a")
    assert orchestrator.coordinator.baseline("a") == Baseline((Tally(10),))
    assert len(script_of(source).calls) == 6


async def test_rows_that_are_set_aside_are_told_and_neither_merged_nor_counted(tmp_path: Path):
    payload = [row("good", price=1), row("bad", price=-1), row("none")]
    source = scripted("a", [*payload, row("fine", price=2)], contract=PRICED)
    async with house(tmp_path, source) as orchestrator:
        report = await orchestrator.sync()
        outcome = report.result.outcomes["a"]
        assert isinstance(outcome, Success)
        assert outcome.set_aside == {1, 2}
        assert "set_aside=frozenset({1, 2})" in repr(outcome)
        assert [warning.split(":")[0] for warning in outcome.warnings] == ["set aside", "set aside"]
        assert report.records == {"a": 2}
        assert set(await values(orchestrator)) == {"good", "fine"}


async def test_rows_that_are_set_aside_are_no_meta_rows_either(clock: VirtualClock):
    source = scripted("a", [row("good", price=1), row("bad", price=-1)], contract=PRICED, provides=("tier",))
    assert [one.entity for one in await alone(source, clock).fetch_meta_only()] == ["good"]


async def test_what_a_cache_serves_is_judged_by_the_contract_of_today_and_adds_nothing_to_the_baseline(tmp_path: Path):
    source = scripted("a", [row("good", price=1), row("bad", price=-1)], contract=PRICED, cache=CachePolicy(ttl=60))
    async with house(tmp_path, source) as orchestrator:
        await orchestrator.fetch()
        outcome = (await orchestrator.fetch()).outcomes["a"]
        assert isinstance(outcome, Success)
        assert outcome.age is not None
        assert outcome.set_aside == {1}
        assert orchestrator.coordinator.baseline("a") == Baseline((Tally(1),))


async def test_a_record_that_cannot_be_kept_and_is_set_aside_fails_nobody(clock: VirtualClock):
    contract = Contract(mode="quarantine", largest_quarantine=0.5, fields=(Field("n", kind=int),))
    source = scripted("a", [row("x", n=1), row("y", n=float("nan"))], contract=contract)
    outcome = (await alone(source, clock).fetch()).outcomes["a"]
    assert isinstance(outcome, Success)
    assert outcome.set_aside == {1}


async def test_the_baseline_outlasts_the_process_and_counts_those_of_others(tmp_path: Path):
    def source(*payloads: list[Record]) -> Source[Any]:
        return scripted("a", *payloads, contract=Contract())

    async with house(tmp_path, source(rows(10), rows(11))) as one:
        await one.sync()
        async with house(tmp_path, source(rows(12))) as other:
            await other.fetch()
            assert [tally.rows for tally in other.coordinator.baseline("a").tallies] == [10, 12]
        await one.sync()
        assert [tally.rows for tally in one.coordinator.baseline("a").tallies] == [10, 12, 11]
    async with house(tmp_path, source(rows(8))) as third:
        outcome = (await third.fetch()).outcomes["a"]
        assert isinstance(outcome, Failure)
        assert "its last 3 good payloads had 11 (median)" in outcome.message


async def test_only_the_last_seven_good_payloads_are_kept(tmp_path: Path):
    payloads = [rows(count) for count in range(10, 20)]
    async with house(tmp_path, scripted("a", *payloads, contract=Contract())) as orchestrator:
        for _ in payloads:
            await orchestrator.sync()
    async with house(tmp_path, scripted("a", [], contract=Contract())) as again:
        assert [tally.rows for tally in again.coordinator.baseline("a").tallies] == [13, 14, 15, 16, 17, 18, 19]


@pytest.mark.parametrize("act", ["reset", "forget_baseline"])
async def test_an_operator_who_accepts_or_resets_lets_a_shrunken_source_in_for_all_processes(tmp_path: Path, act: str):
    async with house(tmp_path, scripted("a", rows(10), rows(2), contract=Contract())) as orchestrator:
        await orchestrator.sync()
        assert (await orchestrator.sync()).result.metadata.success_count == 0
        async with house(tmp_path, scripted("a", rows(2), contract=Contract())) as other:
            await getattr(other, act)("a")
            assert other.coordinator.baseline("a") == Baseline()
        await orchestrator.check_source_health()  # whatever is kept next, it follows what the other has kept
        assert orchestrator.coordinator.baseline("a") == Baseline()
        assert (await orchestrator.sync()).records == {"a": 2}
    async with house(tmp_path, scripted("a", rows(2), contract=Contract())) as third:
        assert third.coordinator.baseline("a") == Baseline((Tally(2),))
        assert await third.forget_baseline("nobody") is False


@pytest.mark.parametrize("act", ["reset", "forget_baseline"])
async def test_without_a_store_a_baseline_is_forgotten_too(clock: VirtualClock, act: str):
    orchestrator = alone(scripted("a", rows(10), rows(2), contract=Contract()), clock)
    await orchestrator.fetch()
    await getattr(orchestrator, act)("a")
    assert (await orchestrator.fetch()).metadata.success_count == 1


async def test_a_health_check_by_the_fetcher_itself_is_compared_with_the_last_good_payloads(clock: VirtualClock):
    orchestrator = alone(scripted("a", rows(10), rows(2), contract=Contract()), clock)
    await orchestrator.fetch()
    (report,) = await orchestrator.check_source_health()
    assert report.last_check is not None
    assert not report.last_check.ok
    assert "at least 8 are expected" in report.last_check.message
    assert orchestrator.coordinator.baseline("a") == Baseline((Tally(10),))


async def test_a_source_without_a_contract_has_no_baseline(tmp_path: Path):
    async with house(tmp_path, scripted("a", rows(10), [])) as orchestrator:
        assert (await orchestrator.fetch()).metadata.success_count == 1
        assert (await orchestrator.fetch()).metadata.success_count == 1
        assert orchestrator.coordinator.baseline("a") == Baseline()


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {"schema": "dso.baseline/1"},
        {"schema": "dso.baseline/2", "tallies": []},
        {"schema": "dso.baseline/1", "tallies": [[5]]},
        {"schema": "dso.baseline/1", "tallies": [[-1, {}, {}]]},
        {"schema": "dso.baseline/1", "tallies": [[5, ["mw2"], {}]]},
        {"schema": "dso.baseline/1", "tallies": [[5, {"game": [5]}, {}]]},
        {"schema": "dso.baseline/1", "tallies": [[5, {}, {"price": -1}]]},
        {"schema": "dso.baseline/1", "tallies": [[5, {}, ["price"]]]},
    ],
)
def test_a_stored_baseline_that_is_not_ours_is_none(document: Any):
    assert from_json(document) == Baseline()


def test_a_stored_baseline_comes_back_as_it_was():
    baseline = Baseline((Tally(5, {"game": frozenset({"mw3", "mw2"})}, {"price": 4}), Tally(0)))
    assert from_json(to_json(baseline)) == baseline


class Shelf:
    """Keeps breaches in memory, or not at all."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken
        self.breaches: list[Breach] = []

    async def keep(self, breach: Breach) -> None:
        if self.broken:
            raise StoreError("the disk is full")
        self.breaches.append(breach)


def answer(body: bytes = b"[]") -> Served:
    return Served(url="https://a.example/rows", status=200, headers={}, body=body, length=len(body))


async def serving(ctx: FetchContext) -> list[Any]:
    """Note an answer, as `ctx.http` does, and return no rows."""
    cast("Notes", ctx.warn).note_served(answer())
    return []


async def test_the_answers_of_a_breach_travel_with_the_failure_and_are_kept_once(tmp_path: Path):
    shelf = Shelf()
    source: Source[Any] = Source(key="a", fetcher=serving, contract=Contract(minimum_rows=1))
    async with house(tmp_path, source, inspection=shelf) as orchestrator:
        outcome = (await orchestrator.fetch()).outcomes["a"]
        assert isinstance(outcome, Failure)
        assert outcome.served == (answer(),)
        assert "[]" not in repr(outcome), "what was served is not shown"
        (breach,) = shelf.breaches
        assert (breach.source, breach.message, breach.served) == ("a", outcome.message, outcome.served)
        await orchestrator.check_source_health()
        assert len(shelf.breaches) == 1


def test_what_is_remembered_of_a_breach_until_it_is_stored_holds_no_answers():
    failure = Failure(
        source="a", kind=FailureKind.CONTENT, error=FetchError("content"), attempts=1, duration=0, served=(answer(),)
    )
    forgotten = without_data(failure)
    assert isinstance(forgotten, Failure)
    assert forgotten.served == ()


async def test_the_answers_of_a_failure_of_another_kind_are_not_kept(tmp_path: Path):
    async def refused(ctx: FetchContext) -> list[Any]:
        await serving(ctx)
        raise FetchError("server", "down")

    shelf = Shelf()
    async with house(tmp_path, Source(key="a", fetcher=refused), inspection=shelf) as orchestrator:
        outcome = (await orchestrator.fetch()).outcomes["a"]
        assert isinstance(outcome, Failure)
        assert outcome.served == ()
        assert shelf.breaches == []


async def test_where_nothing_can_be_kept_for_inspection_the_run_is_as_good_as_ever(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    source: Source[Any] = Source(key="a", fetcher=serving, contract=Contract(minimum_rows=1))
    async with house(tmp_path, source, inspection=Shelf(broken=True)) as orchestrator:
        await orchestrator.fetch()
        assert orchestrator.get_health_reports()[0].consecutive_failures == 1
    assert "a: what it served is not kept for inspection: the disk is full" in caplog.text


async def test_of_large_answers_only_the_beginning_is_kept(tmp_path: Path):
    async def greedy(ctx: FetchContext) -> list[Any]:
        for _ in range(10):
            cast("Notes", ctx.warn).note_served(answer(b"x" * (MOST_BYTES + 5)))
        return []

    source: Source[Any] = Source(key="a", fetcher=greedy, contract=Contract(minimum_rows=1))
    async with house(tmp_path, source) as orchestrator:
        outcome = (await orchestrator.fetch()).outcomes["a"]
    assert isinstance(outcome, Failure)
    assert {len(served.body) for served in outcome.served} == {MOST_BYTES}
    assert sum(len(served.body) for served in outcome.served) == MOST_IN_ALL
    assert {served.length for served in outcome.served} == {MOST_BYTES + 5}


async def test_of_each_source_the_last_five_breaches_lie_in_a_folder(tmp_path: Path, clock: VirtualClock):
    folder = InspectionFolder(tmp_path)
    for number in range(7):
        at = clock.now()
        await folder.keep(Breach(source="a", at=at, message=f"no. {number}", served=(answer(b"body"),)))
        await clock.sleep(1)
    await folder.keep(Breach(source="b", at=clock.now(), message="other", served=()))
    kept = folder.kept("a")
    assert [(path / "about.json").read_text().count(f"no. {6 - n}") for n, path in enumerate(kept)] == [1] * 5
    assert len(folder.kept("b")) == 1
    assert folder.kept("nobody") == []
