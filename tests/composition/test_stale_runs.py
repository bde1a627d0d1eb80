"""Older data in a run (A20, A21): it is reachable and labelled, counts as no success, and is not made younger."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from data_source_orchestrator import (
    DataSourceOrchestrator,
    Failure,
    FailureKind,
    FetchError,
    InsufficientSourcesError,
    OrchestratorConfig,
    Record,
    SourceCoordinator,
    SourceFailedError,
    Success,
)
from data_source_orchestrator.core.age import Age
from data_source_orchestrator.core.outcome import Outcome, Skipped
from data_source_orchestrator.core.result import FetchResult, metadata_of
from data_source_orchestrator.core.verdicts import SkipReason
from data_source_orchestrator.fanout.plan import Query
from data_source_orchestrator.orchestration.happened import without_data
from data_source_orchestrator.orchestration.sync import contributions_of
from data_source_orchestrator.testing import VirtualClock, scripted

NOON = datetime(2026, 5, 7, 12, tzinfo=UTC)
AGE = Age(checked_at=NOON - timedelta(hours=3), seconds=10800, reason="its circuit breaker is open")

GOOD: Success[Any] = Success(source="good", data=1, attempts=1, duration=0.5, latency=0.5)
HIT = replace(GOOD, source="hit", attempts=0, age=AGE)
PLAIN = Failure(source="plain", kind=FailureKind.SERVER, error=FetchError("server"), attempts=3, duration=2.0)
STALE = replace(PLAIN, source="stale", stale_data=[0], age=AGE)
FALSY = replace(STALE, source="falsy", stale_data=0)
OPEN = Skipped(source="open", reason=SkipReason.CIRCUIT_OPEN, stale_data=[0], age=AGE)
OFF = Skipped(source="off", reason=SkipReason.DISABLED)


def metadata(*outcomes: Outcome[Any], required: int = 1, accept_stale: bool = False) -> Any:
    return metadata_of(
        outcomes, run_id="r", fetched_at=NOON, total_duration=2.0, required=required, accept_stale=accept_stale
    )


@pytest.mark.parametrize(
    ("outcomes", "required", "without", "accepting"),
    [
        ([STALE], 1, False, True),
        ([FALSY], 1, False, True),
        ([OPEN], 1, False, True),
        ([OPEN], 0, False, True),
        ([PLAIN], 1, False, False),
        ([OFF], 1, False, False),
        ([OFF], 0, False, False),
        ([], 0, False, False),
        ([GOOD, STALE], 2, False, True),
        ([GOOD, STALE, OPEN], 3, False, True),
        ([GOOD, STALE, PLAIN], 3, False, False),
        ([GOOD, PLAIN], 1, True, True),
        ([HIT], 1, True, True),
        ([PLAIN], 0, True, True),
    ],
)
def test_A20_older_data_suffices_only_where_the_run_accepts_it(
    outcomes: list[Outcome[Any]], required: int, without: bool, accepting: bool
):
    assert metadata(*outcomes, required=required).sufficient is without
    assert metadata(*outcomes, required=required, accept_stale=True).sufficient is accepting


@pytest.mark.parametrize("accept_stale", [False, True])
def test_A20_older_data_changes_no_count(accept_stale: bool):
    told = metadata(GOOD, HIT, STALE, PLAIN, OPEN, OFF, accept_stale=accept_stale)
    assert (told.success_count, told.failure_count, told.skipped_count) == (2, 2, 2)
    assert told.sources == ("good", "hit")
    assert told.stale == ("stale", "open")


def test_A20_older_data_is_reachable_and_never_in_the_place_of_data():
    outcomes = {outcome.source: outcome for outcome in (GOOD, STALE, OPEN)}
    result = FetchResult(outcomes, metadata(*outcomes.values(), accept_stale=True))
    assert dict(result) == {"good": 1}
    assert result.stale is None
    with pytest.raises(SourceFailedError, match="data 3 h old is served beside it") as caught:
        result["stale"]
    assert caught.value.outcome.stale_data == [0]
    assert str(caught.value.outcome.age) == "3 h old, because its circuit breaker is open"


@pytest.mark.parametrize("accept_stale", [False, True])
async def test_A20_a_run_passes_on_whether_it_accepts_older_data(clock: VirtualClock, accept_stale: bool):
    config = OrchestratorConfig(accept_stale=accept_stale)
    orchestrator = DataSourceOrchestrator(SourceCoordinator([scripted("a", 1)], clock=clock), config)
    run = orchestrator._begin("fetch", Query())
    run.add([replace(STALE, source="a")])
    run.finish()
    result = run.result([])
    assert result.metadata.sufficient is accept_stale
    if not accept_stale:
        with pytest.raises(InsufficientSourcesError):
            result.raise_if_insufficient()


async def test_A21_a_contribution_out_of_the_cache_is_as_old_as_the_answer_that_it_repeats(clock: VirtualClock):
    rows = [Record("pear", {"weight": 120})]
    sources = [scripted("a", rows), scripted("b", rows)]
    orchestrator = DataSourceOrchestrator(SourceCoordinator(sources, clock=clock))
    run = orchestrator._begin("sync", Query())
    run.add([replace(GOOD, source="a", data=rows)])
    run.add([replace(HIT, source="b", data=rows)])
    new, repeated = contributions_of(run, NOON)
    assert (new.source, new.checked_at) == ("a", NOON)
    assert (repeated.source, repeated.checked_at) == ("b", NOON - timedelta(hours=3))


@pytest.mark.parametrize("outcome", [GOOD, HIT, STALE, OPEN, PLAIN, OFF])
def test_what_is_remembered_of_an_outcome_holds_no_payload_old_or_new(outcome: Outcome[Any]):
    slim = without_data(outcome)
    assert str(slim) == str(outcome)
    assert slim.data is None if isinstance(slim, Success) else slim.stale_data is None
