"""Runs and executions in numbers."""

from datetime import UTC, datetime, timedelta

import pytest

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.outcome import Failure, Outcome, Success
from data_source_orchestrator.core.result import Metadata, metadata_of
from data_source_orchestrator.core.verdicts import FailureKind, Verdict
from data_source_orchestrator.health.metrics import (
    Metrics,
    RunTotals,
    SourceMetrics,
    metrics,
    run_finished,
    source_metrics,
    totals_from_json,
    totals_to_json,
)
from data_source_orchestrator.health.state import Execution, LastFailure, SourceHealth

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOOD = Success(source="a", data=1, attempts=1, duration=1.0, latency=1.0)
BAD = Failure(source="b", kind=FailureKind.SERVER, error=FetchError("server"), attempts=1, duration=1.0)


def run(*outcomes: Outcome[object], required: int = 1, duration: float = 2.0, at: datetime = NOON) -> Metadata:
    return metadata_of(outcomes, run_id="r", fetched_at=at, total_duration=duration, required=required)


def after(*runs: Metadata) -> Metrics:
    totals = RunTotals()
    for each in runs:
        totals = run_finished(totals, each)
    return metrics(totals, {})


def test_b13_runs_are_counted_with_their_mean_duration_and_rate():
    told = after(run(GOOD, duration=1.0), run(GOOD, BAD, duration=2.0), run(BAD, duration=6.0))
    assert (told.total_executions, told.successful_executions, told.failed_executions) == (3, 2, 1)
    assert told.average_duration == 3.0
    assert told.success_rate == pytest.approx(2 / 3)


def test_b13_at_no_runs_there_is_neither_a_rate_nor_a_mean():
    assert after() == Metrics(
        total_executions=0,
        successful_executions=0,
        failed_executions=0,
        average_duration=None,
        last_execution=None,
        success_rate=None,
        source_metrics={},
    )


def test_a08_a_run_with_too_few_successes_counts_as_failed():
    assert after(run(GOOD, required=1)).failed_executions == 0
    assert after(run(GOOD, required=2)).failed_executions == 1


def test_d34_a_run_that_asked_nobody_counts_as_failed():
    told = after(run())
    assert (told.total_executions, told.failed_executions, told.success_rate) == (1, 1, 0.0)


def test_d35_every_run_counts_whatever_it_asked_for():
    assert after(run(GOOD), run(GOOD)).total_executions == 2


def test_the_last_execution_is_the_run_that_began_latest():
    later = NOON + timedelta(minutes=5)
    assert after(run(GOOD, at=later), run(GOOD, at=NOON)).last_execution == later


def test_b13_each_source_is_counted_by_its_own_executions():
    failed = Execution(at=NOON, verdict=Verdict.FAILURE, kind=FailureKind.BUG, duration=3.0, latency=None, attempts=1)
    state = SourceHealth(
        recent=(failed,) * 4,
        successes=1,
        failures=3,
        total_duration=10.0,
        last_success=NOON,
        last_failure=LastFailure(at=NOON + timedelta(hours=1), kind=FailureKind.BUG, message="x"),
    )
    told = metrics(RunTotals(), {"a": state, "b": SourceHealth()}).source_metrics
    assert told["a"] == SourceMetrics(
        executions=4,
        successes=1,
        failures=3,
        average_duration=2.5,
        last_success=NOON,
        last_failure=NOON + timedelta(hours=1),
        success_rate=0.25,
    )
    assert told["b"] == source_metrics(SourceHealth())
    assert (told["b"].average_duration, told["b"].success_rate) == (None, None)


def test_d30_the_sources_metrics_cannot_be_changed_by_whoever_reads_them():
    told = metrics(RunTotals(), {"a": SourceHealth()})
    with pytest.raises(TypeError):
        told.source_metrics["ghost"] = told.source_metrics["a"]  # type: ignore[index]  # that it cannot is the subject


def test_a25_the_totals_survive_as_a_document():
    totals = RunTotals(executions=3, successes=2, total_duration=4.5, last_execution=NOON)
    assert totals_from_json(totals_to_json(totals)) == totals
    assert totals_from_json(totals_to_json(RunTotals())) == RunTotals()


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "dso.metrics/0"},
        {"executions": -1},
        {"executions": True},
        {"executions": 1.5},
        {"successes": 4},
        {"total_duration_s": float("nan")},
        {"total_duration_s": 10**400},
        {"last_execution": "yesterday"},
        {"last_execution": "2026-03-01T12:00:00"},
        {"last_execution": 5},
    ],
)
def test_a25_totals_that_are_not_exactly_ours_are_read_as_none(change: dict[str, object]):
    document = totals_to_json(RunTotals(executions=3, successes=2, total_duration=4.5, last_execution=NOON))
    assert totals_from_json({**document, **change}) == RunTotals()  # type: ignore[dict-item]  # wrong types on purpose


@pytest.mark.parametrize("document", [None, 5, "x", [], {}, {"schema": "dso.metrics/1"}])
def test_a25_totals_of_no_document_are_none(document: Json):
    assert totals_from_json(document) == RunTotals()
