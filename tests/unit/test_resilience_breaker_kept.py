"""What a breaker keeps from process to process, beside what its first documents held."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from test_resilience_breaker import Bench

from data_source_orchestrator.core.durations import LONGEST
from data_source_orchestrator.core.policies import BreakerPolicy
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.resilience.breaker_statistics import Share

S, F = Verdict.SUCCESS, Verdict.FAILURE
COUNTED = BreakerPolicy(attempt_failures=9, failure_ratio=0.5, window=8, minimum_throughput=4)
TIMED = BreakerPolicy(failure_ratio=0.5, window_seconds=60, minimum_throughput=4)
SLOW = BreakerPolicy(slow_ratio=0.5, slow_after=2, window=8, minimum_throughput=4)


def test_a_breaker_without_rules_over_attempts_keeps_what_it_always_kept():
    bench = Bench()
    bench.execution(F)
    bench.attempts(F, S)
    assert bench.breaker.to_state() == {"state": "closed", "failures": 1}


def test_an_open_breaker_tells_the_whole_wait_and_what_made_it_open():
    bench = Bench()
    bench.trip()
    assert bench.breaker.to_state() == {
        "state": "open",
        "trips": 1,
        "retry_at": "2026-01-01T00:00:30+00:00",
        "cool_down": 30.0,
        "rule": "failures",
    }


@pytest.mark.parametrize(("retry_at", "wait"), [("2026-01-01T00:01:30+00:00", 90), ("2026-01-01T00:10:00+00:00", 600)])
def test_a_document_without_the_new_members_is_read_and_left_as_it_is_a25(retry_at: str, wait: float):
    old = {"state": "open", "trips": 3, "retry_at": retry_at}
    bench = Bench()
    again = bench.restarted(old)
    assert (again.state, again.retry_after, again.statistics.rule) == ("open", wait, None)
    assert again.to_state() == old


def test_the_window_by_count_survives_a_restart_a25():
    bench = Bench(COUNTED)
    bench.attempts(S, F, F)
    assert bench.breaker.to_state() == {
        "state": "closed",
        "failures": 0,
        "attempt_failures": 2,
        "failure_ratio": {"window": 8, "results": "011"},
    }
    bench.breaker = bench.restarted()
    assert bench.statistics.consecutive_failed_attempts == 2
    bench.attempts(F)
    assert bench.breaker.state == "open"


def test_the_window_by_count_keeps_its_order_over_a_restart():
    bench = Bench(BreakerPolicy(failure_ratio=1, window=3, minimum_throughput=3))
    bench.attempts(S, S, S, F, F)
    bench.breaker = bench.restarted()
    bench.attempts(F)
    assert bench.breaker.state == "open"


def test_the_window_of_slow_attempts_survives_a_restart_a25():
    bench = Bench(SLOW)
    bench.attempts(S, S, S, lasting=3)
    bench.breaker = bench.restarted()
    bench.attempts(S, lasting=3)
    assert bench.breaker.state == "open"


def test_the_window_by_time_survives_a_restart_and_ages_by_the_wall_clock_a25():
    bench = Bench(TIMED)
    bench.attempts(F, F, F)
    kept = bench.breaker.to_state()
    bench.clock.advance(50)
    bench.breaker = bench.restarted(kept)
    assert bench.breaker.to_state() == kept
    bench.attempts(F)
    assert bench.breaker.state == "open"
    bench.clock.advance(11)
    bench.breaker = bench.restarted(kept)
    bench.attempts(F)
    assert bench.breaker.state == "closed"


def test_a_wall_clock_set_back_does_not_stop_a_window_by_time():
    bench = Bench(TIMED)
    far = int((bench.clock.now() + timedelta(days=400, seconds=18)).timestamp() // 6)
    slots = {"window_seconds": 60.0, "slots": [[far - 1, 2, 2], [far, 1, 1]]}
    bench.breaker = bench.restarted({"state": "closed", "failures": 0, "failure_ratio": slots})
    assert bench.statistics.failure_ratio is not None
    assert bench.statistics.failure_ratio.throughput == 3
    bench.clock.advance(54)
    assert bench.statistics.failure_ratio is not None
    assert bench.statistics.failure_ratio.throughput == 1
    bench.clock.advance(6)
    bench.attempts(F, F, F)
    assert bench.breaker.state == "closed"


def test_reading_its_statistics_changes_nothing_that_is_kept():
    bench = Bench(TIMED)
    bench.attempts(F, F, F)
    kept = bench.breaker.to_state()
    bench.clock.advance(600)
    assert bench.statistics.failure_ratio is not None
    assert bench.statistics.failure_ratio.throughput == 0
    assert bench.breaker.to_state() == kept


@pytest.mark.parametrize(
    "members",
    [
        {"failure_ratio": {"window": 7, "results": "1111111"}},
        {"failure_ratio": {"window": 8, "results": "111111111"}},
        {"failure_ratio": {"window": 8, "results": "12"}},
        {"failure_ratio": {"window": 8, "results": "1X"}},
        {"failure_ratio": {"window": 8, "results": [1, 1]}},
        {"failure_ratio": {"window_seconds": 60.0, "slots": [[1, 1, 1]]}},
        {"failure_ratio": "1111"},
        {"failure_ratio": None, "attempt_failures": True},
        {"attempt_failures": -3},
        {"attempt_failures": "3"},
        {"attempt_failures": 2.5},
    ],
)
def test_a_count_or_a_window_that_cannot_be_read_or_has_another_shape_is_empty(members: dict[str, Any]):
    bench = Bench(COUNTED)
    again = bench.restarted({"state": "closed", "failures": 3, **members})
    assert again.to_state() == {"state": "closed", "failures": 3}


@pytest.mark.parametrize(
    "slots",
    [
        "1",
        [7],
        [[1, 2]],
        [[1, 1, 2]],
        [[1, 1, -1]],
        [[1, 0, 0]],
        [[1.5, 1, 1]],
        [[1, 10**30, 1]],
        [[slot, 1, 1] for slot in range(11)],
        [[1, 1, 1], None],
    ],
)
def test_a_window_by_time_that_makes_no_sense_is_empty(slots: Any):
    bench = Bench(TIMED)
    again = bench.restarted(
        {"state": "closed", "failures": 3, "failure_ratio": {"window_seconds": 60.0, "slots": slots}}
    )
    assert again.to_state() == {"state": "closed", "failures": 3}


@pytest.mark.parametrize(("attempts", "kept"), [(10**12, 10**12), (10**12 + 1, 0)])
def test_a_window_by_time_believes_in_no_more_than_a_trillion_attempts(attempts: int, kept: int):
    bench = Bench(TIMED)
    slots = {"window_seconds": 60.0, "slots": [[int(bench.clock.now().timestamp() // 6), attempts, 0]]}
    again = bench.restarted({"state": "closed", "failures": 0, "failure_ratio": slots})
    assert again.statistics.failure_ratio is not None
    assert again.statistics.failure_ratio.throughput == kept


def test_a_window_by_time_with_an_attempt_in_each_of_its_slots_survives_a_restart_a25():
    bench = Bench(BreakerPolicy(failure_ratio=0.5, window_seconds=60, minimum_throughput=99))
    bench.attempts(F)
    for _ in range(9):
        bench.clock.advance(6)
        bench.attempts(F)
    assert bench.restarted().statistics.failure_ratio == Share(throughput=10, ratio=1.0)


@pytest.mark.parametrize("order", [1, -1])
def test_slots_that_lie_further_apart_than_the_window_are_not_thrown_together(order: int):
    bench = Bench(TIMED)
    present = int(bench.clock.now().timestamp() // 6)
    told = [[present - 10, 2, 2], [present - 9, 1, 0], [present, 1, 1]]
    slots = {"window_seconds": 60.0, "slots": told[::order]}
    again = bench.restarted({"state": "closed", "failures": 0, "failure_ratio": slots})
    assert again.statistics.failure_ratio == Share(throughput=2, ratio=0.5)


@pytest.mark.parametrize("slot", [-(10**40), 10**40, 0])
def test_a_slot_of_any_time_does_no_harm(slot: int):
    bench = Bench(TIMED)
    slots = {"window_seconds": 60.0, "slots": [[slot, 3, 3]]}
    bench.breaker = bench.restarted({"state": "closed", "failures": 0, "failure_ratio": slots})
    bench.clock.advance(60)
    bench.attempts(F, F, F)
    assert bench.breaker.state == "closed"


def test_a_closed_document_s_counts_are_not_those_of_an_open_one():
    bench = Bench(COUNTED)
    again = bench.restarted(
        {"state": "open", "trips": 1, "retry_at": "2026-01-01T00:00:10+00:00", "failures": 4, "attempt_failures": 8}
    )
    assert (again.statistics.consecutive_failures, again.statistics.consecutive_failed_attempts) == (0, 0)


def test_a_wall_clock_set_back_keeps_nobody_out_for_longer_than_the_wait_that_was_begun():
    bench = Bench()
    bench.trip()
    kept = json.loads(json.dumps(bench.breaker.to_state()))
    kept["retry_at"] = (datetime.fromisoformat(kept["retry_at"]) + timedelta(days=1)).isoformat()
    again = bench.restarted(kept)
    assert (again.retry_after, again.statistics.rule) == (30, "failures")


def test_a_rule_that_is_no_name_is_not_told():
    bench = Bench()
    kept = {"state": "open", "trips": 1, "retry_at": "2026-01-01T00:00:20+00:00", "rule": 7}
    assert bench.restarted(kept).statistics.rule is None


def test_the_longest_wait_that_can_be_is_told():
    bench = Bench()
    kept = {"state": "open", "trips": 1, "retry_at": "2026-01-01T00:00:20+00:00", "cool_down": LONGEST}
    again = bench.restarted(kept)
    assert (again.retry_after, again.to_state()["cool_down"]) == (20, LONGEST)


def test_what_was_kept_by_a_machine_that_did_not_know_the_date_is_believed():
    bench = Bench()
    again = bench.restarted({"state": "open", "trips": 1, "retry_at": "1970-01-01T00:00:30+00:00"})
    assert (again.state, again.admits) == ("open", True)


@pytest.mark.parametrize("wait", [0, 0.5])
def test_a_wait_of_less_than_a_second_is_kept_as_it_was(wait: float):
    bench = Bench()
    kept = {"state": "open", "trips": 1, "retry_at": "2026-01-01T00:00:20+00:00", "cool_down": wait}
    assert bench.restarted(kept).retry_after == wait


def test_a_lower_longest_wait_holds_for_what_was_kept_too():
    bench = Bench()
    bench.trip()
    bench.policy = BreakerPolicy(cool_down=5, max_cool_down=10)
    assert bench.restarted().retry_after == 10


@pytest.mark.parametrize("cool_down", [-1, True, "30", 1e300, float("inf"), float("nan"), None])
def test_a_whole_wait_that_cannot_be_is_not_told(cool_down: object):
    bench = Bench()
    kept = {"state": "open", "trips": 1, "retry_at": "2026-01-01T00:00:20+00:00", "cool_down": cool_down}
    again = bench.restarted(kept)
    assert (again.retry_after, "cool_down" in again.to_state()) == (20, False)


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+00:00", "1969-12-31T23:59:59+00:00", "9999-12-31T23:59:59-14:00"]
)
def test_a_moment_at_either_end_of_the_calendar_does_no_harm(moment: str):
    bench = Bench()
    again = bench.restarted({"state": "open", "trips": 1, "retry_at": moment, "cool_down": 3600})
    assert (again.retry_after or 0) <= 600
