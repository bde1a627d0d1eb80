"""The operator's hand on a breaker: forced open, forced closed, and back."""

import pytest
from test_resilience_breaker import Bench

from data_source_orchestrator.core.policies import BreakerPolicy
from data_source_orchestrator.core.verdicts import Verdict

S, F, R, C = Verdict.SUCCESS, Verdict.FAILURE, Verdict.RELEASED, Verdict.CENSORED


def test_forced_open_admits_nobody_not_even_a_probe():
    bench = Bench()
    bench.breaker.force_open()
    assert (bench.breaker.state, bench.breaker.retry_after) == ("forced_open", None)
    bench.clock.advance(100_000)
    assert not bench.breaker.admits
    assert bench.breaker.admit() is None
    assert bench.statistics.refused == 1


def test_forced_open_over_an_open_breaker_admits_no_probe_when_that_is_due():
    bench = Bench()
    bench.trip()
    bench.breaker.force_open()
    bench.clock.advance(3600)
    assert bench.breaker.admit() is None


def test_forced_closed_admits_all_and_never_trips_but_counts():
    bench = Bench(BreakerPolicy(failures=1, attempt_failures=1))
    bench.breaker.force_closed()
    for verdict in [F] * 9 + [S]:
        bench.execution(verdict)
    assert bench.breaker.state == "forced_closed"
    assert (bench.statistics.failures, bench.statistics.successes, bench.statistics.trips) == (9, 1, 0)


def test_forced_closed_over_an_open_breaker_admits_all_and_no_success_closes_what_lies_beneath():
    bench = Bench()
    bench.trip()
    bench.breaker.force_closed()
    permit = bench.permit()
    assert not permit.probe
    bench.breaker.finish(permit, S, 0.1)
    bench.breaker.finish_execution(permit, S)
    bench.breaker.stop_forcing()
    assert (bench.breaker.state, bench.breaker.retry_after) == ("open", 30)


def test_it_goes_on_with_its_count_when_forcing_ends():
    bench = Bench()
    for _ in range(4):
        bench.execution(F)
    bench.breaker.force_open()
    bench.breaker.stop_forcing()
    assert bench.breaker.state == "closed"
    bench.execution(F)
    assert bench.breaker.state == "open"


def test_the_wait_of_an_open_breaker_runs_on_beneath():
    bench = Bench()
    bench.trip()
    bench.breaker.force_open()
    bench.clock.advance(20)
    bench.breaker.stop_forcing()
    assert bench.breaker.retry_after == 10


def test_a_half_open_breaker_is_open_and_due_when_forcing_ends():
    bench = Bench()
    bench.due()
    probe = bench.permit()
    bench.breaker.force_closed()
    bench.breaker.finish(probe, F, 0.1)
    bench.breaker.stop_forcing()
    assert (bench.breaker.state, bench.breaker.retry_after) == ("open", 0)
    assert bench.permit().probe


@pytest.mark.parametrize("verdict", list(Verdict))
def test_what_was_under_way_when_it_was_forced_or_let_go_says_nothing(verdict: Verdict):
    bench = Bench(BreakerPolicy(failures=1, attempt_failures=1))
    before = bench.permit()
    bench.breaker.force_closed()
    during = bench.permit()
    bench.breaker.stop_forcing()
    for permit in (before, during):
        bench.breaker.finish(permit, verdict, 0.1)
        bench.breaker.finish_execution(permit, verdict)
    assert bench.breaker.to_state() == {"state": "closed", "failures": 0}
    assert bench.statistics.late == 2


def test_the_operator_s_readmission_clears_what_lies_beneath_and_leaves_the_force_a07():
    bench = Bench()
    bench.trip()
    bench.breaker.force_open()
    bench.breaker.readmit()
    assert (bench.breaker.state, bench.breaker.admit()) == ("forced_open", None)
    bench.breaker.stop_forcing()
    assert bench.breaker.state == "closed"


def test_one_force_follows_another_and_each_is_told_once():
    bench = Bench()
    bench.breaker.stop_forcing()
    bench.breaker.force_open()
    bench.breaker.force_open()
    bench.breaker.force_closed()
    bench.breaker.stop_forcing()
    bench.breaker.stop_forcing()
    assert bench.changes == [
        ("closed", "forced_open", None),
        ("forced_open", "forced_closed", None),
        ("forced_closed", "closed", None),
    ]


def test_the_end_of_forcing_an_open_breaker_tells_when_a_probe_is_let_through():
    bench = Bench()
    bench.trip()
    bench.breaker.force_closed()
    bench.clock.advance(12)
    bench.breaker.stop_forcing()
    assert bench.changes[-1] == ("forced_closed", "open", 18.0)


def test_forcing_what_is_forced_already_leaves_what_is_under_way_its_count():
    bench = Bench()
    bench.breaker.force_closed()
    permit = bench.permit()
    bench.breaker.force_closed()
    bench.breaker.finish(permit, F, 0.1)
    assert (bench.statistics.failures, bench.statistics.late) == (1, 0)


@pytest.mark.parametrize("trips", [0, 1])
@pytest.mark.parametrize("forced", ["forced_open", "forced_closed"])
def test_a_forced_state_comes_back_after_a_restart_with_what_lies_beneath_a25(forced: str, trips: int):
    bench = Bench()
    for _ in range(5 if trips else 4):
        bench.execution(F)
    bench.clock.advance(3)
    (bench.breaker.force_open if forced == "forced_open" else bench.breaker.force_closed)()
    began = bench.clock.now()
    bench.clock.advance(7)
    again = bench.restarted()
    assert (again.state, again.admits, again.statistics.since) == (forced, forced == "forced_closed", began)
    assert again.to_state() == bench.breaker.to_state()
    again.stop_forcing()
    assert (again.state, again.retry_after) == (("open", 20) if trips else ("closed", None))
    assert again.statistics.consecutive_failures == (0 if trips else 4)


def test_a_forced_state_is_kept_beside_the_one_beneath_as_the_document_says():
    bench = Bench()
    bench.breaker.force_open()
    assert bench.breaker.to_state() == {
        "state": "closed",
        "failures": 0,
        "forced": "forced_open",
        "forced_since": "2026-01-01T00:00:00+00:00",
    }


def test_a_force_outlives_a_document_that_cannot_be_read_otherwise():
    bench = Bench()
    again = bench.restarted({"state": "ajar", "forced": "forced_open", "forced_since": "yesterday"})
    assert (again.state, again.statistics.since) == ("forced_open", bench.clock.now())
    again.stop_forcing()
    assert again.state == "closed"


@pytest.mark.parametrize("forced", ["open", "closed", True, None, ["forced_open"], {}])
def test_a_force_that_cannot_be_read_is_none(forced: object):
    assert Bench().restarted({"state": "closed", "failures": 0, "forced": forced}).state == "closed"
