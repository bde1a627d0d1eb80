"""What a source's past says about it, each threshold at its boundary."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from data_source_orchestrator.core.policies import HealthPolicy
from data_source_orchestrator.core.verdicts import FailureKind, Verdict
from data_source_orchestrator.health.state import Check, Cut, Execution, LastFailure, SourceHealth
from data_source_orchestrator.health.status import HealthStatus, assess, average_latency, offline_at, status_of, uptime

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNKNOWN, HEALTHY, DEGRADED, DOWN = HealthStatus


def past(marks: str, kind: FailureKind = FailureKind.SERVER, latency: float = 1.0) -> SourceHealth:
    """Build a past from its oldest mark on: `.` succeeded, `x` failed."""
    recent = tuple(
        Execution(
            at=NOON,
            verdict=Verdict.SUCCESS if mark == "." else Verdict.FAILURE,
            kind=None if mark == "." else kind,
            duration=latency,
            latency=latency if mark == "." else None,
            attempts=1,
        )
        for mark in marks
    )
    failures = marks.count("x")
    return SourceHealth(
        recent=recent[-100:],
        latencies=(latency,) * min(100, marks.count(".")),
        consecutive_failures=len(marks) - len(marks.rstrip("x")),
        successes=marks.count("."),
        failures=failures,
        last_failure=LastFailure(at=NOON, kind=kind, message="no answer") if failures else None,
    )


def judged(state: SourceHealth, timeout: float = 30.0, **policy: float) -> HealthStatus:
    return status_of(state, timeout=timeout, policy=HealthPolicy(**policy))  # type: ignore[arg-type]  # floats and ints


def answering(*latencies: float) -> SourceHealth:
    return replace(past("." * len(latencies)), latencies=latencies)


@pytest.mark.parametrize(
    ("marks", "status"),
    [
        ("", UNKNOWN),
        (".", HEALTHY),
        ("x", DEGRADED),
        ("xx", DEGRADED),
        ("xxx", DOWN),
        ("xxxxxxxx", DOWN),
        (".x", DEGRADED),
        ("x.", HEALTHY),
        ("x.x.", DEGRADED),
        ("xx.", DEGRADED),
        ("xxx.", DEGRADED),
        ("x" + "." * 8 + "x.", HEALTHY),
        ("xx" + "." * 8, DEGRADED),
        ("xx" + "." * 9, HEALTHY),
        ("x" * 90 + "." * 10, HEALTHY),
    ],
)
def test_b09_a05_the_last_executions_decide_the_status(marks: str, status: HealthStatus):
    assert judged(past(marks)) is status


@pytest.mark.parametrize("kind", list(FailureKind))
def test_d19_three_failures_of_any_one_kind_are_down_and_two_are_not(kind: FailureKind):
    assert judged(past("..xx", kind)) is DEGRADED
    assert judged(past("..xxx", kind)) is DOWN


def test_a05_every_threshold_of_failures_can_be_set():
    assert judged(past("....x"), degraded_after=2) is HEALTHY
    assert judged(past("...x.x.x.xx"), degraded_after=2, recent_failures=9) is DEGRADED
    assert judged(past("xxx"), down_after=4) is DEGRADED
    assert judged(past("xxxx"), down_after=4) is DOWN
    assert judged(past("xx."), recent_failures=3) is HEALTHY
    assert judged(past("xxx."), recent_failures=3) is DEGRADED
    assert judged(past("xx..."), recent_window=4) is HEALTHY
    assert judged(past("xx..."), recent_window=5) is DEGRADED


@pytest.mark.parametrize(("last", "status"), [(2.0, HEALTHY), (2.001, DEGRADED)])
def test_a06_d20_a_source_is_degraded_above_twice_its_usual_latency(last: float, status: HealthStatus):
    assert judged(answering(*[1.0] * 90, *[last] * 10)) is status


def test_a06_the_present_latency_is_the_mean_of_the_last_ten_successes_alone():
    assert judged(answering(*[1.0] * 90, 11.0, *[1.0] * 9)) is HEALTHY
    assert judged(answering(*[1.0] * 90, 11.1, *[1.0] * 9)) is DEGRADED
    assert judged(answering(*[1.0] * 89, 99.0, *[1.0] * 10), timeout=1000) is HEALTHY


def test_a06_the_usual_latency_is_the_median_of_the_last_hundred():
    half = (*[1.0] * 50, *[3.0] * 50)
    assert judged(answering(*half)) is HEALTHY
    assert judged(answering(*half[:-10], *[4.1] * 10)) is DEGRADED
    assert "the usual 2 s" in assess(answering(*half[:-10], *[4.1] * 10), timeout=30, policy=HealthPolicy()).why
    assert "the usual 1 s" in assess(answering(*[1.0] * 51, *[3.0] * 48), timeout=30, policy=HealthPolicy()).why


def test_a06_fewer_than_ten_successes_make_no_baseline():
    jump = (*[1.0] * 5, *[20.0] * 4)
    assert judged(answering(*jump)) is HEALTHY
    assert judged(answering(1.0, *jump)) is DEGRADED


@pytest.mark.parametrize(("latency", "status"), [(8.0, HEALTHY), (8.001, DEGRADED)])
def test_a06_a_source_is_degraded_above_four_fifths_of_its_timeout(latency: float, status: HealthStatus):
    assert judged(answering(latency), timeout=10.0) is status
    assert judged(answering(*[latency] * 50), timeout=10.0) is status


def test_a06_both_thresholds_of_latency_can_be_set():
    assert judged(answering(*[1.0] * 90, *[2.5] * 10), slow_factor=3.0) is HEALTHY
    assert judged(answering(6.0), timeout=10.0, slow_share=0.5) is DEGRADED


def test_a_failure_that_is_no_reason_to_worry_yet_is_told_all_the_same():
    patient = HealthPolicy(degraded_after=2)
    assert assess(past("x"), timeout=10.0, policy=patient).why == "its last execution failed"


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (past(""), "it has not run yet"),
        (past("." * 30), "none of its last 10 executions failed"),
        (past("."), "its last execution succeeded"),
        (past("x...."), "1 of its last 5 executions failed"),
        (past("x.x."), "2 of its last 4 executions failed"),
        (past("....x"), "its last execution failed (server: no answer)"),
        (past("..xxx", FailureKind.TIMEOUT), "its last 3 executions failed (timeout: no answer)"),
        (answering(9.0), "its answers take 9 s, more than 80% of its timeout of 10 s"),
        (answering(*[1.0] * 50, *[5.0] * 10), "its answers take 5 s, more than 2 times the usual 1 s"),
    ],
)
def test_each_status_says_why(state: SourceHealth, why: str):
    assert assess(state, timeout=10.0, policy=HealthPolicy()).why == why


@pytest.mark.parametrize(
    ("marks", "count", "status", "why"),
    [
        ("", 1, UNKNOWN, "its last run was cut"),
        ("", 3, UNKNOWN, "its last 3 runs were cut"),
        ("..", 2, HEALTHY, "none of its last 2 executions failed; since then its last 2 runs were cut"),
        (".x", 1, DEGRADED, "its last execution failed (server: no answer); since then its last run was cut"),
    ],
)
def test_a10_runs_that_cut_a_source_short_are_told_with_what_to_do_and_judge_nothing(
    marks: str, count: int, status: HealthStatus, why: str
):
    cuts = (Cut(at=NOON, after=59.99996, timeout=30.0), Cut(at=NOON, after=0.70001, timeout=30.0))
    state = replace(past(marks), cuts=(cuts * count)[-count:])
    told = assess(state, timeout=30.0, policy=HealthPolicy())
    limit = "by the run's limit after 0.7 s, before its own timeout of 30 s was up"
    assert told.why == f"{why} {limit}; raise run.timeout, or lower the source's timeout"
    assert told.status is status is judged(past(marks))


@pytest.mark.parametrize(
    ("marks", "count", "status", "why"),
    [
        ("", 1, UNKNOWN, "our own network was down in its last run"),
        ("", 3, UNKNOWN, "our own network was down in its last 3 runs"),
        ("..", 1, HEALTHY, "none of its last 2 executions failed; since then our own network was down in its last run"),
    ],
)
def test_runs_in_which_our_own_network_was_down_are_told_and_judge_nothing(
    marks: str, count: int, status: HealthStatus, why: str
):
    state = replace(past(marks), offline=(NOON,) * count)
    told = assess(state, timeout=30.0, policy=HealthPolicy())
    assert (told.why, told.status, judged(past(marks))) == (why, status, status)


def at(minute: int) -> datetime:
    return NOON + timedelta(minutes=minute)


OK, FAILED, UNTOLD = (Check(at=at(5), ok=True), Check(at=at(5), ok=False), Check(at=at(5), ok=False, offline=True))


@pytest.mark.parametrize(
    ("state", "minute"),
    [
        (SourceHealth(), None),
        (past("."), None),
        (SourceHealth(offline=(at(1), at(2))), 2),
        (SourceHealth(offline=(at(1),), last_check=OK), None),
        (SourceHealth(offline=(at(1),), last_check=FAILED), None),
        (SourceHealth(offline=(at(9),), last_check=OK), 9),
        (SourceHealth(last_check=UNTOLD), 5),
        (SourceHealth(offline=(at(1),), last_check=UNTOLD), 5),
        (replace(past("."), last_check=UNTOLD), 5),
        (replace(past("."), last_check=Check(at=at(-5), ok=False, offline=True)), None),
    ],
)
def test_our_own_network_was_last_found_down_unless_a_run_or_a_check_has_told_something_since(
    state: SourceHealth, minute: int | None
):
    assert offline_at(state) == (None if minute is None else at(minute))


@pytest.mark.parametrize(
    ("marks", "percent"),
    [("", None), (".", 100.0), ("x", 0.0), ("x...", 75.0), ("x" * 100 + "." * 50, 50.0), ("x" + "." * 100, 100.0)],
)
def test_b10_uptime_is_the_share_of_the_last_hundred_executions_in_percent(marks: str, percent: float | None):
    assert uptime(past(marks)) == percent


@pytest.mark.parametrize(
    ("latencies", "mean"), [((), None), ((3.0,), 3.0), ((1.0, 2.0), 1.5), ((99.0, *[2.0] * 10), 2.0)]
)
def test_b10_average_latency_is_the_mean_of_the_last_ten_successes(latencies: tuple[float, ...], mean: float | None):
    assert average_latency(answering(*latencies)) == mean
