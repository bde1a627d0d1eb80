"""The rules over attempts, each beside the rule over executions that is always there."""

import math
from datetime import timedelta

import pytest
from test_resilience_breaker import Bench

from data_source_orchestrator.core.policies import BreakerPolicy
from data_source_orchestrator.core.verdicts import Verdict

S, F, R, C = Verdict.SUCCESS, Verdict.FAILURE, Verdict.RELEASED, Verdict.CENSORED
HALF_OF_FOUR = BreakerPolicy(failure_ratio=0.5, window=4, minimum_throughput=4)
HALF_IN_A_MINUTE = BreakerPolicy(failure_ratio=0.5, window_seconds=60, minimum_throughput=4)
SLOW = BreakerPolicy(slow_ratio=0.5, slow_after=2, window=4, minimum_throughput=4)


def state_after(policy: BreakerPolicy, *verdicts: Verdict, lasting: float = 0.1) -> str:
    bench = Bench(policy)
    bench.attempts(*verdicts, lasting=lasting)
    return bench.breaker.state


def test_so_many_failed_attempts_in_a_row_trip_it():
    bench = Bench(BreakerPolicy(attempt_failures=3))
    bench.attempts(F, F)
    assert bench.breaker.state == "closed"
    bench.attempts(F)
    assert (bench.breaker.state, bench.statistics.rule) == ("open", "attempt_failures")
    assert bench.changes == [("closed", "open", 30.0)]


def test_whatever_tripped_it_the_failed_attempts_of_before_are_forgotten():
    bench = Bench(BreakerPolicy(attempt_failures=3, cool_down=30))
    bench.attempts(F, F, F)
    bench.clock.advance(30)
    bench.attempts(S, F, F)
    assert (bench.breaker.state, bench.statistics.consecutive_failed_attempts) == ("closed", 2)


def test_a_success_between_failed_attempts_begins_the_count_anew():
    assert state_after(BreakerPolicy(attempt_failures=3), F, F, S, F, F) == "closed"


@pytest.mark.parametrize("verdict", [R, C])
def test_attempts_that_say_nothing_neither_count_nor_clear_a17(verdict: Verdict):
    policy = BreakerPolicy(attempt_failures=3)
    assert state_after(policy, F, F, verdict, verdict) == "closed"
    assert state_after(policy, F, verdict, F, verdict, F) == "open"


def test_the_rule_over_executions_stands_beside_the_rules_over_attempts():
    bench = Bench(BreakerPolicy(failures=2, attempt_failures=9))
    bench.execution(F)
    bench.execution(F)
    assert (bench.breaker.state, bench.statistics.rule) == ("open", "failures")


def test_what_trips_by_an_attempt_is_not_counted_again_when_its_execution_ends():
    bench = Bench(BreakerPolicy(failures=1, attempt_failures=1))
    bench.execution(F)
    assert (bench.statistics.trips, bench.breaker.retry_after) == (1, 30)


def test_the_ratio_of_the_last_attempts_trips_it_at_the_share_exactly():
    assert state_after(HALF_OF_FOUR, S, S, F, F) == "open"
    assert state_after(HALF_OF_FOUR, S, S, S, F) == "closed"


def test_no_ratio_is_taken_of_fewer_attempts_than_the_minimum():
    assert state_after(HALF_OF_FOUR, F, F, F) == "closed"
    assert state_after(HALF_OF_FOUR, F, F, F, F) == "open"


def test_only_a_failure_trips_it_by_ratio_and_never_the_success_that_fills_the_window():
    assert state_after(HALF_OF_FOUR, F, F, F, S) == "closed"
    assert state_after(HALF_OF_FOUR, F, F, F, S, F) == "open"


def test_attempts_beyond_the_window_by_count_are_forgotten():
    assert state_after(HALF_OF_FOUR, F, S, S, S, S, F) == "closed"
    assert state_after(HALF_OF_FOUR, F, S, S, S, F) == "closed"
    assert state_after(HALF_OF_FOUR, S, S, S, F, S, F) == "open"


@pytest.mark.parametrize("share", [0.07, 0.1, 0.29, 0.57, 0.7])
def test_a_share_is_reached_exactly_where_decimal_fractions_are_no_binary_ones(share: float):
    policy = BreakerPolicy(failure_ratio=share, window=100, minimum_throughput=100)
    failures = round(100 * share)
    successes = [S] * (100 - failures)
    assert state_after(policy, *successes, *[F] * failures) == "open"
    assert state_after(policy, S, *successes, *[F] * (failures - 1)) == "closed"


@pytest.mark.parametrize("verdict", [R, C])
def test_attempts_that_say_nothing_do_not_enter_the_ratio_a17(verdict: Verdict):
    assert state_after(HALF_OF_FOUR, F, F, F, verdict) == "closed"
    assert state_after(HALF_OF_FOUR, F, *[verdict] * 9, F, F, F) == "open"


def test_attempts_older_than_the_window_by_time_are_forgotten():
    bench = Bench(HALF_IN_A_MINUTE)
    bench.attempts(F, F, F)
    bench.clock.advance(60)
    bench.attempts(F, F, F)
    assert bench.breaker.state == "closed"
    bench.clock.advance(53)
    bench.attempts(F)
    assert (bench.breaker.state, bench.statistics.rule) == ("open", "failure_ratio")


def test_a_window_by_time_rolls_and_does_not_begin_anew_every_minute():
    bench = Bench(HALF_IN_A_MINUTE)
    bench.clock.advance(50)
    bench.attempts(F, F)
    bench.clock.advance(20)
    bench.attempts(F, F)
    assert bench.breaker.state == "open"


def test_the_share_of_slow_attempts_trips_it_whether_they_succeed_or_fail():
    bench = Bench(SLOW)
    bench.attempts(S, S, lasting=2.0)
    bench.attempts(S, lasting=2.1)
    assert bench.breaker.state == "closed"
    bench.attempts(F, lasting=30)
    assert (bench.breaker.state, bench.statistics.rule) == ("open", "slow_ratio")


def test_an_attempt_that_takes_exactly_that_long_is_not_slow():
    assert state_after(SLOW, S, S, S, S, F, lasting=2.0) == "closed"


def test_a_quick_attempt_never_trips_it_by_slowness():
    bench = Bench(SLOW)
    bench.attempts(S, S, S, lasting=3)
    bench.attempts(S)
    assert bench.breaker.state == "closed"


def test_a_hedge_s_loser_is_held_against_the_source_once_it_is_known_to_be_slow_and_else_says_nothing():
    bench = Bench(SLOW)
    bench.attempts(C, C, C, C, lasting=1)
    assert bench.statistics.slow_ratio is not None
    assert bench.statistics.slow_ratio.throughput == 0
    bench.attempts(C, C, C, C, lasting=3)
    assert bench.breaker.state == "open"


def test_what_was_released_is_not_slow_however_long_it_took_a17():
    assert state_after(SLOW, R, R, R, R, R, lasting=100) == "closed"


@pytest.mark.parametrize("duration", [math.nan, -1.0])
def test_a_duration_that_cannot_be_is_not_slow(duration: float):
    assert state_after(SLOW, S, S, S, S, lasting=duration) == "closed"


@pytest.mark.parametrize(("lasting", "after"), [(2.0, "closed"), (2.5, "open")])
def test_a_probe_that_succeeds_slowly_waits_on_where_slowness_is_a_rule(lasting: float, after: str):
    bench = Bench(SLOW)
    bench.attempts(S, S, S, S, lasting=3)
    bench.clock.advance(30)
    bench.attempts(S, lasting=lasting)
    assert bench.breaker.state == after
    assert bench.breaker.retry_after == (None if after == "closed" else 60)


def test_a_trip_and_a_recovery_empty_the_windows():
    bench = Bench(HALF_OF_FOUR)
    bench.attempts(F, F, F, F)
    bench.clock.advance(30)
    bench.attempts(S)
    assert bench.breaker.to_state() == {"state": "closed", "failures": 0}
    bench.attempts(F, F, F)
    assert bench.breaker.state == "closed"


def test_a_probe_enters_no_window():
    bench = Bench(HALF_OF_FOUR)
    bench.attempts(F, F, F, F)
    bench.clock.advance(30)
    bench.attempts(S)
    assert bench.statistics.failure_ratio is not None
    assert bench.statistics.failure_ratio.throughput == 0


def test_readmission_empties_the_windows_a07():
    bench = Bench(HALF_OF_FOUR)
    bench.attempts(F, F, F)
    bench.breaker.readmit()
    bench.attempts(F, F, F)
    assert bench.breaker.state == "closed"


def test_the_same_policy_given_again_forgets_nothing():
    bench = Bench(HALF_OF_FOUR)
    bench.attempts(F, F, F)
    bench.breaker.policy = BreakerPolicy(failure_ratio=0.5, window=4, minimum_throughput=4)
    bench.attempts(F)
    assert bench.breaker.state == "open"


def test_a_policy_with_a_window_of_the_same_shape_goes_on_with_what_it_holds():
    bench = Bench(BreakerPolicy(failure_ratio=1, window=4, minimum_throughput=4, attempt_failures=9))
    bench.attempts(S, F, F, F)
    bench.breaker.policy = BreakerPolicy(failure_ratio=0.5, window=4, minimum_throughput=2, attempt_failures=8)
    assert bench.statistics.consecutive_failed_attempts == 3
    bench.attempts(F)
    assert bench.breaker.state == "open"


@pytest.mark.parametrize(
    "policy",
    [BreakerPolicy(failure_ratio=0.5, window=5, minimum_throughput=4), HALF_IN_A_MINUTE],
    ids=["another size", "another kind"],
)
def test_a_policy_with_a_window_of_another_shape_begins_with_an_empty_one(policy: BreakerPolicy):
    bench = Bench(HALF_OF_FOUR)
    bench.attempts(F, F, F)
    bench.breaker.policy = policy
    bench.attempts(F, F, F)
    assert bench.breaker.state == "closed"
    bench.attempts(F)
    assert bench.breaker.state == "open"


def test_a_rule_that_comes_with_a_new_policy_is_heard_from_then_on():
    bench = Bench()
    bench.attempts(*[F] * 9)
    bench.breaker.policy = BreakerPolicy(attempt_failures=2)
    bench.attempts(F)
    assert bench.breaker.state == "closed"
    bench.attempts(F)
    assert bench.breaker.state == "open"


def test_durations_may_be_given_as_timedeltas():
    policy = BreakerPolicy(
        slow_ratio=0.5, slow_after=timedelta(seconds=2), window_seconds=timedelta(minutes=1), minimum_throughput=1
    )
    assert (policy.slow_after, policy.window_seconds) == (2, 60)
    assert state_after(policy, S, lasting=3) == "open"
