"""How a source is let back in: so many probes at once, so many successes, and the trio with each of them."""

import pytest
from test_resilience_breaker import Bench

from data_source_orchestrator.core.policies import BreakerPolicy
from data_source_orchestrator.core.verdicts import Verdict

S, F, R, C = Verdict.SUCCESS, Verdict.FAILURE, Verdict.RELEASED, Verdict.CENSORED


def half_open(*, probes: int = 1, success_threshold: int = 1) -> Bench:
    bench = Bench(BreakerPolicy(probes=probes, success_threshold=success_threshold))
    bench.due()
    return bench


@pytest.mark.parametrize("probes", [1, 2, 3, 10])
def test_of_a_herd_of_fifty_exactly_the_permitted_probes_are_let_through(probes: int):
    bench = half_open(probes=probes)
    permits = [permit for _ in range(50) if (permit := bench.breaker.admit()) is not None]
    assert len(permits) == probes
    assert all(permit.probe for permit in permits)
    assert bench.statistics.refused == 50 - probes


@pytest.mark.parametrize("probes", [1, 3])
def test_a_stale_success_during_the_probes_changes_nothing(probes: int):
    bench = Bench(BreakerPolicy(probes=probes))
    early = [bench.permit() for _ in range(3)]
    bench.due()
    held = [bench.permit() for _ in range(probes)]
    for permit in early:
        bench.breaker.finish(permit, S, 40)
        bench.breaker.finish_execution(permit, S)
    assert (bench.breaker.state, bench.breaker.admit()) == ("half_open", None)
    bench.breaker.finish(held[0], F, 0.1)
    assert bench.breaker.retry_after == 60


@pytest.mark.parametrize("verdict", [R, C])
@pytest.mark.parametrize("probes", [1, 3])
def test_a_cancelled_probe_gives_its_own_place_back_and_no_other(probes: int, verdict: Verdict):
    bench = half_open(probes=probes)
    held = [bench.permit() for _ in range(probes)]
    bench.breaker.finish(held[0], verdict, 0.1)
    assert (bench.breaker.state, bench.breaker.admits) == ("half_open", True)
    bench.permit()
    assert bench.breaker.admit() is None


def test_a_probe_that_says_nothing_is_no_success_towards_the_threshold():
    bench = half_open(success_threshold=2)
    bench.attempts(S, R, C)
    assert bench.breaker.state == "half_open"
    bench.attempts(S)
    assert bench.breaker.state == "closed"


def test_it_closes_after_so_many_successes_one_probe_at_a_time():
    bench = half_open(probes=1, success_threshold=3)
    for _ in range(2):
        probe = bench.permit()
        assert bench.breaker.admit() is None
        bench.breaker.finish(probe, S, 0.1)
        bench.breaker.finish_execution(probe, S)
        assert bench.breaker.state == "half_open"
    bench.attempts(S)
    assert bench.breaker.state == "closed"
    assert bench.changes[1:] == [("open", "half_open", None), ("half_open", "closed", None)]


def test_it_closes_after_so_many_successes_of_probes_that_run_at_once():
    bench = half_open(probes=3, success_threshold=2)
    first, second, third = bench.permit(), bench.permit(), bench.permit()
    bench.breaker.finish(third, S, 0.1)
    assert bench.breaker.state == "half_open"
    bench.breaker.finish(first, S, 0.1)
    assert bench.breaker.state == "closed"
    bench.breaker.finish(second, F, 0.1)
    bench.breaker.finish_execution(second, F)
    assert bench.breaker.to_state() == {"state": "closed", "failures": 0}


def test_a_single_failure_among_the_probes_opens_it_for_longer_and_voids_the_others():
    bench = half_open(probes=3, success_threshold=3)
    first, second, third = bench.permit(), bench.permit(), bench.permit()
    bench.breaker.finish(first, S, 0.1)
    bench.breaker.finish(second, F, 0.1)
    assert (bench.breaker.state, bench.breaker.retry_after) == ("open", 60)
    bench.breaker.finish(third, S, 0.1)
    assert (bench.breaker.state, bench.breaker.retry_after) == ("open", 60)
    assert (bench.statistics.late, bench.statistics.rule) == (1, "probe")


def test_successes_before_a_failed_probe_do_not_count_in_the_next_round():
    bench = half_open(success_threshold=2)
    bench.attempts(S, F)
    bench.clock.advance(60)
    bench.attempts(S)
    assert bench.breaker.state == "half_open"


def test_a_probe_counts_as_no_failed_execution():
    bench = half_open(success_threshold=2)
    bench.execution(S)
    bench.execution(S)
    assert (bench.breaker.state, bench.statistics.consecutive_failures) == ("closed", 0)


def test_a_probe_holds_its_place_until_it_ends_however_long_that_takes():
    bench = half_open()
    probe = bench.permit()
    bench.clock.advance(86_400)
    assert (bench.breaker.admit(), bench.breaker.retry_after) == (None, None)
    bench.breaker.finish(probe, R, 86_400)
    assert bench.permit().probe


def test_fewer_probes_by_a_new_policy_hold_for_those_who_come_next():
    bench = half_open(probes=3)
    held = [bench.permit() for _ in range(3)]
    bench.breaker.policy = BreakerPolicy(probes=1)
    bench.breaker.finish(held[0], R, 0.1)
    bench.breaker.finish(held[1], R, 0.1)
    assert bench.breaker.admit() is None
    bench.breaker.finish(held[2], R, 0.1)
    assert bench.permit().probe


def test_whoever_hears_of_the_change_to_half_open_finds_the_place_taken():
    bench = Bench()
    bench.due()
    found: list[bool] = []
    bench.breaker.on_change = lambda _before, _after, _wait: found.append(bench.breaker.admits)
    assert bench.permit().probe
    assert found == [False]
