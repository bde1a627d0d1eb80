"""What a breaker tells of itself, and the clock that it tells the time by."""

from datetime import UTC, datetime, timedelta

from test_resilience_breaker import Always, Bench

from clocks import HandSetClock
from data_source_orchestrator.core.policies import BreakerPolicy
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.resilience.breaker import BreakerStatistics, CircuitBreaker
from data_source_orchestrator.resilience.breaker_statistics import Share
from data_source_orchestrator.resilience.steady import Steady

S, F, R, C = Verdict.SUCCESS, Verdict.FAILURE, Verdict.RELEASED, Verdict.CENSORED


def test_a_new_breaker_has_seen_nothing():
    bench = Bench()
    assert bench.statistics == BreakerStatistics(
        state=bench.breaker.state,
        since=bench.clock.now(),
        successes=0,
        failures=0,
        released=0,
        censored=0,
        late=0,
        refused=0,
        trips=0,
        rule=None,
        consecutive_failures=0,
        consecutive_failed_attempts=None,
        failure_ratio=None,
        slow_ratio=None,
        next_probe_in=None,
    )


def test_every_attempt_is_counted_once_under_its_verdict():
    bench = Bench()
    bench.attempts(S, S, S, S, F, F, F, R, R, C)
    told = bench.statistics
    assert (told.successes, told.failures, told.released, told.censored) == (4, 3, 2, 1)


def test_probes_are_counted_too():
    bench = Bench(BreakerPolicy(failures=1))
    bench.due()
    bench.attempts(R, S)
    told = bench.statistics
    assert (told.successes, told.failures, told.released) == (1, 1, 1)


def test_refusals_trips_and_what_came_late_are_counted():
    bench = Bench()
    early = bench.permit()
    bench.trip()
    assert [bench.breaker.admit() for _ in range(3)] == [None] * 3
    bench.breaker.finish(early, S, 40)
    bench.clock.advance(30)
    bench.attempts(F)
    told = bench.statistics
    assert (told.refused, told.trips, told.late, told.successes) == (3, 2, 1, 0)


def test_executions_that_failed_in_a_row_are_told_apart_from_attempts():
    bench = Bench(BreakerPolicy(attempt_failures=9))
    bench.attempts(F, F)
    bench.execution(F)
    told = bench.statistics
    assert (told.consecutive_failures, told.consecutive_failed_attempts) == (1, 3)


def test_each_window_is_told_where_a_rule_uses_it():
    bench = Bench(BreakerPolicy(failure_ratio=0.9, slow_ratio=0.9, slow_after=2, window=10))
    assert bench.statistics.failure_ratio == Share(throughput=0, ratio=None)
    bench.attempts(S, S, S, F)
    bench.attempts(S, C, lasting=3)
    told = bench.statistics
    assert told.failure_ratio == Share(throughput=5, ratio=0.2)
    assert told.slow_ratio == Share(throughput=6, ratio=2 / 6)


def test_a_window_by_time_is_told_as_it_stands_now():
    bench = Bench(BreakerPolicy(failure_ratio=0.9, window_seconds=60))
    bench.attempts(S, F)
    bench.clock.advance(30)
    bench.attempts(F)
    assert bench.statistics.failure_ratio == Share(throughput=3, ratio=2 / 3)
    bench.clock.advance(30)
    assert bench.statistics.failure_ratio == Share(throughput=1, ratio=1.0)


def test_it_tells_since_when_it_is_in_its_state_and_what_brought_it_there():
    bench = Bench(BreakerPolicy(attempt_failures=1))
    began = bench.clock.now()
    bench.clock.advance(5)
    assert (bench.statistics.since, bench.statistics.rule) == (began, None)
    bench.attempts(F)
    bench.clock.advance(10)
    told = bench.statistics
    assert (told.since, told.next_probe_in, told.rule) == (began + timedelta(seconds=5), 20, "attempt_failures")
    bench.clock.advance(20)
    bench.permit()
    told = bench.statistics
    assert (told.since, told.next_probe_in, told.rule) == (began + timedelta(seconds=35), None, "attempt_failures")


def test_clearing_a_closed_breaker_s_count_leaves_since_when_it_is_closed():
    bench = Bench()
    began = bench.clock.now()
    bench.clock.advance(5)
    bench.breaker.readmit()
    assert bench.statistics.since == began


def test_since_when_it_is_open_survives_a_restart():
    bench = Bench()
    bench.clock.advance(100)
    bench.trip()
    opened = bench.clock.now()
    bench.clock.advance(7)
    assert bench.restarted().statistics.since == opened


def test_counts_are_of_this_process_alone():
    bench = Bench()
    bench.attempts(S, F)
    again = bench.restarted().statistics
    assert (again.successes, again.failures) == (0, 0)


def test_a_clock_that_runs_backwards_brings_no_early_retry_and_no_longer_wait():
    clock = HandSetClock()
    breaker = CircuitBreaker(BreakerPolicy(attempt_failures=1), clock=clock, chance=Always())
    permit = breaker.admit()
    assert permit is not None
    breaker.finish(permit, F, 0.1)
    clock.step(10)
    assert breaker.retry_after == 20
    clock.step(-1_000_000)
    assert (breaker.retry_after, breaker.admit()) == (20, None)
    clock.step(19)
    assert (breaker.retry_after, breaker.admit()) == (1, None)
    clock.step(1)
    assert breaker.retry_after == 0
    assert breaker.admit() is not None


def test_a_wait_is_never_negative():
    clock = HandSetClock()
    breaker = CircuitBreaker(BreakerPolicy(attempt_failures=1), clock=clock, chance=Always())
    permit = breaker.admit()
    assert permit is not None
    breaker.finish(permit, F, 0.1)
    clock.step(1_000)
    assert (breaker.retry_after, breaker.statistics.next_probe_in) == (0, 0)


def test_a_wall_clock_that_is_set_does_not_move_what_this_process_waits_for():
    clock = HandSetClock()
    breaker = CircuitBreaker(BreakerPolicy(attempt_failures=1), clock=clock, chance=Always())
    permit = breaker.admit()
    assert permit is not None
    breaker.finish(permit, F, 0.1)
    for days in (-10, 20):
        clock.set_wall(days * 86400)
        assert (breaker.retry_after, breaker.admits) == (30, False)


def test_a_steady_clock_stands_still_while_its_clock_steps_back():
    clock = HandSetClock()
    steady = Steady(clock)
    told = []
    for step in (0, 5, -7, 1, -100, -1, 2):
        clock.step(step)
        told.append(steady.now())
    assert told == [0, 5, 5, 6, 6, 6, 8]
    assert steady.wall() == datetime(2026, 1, 1, 0, 0, 8, tzinfo=UTC).timestamp()
