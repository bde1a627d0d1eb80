"""Laws of the health folds, held against a model that keeps everything and counts by hand."""

import json
import statistics
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.outcome import CutShort, Executed, Failure, Outcome, Skipped, Success
from data_source_orchestrator.core.policies import HealthPolicy
from data_source_orchestrator.core.result import metadata_of
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.core.verdicts import FailureKind, SkipReason, Verdict
from data_source_orchestrator.health.document import from_json, to_json
from data_source_orchestrator.health.live import LiveHealth
from data_source_orchestrator.health.metrics import (
    RunTotals,
    metrics,
    run_finished,
    source_metrics,
    totals_from_json,
    totals_to_json,
)
from data_source_orchestrator.health.record import checked, record
from data_source_orchestrator.health.reports import overall, report
from data_source_orchestrator.health.state import KEPT, SourceHealth, history
from data_source_orchestrator.health.status import HealthStatus, average_latency, status_of, uptime
from data_source_orchestrator.resilience.common_cause import excuse

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = HealthPolicy()
TIMEOUT = 10.0

seconds = st.sampled_from([0.0, 0.25, 1.0, 2.0, 4.0, 9.0])


def success(latency: float | None, wait: float) -> Executed[object]:
    outcome = Success(source="a", data=1, attempts=1, duration=(latency or 0.0) + wait, latency=latency)
    return Executed(outcome=outcome, verdict=Verdict.SUCCESS)


def failure(kind: FailureKind, duration: float) -> Executed[object]:
    outcome = Failure(source="a", kind=kind, error=FetchError(kind), attempts=2, duration=duration)
    return Executed(outcome=outcome, verdict=Verdict.FAILURE)


def refusal(reason: SkipReason) -> Executed[object]:
    return Executed(outcome=Skipped(source="a", reason=reason), verdict=Verdict.RELEASED)


def cut_short(after: float) -> Executed[object]:
    outcome = Failure(source="a", kind=FailureKind.TIMEOUT, error=FetchError("timeout"), attempts=1, duration=after)
    return Executed(outcome=outcome, verdict=Verdict.RELEASED, cut_short=CutShort(after=after, timeout=TIMEOUT))


successes = st.builds(success, st.none() | seconds, seconds)
failures = st.builds(failure, st.sampled_from(FailureKind), seconds)
silent = st.builds(refusal, st.sampled_from([SkipReason.CIRCUIT_OPEN, SkipReason.CANCELLED]))
offline = st.builds(lambda duration: excuse(failure(FailureKind.CONNECTION, duration)), seconds)
cut = st.builds(cut_short, seconds)
pasts = st.lists(st.one_of(successes, failures, silent), max_size=40) | st.lists(
    st.one_of(successes, failures), min_size=90, max_size=130
)


def fold(executions: list[Executed[object]]) -> SourceHealth:
    state = SourceHealth()
    for number, executed in enumerate(executions):
        state = record(state, executed, NOON + timedelta(seconds=number))
    return state


@given(st.lists(st.tuples(st.one_of(successes, failures, silent, offline, cut), st.integers(0, 20)), max_size=150))
def test_health_kept_in_place_is_the_fold(past: list[tuple[Executed[object], int]]):
    live, state = LiveHealth(), SourceHealth()
    for number, (executed, late) in enumerate(past):
        at = NOON + timedelta(seconds=number - late * (number % 3 == 0))
        live.note(executed, at)
        state = record(state, executed, at)
        if number % 7 == 0:
            assert live.state == state
    assert live.state == state


def loud(executions: list[Executed[object]]) -> list[Executed[object]]:
    return [e for e in executions if e.verdict in (Verdict.SUCCESS, Verdict.FAILURE)]


def latencies_of(executions: list[Executed[object]]) -> list[float]:
    told = [e.outcome.latency for e in executions if isinstance(e.outcome, Success)]
    return [latency for latency in told if latency is not None]


def modelled_status(executions: list[Executed[object]]) -> HealthStatus:
    """Judge by rereading the whole past, rule by rule."""
    counted = loud(executions)
    failed = [e.verdict is Verdict.FAILURE for e in counted]
    latencies = latencies_of(counted)[-100:]
    if not counted:
        return HealthStatus.UNKNOWN
    if len(failed) >= 3 and all(failed[-3:]):
        return HealthStatus.DOWN
    if failed[-1] or sum(failed[-10:]) >= 2:
        return HealthStatus.DEGRADED
    mean = statistics.fmean(latencies[-10:] or [0.0])
    slow = mean > 0.8 * TIMEOUT or (len(latencies) >= 10 and mean > 2 * statistics.median(latencies))
    return HealthStatus.DEGRADED if slow else HealthStatus.HEALTHY


@given(pasts)
def test_a05_a06_the_status_is_what_the_whole_past_says_by_the_rules(executions: list[Executed[object]]):
    assert status_of(fold(executions), timeout=TIMEOUT, policy=POLICY) is modelled_status(executions)


@given(pasts)
def test_b10_uptime_and_latency_are_those_of_the_whole_past_reread(executions: list[Executed[object]]):
    state = fold(executions)
    last = [e.verdict is Verdict.SUCCESS for e in loud(executions)][-100:]
    latencies = latencies_of(executions)[-10:]
    assert uptime(state) == (pytest.approx(100 * statistics.fmean(last)) if last else None)
    assert average_latency(state) == (pytest.approx(statistics.fmean(latencies)) if latencies else None)


@given(pasts)
def test_b13_a_sources_metrics_are_those_of_the_whole_past_reread(executions: list[Executed[object]]):
    told = source_metrics(fold(executions))
    counted = loud(executions)
    assert told.executions == told.successes + told.failures == len(counted)
    assert told.successes == sum(e.verdict is Verdict.SUCCESS for e in counted)
    if counted:
        assert told.average_duration == pytest.approx(statistics.fmean(e.outcome.duration for e in counted))
        assert told.success_rate == told.successes / told.executions


@given(pasts)
def test_a17_the_silent_executions_could_as_well_never_have_been(executions: list[Executed[object]]):
    state = SourceHealth()
    for number, executed in enumerate(executions):
        if executed.verdict is not Verdict.RELEASED:
            state = record(state, executed, NOON + timedelta(seconds=number))
    assert fold(executions) == state


@given(pasts, st.data())
def test_a25_in_which_order_the_executions_of_several_processes_are_kept_does_not_matter(
    executions: list[Executed[object]], data: st.DataObject
):
    shuffled = data.draw(st.permutations(list(enumerate(executions))))
    state = SourceHealth()
    for number, executed in shuffled:
        state = record(state, executed, NOON + timedelta(seconds=number))
    told = fold(executions)
    assert (state.recent, state.last_success, state.last_failure) == (told.recent, told.last_success, told.last_failure)
    assert (state.successes, state.failures) == (told.successes, told.failures)
    assert state.consecutive_failures <= told.consecutive_failures
    assert from_json(to_json(state)) == state
    if len(loud(executions)) <= KEPT:
        assert state.latencies == told.latencies


@given(pasts, st.one_of(successes, failures))
def test_a12_a_check_changes_nothing_that_is_told_but_the_check(
    executions: list[Executed[object]], check: Executed[object]
):
    before = fold(executions)
    after = checked(before, check, NOON)
    assert source_metrics(after) == source_metrics(before)
    assert modelled_status(executions) is status_of(after, timeout=TIMEOUT, policy=POLICY)
    assert history(after) == history(before)


@given(pasts, st.integers(0, 150))
def test_d33_d36_history_is_the_end_of_the_past_read_backwards(executions: list[Executed[object]], limit: int):
    kept = history(fold(executions), limit)
    wanted = [e.outcome.duration for e in loud(executions)][::-1][:100][:limit]
    assert [execution.duration for execution in kept] == wanted


@given(pasts, st.none() | successes | failures)
def test_a25_any_state_comes_back_from_json_as_it_was(
    executions: list[Executed[object]], check: Executed[object] | None
):
    state = fold(executions)
    if check is not None:
        state = checked(state, check, NOON)
    assert from_json(json.loads(json.dumps(to_json(state)))) == state


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**400)
values = st.recursive(scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=5), v, max_size=3))
template, lived = to_json(fold([])), to_json(fold([success(1.0, 0.0)]))


@given(st.sampled_from([template, lived]), st.dictionaries(st.sampled_from(sorted(template)), values), values)
def test_no_document_however_damaged_breaks_the_reader_or_what_reads_its_state(
    document: dict[str, object], damage: dict[str, object], other: object
):
    for found in ({**document, **damage}, other):
        state = from_json(found)  # type: ignore[arg-type]  # anything at all is the subject
        told = report(Source(key="a", fetcher=lambda: None), state, POLICY)
        assert told.uptime is None or 0 <= told.uptime <= 100
        assert from_json(to_json(state)) == state
        source_metrics(state)


runs = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 3), seconds, st.integers(0, 100)), max_size=20
)


@given(runs)
def test_b13_a08_the_metrics_of_runs_are_those_of_all_runs_reread(told: list[tuple[int, int, int, float, int]]):
    good = Success(source="a", data=1, attempts=1, duration=1.0, latency=1.0)
    bad = Failure(source="b", kind=FailureKind.BUG, error=FetchError("bug"), attempts=1, duration=1.0)
    totals = RunTotals()
    for succeeded, failed, required, duration, minute in told:
        outcomes: list[Outcome[object]] = [*[good] * succeeded, *[bad] * failed]
        at = NOON + timedelta(minutes=minute)
        metadata = metadata_of(outcomes, run_id="r", fetched_at=at, total_duration=duration, required=required)
        totals = run_finished(totals, metadata)
    seen = metrics(totals, {})
    sufficient = sum(succeeded >= required for succeeded, _, required, _, _ in told)
    assert (seen.total_executions, seen.successful_executions) == (len(told), sufficient)
    assert seen.failed_executions == len(told) - sufficient
    assert seen.success_rate == (sufficient / len(told) if told else None)
    assert seen.last_execution == (NOON + timedelta(minutes=max(t[4] for t in told)) if told else None)
    assert totals_from_json(json.loads(json.dumps(totals_to_json(totals)))) == totals


@given(st.lists(st.tuples(st.sampled_from(HealthStatus), st.booleans()), max_size=8))
def test_b12_a16_the_overall_status_follows_the_rules_and_names_everybody_who_is_not_healthy(
    sources: list[tuple[HealthStatus, bool]],
):
    plain = report(Source(key="a", fetcher=lambda: None), SourceHealth(), POLICY)
    reports = [replace(plain, key=f"s{i}", status=status) for i, (status, _) in enumerate(sources)]
    disabled = {f"s{i}" for i, (_, off) in enumerate(sources) if off}
    told = overall(reports, disabled)
    enabled = [status for status, off in sources if not off]
    down, degraded = enabled.count(HealthStatus.DOWN), enabled.count(HealthStatus.DEGRADED)
    if all(status is HealthStatus.UNKNOWN for status in enabled):
        wanted = HealthStatus.UNKNOWN
    elif down == len(enabled):
        wanted = HealthStatus.DOWN
    elif down or degraded > len(enabled) / 2:
        wanted = HealthStatus.DEGRADED
    else:
        wanted = HealthStatus.HEALTHY
    assert told.status is wanted
    counts = (told.healthy_sources, told.degraded_sources, told.down_sources, told.unknown_sources)
    assert sum(counts) + told.disabled_sources == told.total_sources == len(sources)
    for each in reports:
        assert (each.key in told.message) == (each.status is not HealthStatus.HEALTHY or each.key in disabled)
