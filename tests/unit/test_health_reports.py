"""What is told of one source, and of all of them together."""

from dataclasses import fields
from datetime import UTC, datetime

import pytest

from data_source_orchestrator.core.policies import HealthPolicy
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.core.verdicts import FailureKind, Verdict
from data_source_orchestrator.health.reports import HealthReport, OverallHealth, overall, report
from data_source_orchestrator.health.state import Check, Cut, Execution, LastFailure, SourceHealth
from data_source_orchestrator.health.status import HealthStatus

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNKNOWN, HEALTHY, DEGRADED, DOWN = HealthStatus
LETTERS = {"u": UNKNOWN, "h": HEALTHY, "g": DEGRADED, "d": DOWN}


def told(key: str, status: HealthStatus) -> HealthReport:
    return HealthReport(
        key=key,
        source_name=key.title(),
        status=status,
        uptime=None,
        average_latency=None,
        consecutive_failures=0,
        last_successful_fetch=None,
        last_failure=None,
        message="",
        last_check=None,
    )


def together(letters: str, disabled: frozenset[str] = frozenset()) -> OverallHealth:
    return overall([told(f"s{n}", LETTERS[letter]) for n, letter in enumerate(letters)], disabled)


@pytest.mark.parametrize(
    ("letters", "status"),
    [
        ("hhh", HEALTHY),
        ("ddd", DOWN),
        ("d", DOWN),
        ("hhd", DEGRADED),
        ("ddh", DEGRADED),
        ("ddg", DEGRADED),
        ("hhg", HEALTHY),
        ("hg", HEALTHY),
        ("hgg", DEGRADED),
        ("ggg", DEGRADED),
        ("hhgg", HEALTHY),
        ("hggg", DEGRADED),
        ("huu", HEALTHY),
        ("guu", HEALTHY),
        ("ggu", DEGRADED),
        ("du", DEGRADED),
    ],
)
def test_b12_down_if_all_are_degraded_if_any_is_down_or_more_than_half_are_degraded(letters: str, status: HealthStatus):
    assert together(letters).status is status


@pytest.mark.parametrize("letters", ["", "u", "uuu"])
def test_a16_d21_an_empty_or_never_run_registry_is_unknown(letters: str):
    assert together(letters).status is UNKNOWN


def test_a16_a_source_that_the_operator_disabled_enters_no_rule():
    assert together("hhd", frozenset({"s2"})).status is HEALTHY
    assert together("hdd", frozenset({"s0"})).status is DOWN
    assert together("ghh", frozenset({"s1", "s2"})).status is DEGRADED
    assert together("hd", frozenset({"s0", "s1"})).status is UNKNOWN


def test_every_source_is_in_exactly_one_count():
    health = together("uhhgggddddh", frozenset({"s10"}))
    assert (health.total_sources, health.disabled_sources) == (11, 1)
    assert (health.unknown_sources, health.healthy_sources) == (1, 2)
    assert (health.degraded_sources, health.down_sources) == (3, 4)


@pytest.mark.parametrize(
    ("letters", "disabled", "message"),
    [
        ("hh", frozenset(), "2 of 2 sources healthy"),
        (
            "hdgud",
            frozenset(),
            "1 of 5 sources healthy; down: s1, s4; degraded: s2; not run yet: s3",
        ),
        ("hh", frozenset({"s1"}), "1 of 1 sources healthy; disabled: s1"),
        ("hh", frozenset({"s0", "s1"}), "no source is enabled; disabled: s0, s1"),
        ("", frozenset(), "no source is registered"),
    ],
)
def test_b12_the_message_names_who_is_not_healthy(letters: str, disabled: frozenset[str], message: str):
    assert together(letters, disabled).message == message


def test_a_report_tells_what_the_state_holds_under_the_sources_key_and_title():
    failure = LastFailure(at=NOON, kind=FailureKind.SERVER, message="answered 503")
    check = Check(at=NOON, ok=True, latency=0.1)
    good = Execution(at=NOON, verdict=Verdict.SUCCESS, kind=None, duration=2.0, latency=1.0, attempts=1)
    bad = Execution(at=NOON, verdict=Verdict.FAILURE, kind=FailureKind.SERVER, duration=2.0, latency=None, attempts=4)
    state = SourceHealth(
        recent=(good, bad),
        latencies=(1.0,),
        consecutive_failures=1,
        successes=1,
        failures=1,
        total_duration=4.0,
        last_success=NOON,
        last_failure=failure,
        last_check=check,
    )
    source = Source(key="prices", title="The Prices", fetcher=lambda: None)
    assert report(source, state, HealthPolicy()) == HealthReport(
        key="prices",
        source_name="The Prices",
        status=DEGRADED,
        uptime=50.0,
        average_latency=1.0,
        consecutive_failures=1,
        last_successful_fetch=NOON,
        last_failure=failure,
        message="its last execution failed (server: answered 503)",
        last_check=check,
    )


def test_who_was_cut_short_is_named_and_is_not_called_never_run():
    cut = SourceHealth(cuts=(Cut(at=NOON, after=0.7, timeout=30.0),))
    states = {"a": cut, "b": SourceHealth(), "off": cut}
    reports = [report(Source(key=key, fetcher=lambda: None), state, HealthPolicy()) for key, state in states.items()]
    health = overall(reports, {"off"})
    assert health.message == "0 of 2 sources healthy; cut by the run's limit: a; not run yet: b; disabled: off"
    assert (health.status, health.unknown_sources) == (UNKNOWN, 2)


def test_who_was_judged_before_it_was_cut_short_is_told_apart_from_who_never_was():
    good = Execution(at=NOON, verdict=Verdict.SUCCESS, kind=None, duration=1.0, latency=1.0, attempts=1)
    cuts = (Cut(at=NOON, after=0.7, timeout=30.0),)
    state = SourceHealth(recent=(good,), latencies=(1.0,), successes=1, last_success=NOON, cuts=cuts)
    health = overall([report(Source(key="a", fetcher=lambda: None), state, HealthPolicy())])
    assert health.message == "1 of 1 sources healthy; cut by the run's limit since: a"


def test_a_report_measures_latency_against_the_sources_own_timeout():
    good = Execution(at=NOON, verdict=Verdict.SUCCESS, kind=None, duration=9.0, latency=9.0, attempts=1)
    state = SourceHealth(recent=(good,), latencies=(9.0,), successes=1, last_success=NOON)
    for timeout, status in ((10.0, DEGRADED), (30.0, HEALTHY)):
        source = Source(key="prices", fetcher=lambda: None, timeout=timeout)
        assert report(source, state, HealthPolicy()).status is status


def test_without_history_nothing_is_invented():
    fresh = report(Source(key="prices", fetcher=lambda: None), SourceHealth(), HealthPolicy())
    assert (fresh.status, fresh.uptime, fresh.average_latency) == (UNKNOWN, None, None)


def test_who_was_not_reached_because_our_own_network_was_down_is_named_and_not_called_never_run():
    states = {"a": SourceHealth(offline=(NOON,)), "b": SourceHealth(), "off": SourceHealth(offline=(NOON,))}
    reports = [report(Source(key=key, fetcher=lambda: None), state, HealthPolicy()) for key, state in states.items()]
    health = overall(reports, {"off"})
    assert health.message == (
        "0 of 2 sources healthy; our own network was down in the last run of: a; not run yet: b; disabled: off"
    )


def test_the_fields_of_both_reports_are_those_of_the_seed_and_what_kept_a_run_from_telling_anything():
    assert [member.name for member in fields(HealthReport)] == [
        "key",
        "source_name",
        "status",
        "uptime",
        "average_latency",
        "consecutive_failures",
        "last_successful_fetch",
        "last_failure",
        "message",
        "last_check",
        "cut_short",
        "offline",
        "offline_at",
    ]
    assert [member.name for member in fields(OverallHealth)] == [
        "status",
        "total_sources",
        "healthy_sources",
        "degraded_sources",
        "down_sources",
        "unknown_sources",
        "disabled_sources",
        "message",
    ]
