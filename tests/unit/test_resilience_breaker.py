import json
from datetime import timedelta
from typing import Any

import pytest

from data_source_orchestrator.core.clock import ManualClock
from data_source_orchestrator.core.errors import PermitError
from data_source_orchestrator.core.policies import BreakerPolicy
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.resilience.breaker import BreakerStatistics, CircuitBreaker, Permit


class Always:
    def __init__(self, number: float = 0.5) -> None:
        self.number = number

    def random(self) -> float:
        return self.number


class Bench:
    def __init__(self, policy: BreakerPolicy = BreakerPolicy(), chance: float = 0.5) -> None:
        self.clock = ManualClock()
        self.changes: list[tuple[str, str, float | None]] = []
        self.chance = Always(chance)
        self.policy = policy
        self.breaker = CircuitBreaker(policy, clock=self.clock, chance=self.chance, on_change=self.changed)

    def changed(self, before: str, after: str, retry_after: float | None) -> None:
        self.changes.append((before, after, retry_after))

    @property
    def statistics(self) -> BreakerStatistics:
        return self.breaker.statistics

    def permit(self) -> Permit:
        permit = self.breaker.admit()
        assert permit is not None
        return permit

    def attempts(self, *verdicts: Verdict, lasting: float = 0.1) -> None:
        for verdict in verdicts:
            self.breaker.finish(self.permit(), verdict, lasting)

    def execution(self, verdict: Verdict) -> None:
        permit = self.permit()
        self.breaker.finish(permit, verdict, 0.1)
        self.breaker.finish_execution(permit, verdict)

    def trip(self) -> None:
        while self.breaker.state == "closed":
            self.execution(Verdict.FAILURE)

    def due(self) -> None:
        """Trip, and wait until a probe is let through."""
        self.trip()
        self.clock.advance(self.breaker.retry_after or 0.0)

    def restarted(self, state: Any = None) -> CircuitBreaker:
        kept = json.loads(json.dumps(self.breaker.to_state() if state is None else state))
        return CircuitBreaker.from_state(kept, self.policy, clock=self.clock, chance=self.chance)


def test_the_fifth_failed_execution_in_a_row_trips_it_a07():
    bench = Bench()
    for _ in range(4):
        bench.execution(Verdict.FAILURE)
    assert bench.breaker.state == "closed"
    bench.execution(Verdict.FAILURE)
    assert bench.breaker.state == "open"
    assert not bench.breaker.admits
    assert bench.breaker.admit() is None
    assert bench.changes == [("closed", "open", 30.0)]


def test_a_success_between_failures_begins_the_count_anew():
    bench = Bench()
    for verdict in [Verdict.FAILURE] * 4 + [Verdict.SUCCESS] + [Verdict.FAILURE] * 4:
        bench.execution(verdict)
    assert bench.breaker.state == "closed"


@pytest.mark.parametrize("verdict", [Verdict.RELEASED, Verdict.CENSORED])
def test_a_verdict_that_says_nothing_neither_counts_nor_clears_a17(verdict: Verdict):
    bench = Bench()
    for each in [Verdict.FAILURE] * 4 + [verdict] * 9:
        bench.execution(each)
    assert bench.breaker.state == "closed"
    bench.execution(Verdict.FAILURE)
    assert bench.breaker.state == "open"


def test_failed_attempts_alone_do_not_trip_it_a07():
    bench = Bench()
    for _ in range(50):
        bench.breaker.finish(bench.permit(), Verdict.FAILURE, 1.0)
    assert bench.breaker.state == "closed"


def test_after_the_cool_down_it_stays_open_until_somebody_is_admitted():
    bench = Bench()
    bench.trip()
    assert bench.breaker.retry_after == 30
    bench.clock.advance(29.5)
    assert (bench.breaker.admits, bench.breaker.retry_after) == (False, 0.5)
    bench.clock.advance(0.5)
    assert (bench.breaker.admits, bench.breaker.state, bench.breaker.retry_after) == (True, "open", 0)


def test_whoever_is_admitted_after_the_cool_down_makes_it_half_open():
    bench = Bench()
    bench.trip()
    bench.clock.advance(30)
    assert bench.permit().probe
    assert (bench.breaker.admits, bench.breaker.state) == (False, "half_open")
    assert bench.breaker.retry_after is None


def test_a_peek_takes_no_permit():
    bench = Bench()
    bench.trip()
    bench.clock.advance(30)
    assert [bench.breaker.admits for _ in range(3)] == [True, True, True]
    assert bench.permit().probe


def test_a_successful_probe_closes_it_and_clears_count_and_back_off_a07():
    bench = Bench()
    bench.trip()
    bench.clock.advance(30)
    bench.execution(Verdict.SUCCESS)
    assert bench.breaker.state == "closed"
    for _ in range(4):
        bench.execution(Verdict.FAILURE)
    assert bench.breaker.state == "closed"
    bench.execution(Verdict.FAILURE)
    assert bench.breaker.retry_after == 30


def test_each_failed_probe_doubles_the_cool_down_up_to_ten_minutes_a07():
    bench = Bench()
    bench.trip()
    waits = []
    for _ in range(7):
        wait = bench.breaker.retry_after
        assert wait is not None
        waits.append(wait)
        bench.clock.advance(wait)
        bench.execution(Verdict.FAILURE)
    assert waits == [30, 60, 120, 240, 480, 600, 600]


@pytest.mark.parametrize(("chance", "wait"), [(0.0, 22.5), (0.5, 30.0), (0.999999, 37.5)])
def test_the_cool_down_is_spread_by_a_quarter_a07(chance: float, wait: float):
    bench = Bench(chance=chance)
    bench.trip()
    assert bench.breaker.retry_after == pytest.approx(wait, rel=1e-5)


def test_the_spread_never_goes_beyond_the_longest_cool_down():
    bench = Bench(BreakerPolicy(cool_down=600), chance=0.999999)
    bench.trip()
    assert bench.breaker.retry_after == 600


def test_a_released_probe_gives_its_place_to_the_next_and_decides_nothing():
    bench = Bench()
    bench.trip()
    bench.clock.advance(30)
    bench.breaker.finish(bench.permit(), Verdict.RELEASED, 0.0)
    assert bench.breaker.state == "half_open"
    assert bench.permit().probe


def test_a_probe_given_back_twice_does_not_free_the_place_of_the_next():
    bench = Bench()
    bench.trip()
    bench.clock.advance(30)
    first = bench.permit()
    bench.breaker.finish(first, Verdict.RELEASED, 0.0)
    bench.permit()
    with pytest.raises(PermitError):
        bench.breaker.finish(first, Verdict.RELEASED, 0.0)
    assert bench.breaker.admit() is None


@pytest.mark.parametrize("verdict", list(Verdict))
def test_what_began_before_the_trip_changes_nothing_when_it_ends(verdict: Verdict):
    bench = Bench()
    early = bench.permit()
    bench.trip()
    bench.clock.advance(30)
    probe = bench.permit()
    bench.breaker.finish(early, verdict, 60.0)
    bench.breaker.finish_execution(early, verdict)
    assert bench.breaker.state == "half_open"
    assert bench.breaker.admit() is None
    bench.breaker.finish(probe, Verdict.SUCCESS, 0.1)
    assert bench.breaker.state == "closed"


def test_the_operator_s_readmission_closes_it_and_forgets_what_is_under_way_a07():
    bench = Bench()
    bench.trip()
    bench.clock.advance(30)
    probe = bench.permit()
    bench.breaker.readmit()
    bench.breaker.finish(probe, Verdict.FAILURE, 0.1)
    bench.breaker.finish_execution(probe, Verdict.FAILURE)
    assert bench.breaker.state == "closed"
    assert bench.changes[-1] == ("half_open", "closed", None)
    for _ in range(4):
        bench.execution(Verdict.FAILURE)
    assert bench.breaker.state == "closed"


def test_readmission_clears_the_count_of_a_closed_breaker_too_a07():
    bench = Bench()
    for _ in range(4):
        bench.execution(Verdict.FAILURE)
    bench.breaker.readmit()
    bench.execution(Verdict.FAILURE)
    assert bench.breaker.state == "closed"
    assert bench.changes == []


def test_changes_are_told_once_each_in_their_order():
    bench = Bench()
    bench.trip()
    bench.clock.advance(30)
    bench.execution(Verdict.FAILURE)
    bench.clock.advance(60)
    bench.execution(Verdict.SUCCESS)
    assert bench.changes == [
        ("closed", "open", 30.0),
        ("open", "half_open", None),
        ("half_open", "open", 60.0),
        ("open", "half_open", None),
        ("half_open", "closed", None),
    ]


def test_an_open_breaker_survives_a_restart_and_ages_by_the_wall_clock_a25():
    bench = Bench()
    bench.trip()
    state = bench.breaker.to_state()
    bench.clock.advance(20)
    again = bench.restarted(state)
    assert (again.state, again.retry_after) == ("open", 10)
    bench.clock.advance(20)
    assert bench.restarted(state).admits


def test_the_count_of_failures_survives_a_restart_a25():
    bench = Bench()
    for _ in range(4):
        bench.execution(Verdict.FAILURE)
    bench.breaker = bench.restarted()
    bench.execution(Verdict.FAILURE)
    assert bench.breaker.state == "open"


def test_the_doubling_survives_a_restart_a25():
    bench = Bench()
    bench.trip()
    bench.clock.advance(30)
    bench.execution(Verdict.FAILURE)
    bench.breaker = bench.restarted()
    bench.clock.advance(60)
    bench.execution(Verdict.FAILURE)
    assert bench.breaker.retry_after == 120


def test_its_state_changes_only_when_the_breaker_does():
    bench = Bench()
    bench.trip()
    state = bench.breaker.to_state()
    bench.clock.advance(12.3456789)
    assert bench.breaker.to_state() == state
    assert bench.restarted().to_state() == state
    bench.clock.advance(30)
    bench.breaker.finish(bench.permit(), Verdict.RELEASED, 0.0)
    assert bench.breaker.to_state() == state


def test_a_probe_under_way_at_a_restart_is_due_again_at_once():
    bench = Bench()
    bench.trip()
    bench.clock.advance(30)
    bench.permit()
    again = bench.restarted()
    assert (again.state, again.admits, again.retry_after) == ("open", True, 0)


def test_a_wall_clock_set_back_keeps_nobody_out_for_longer_than_the_longest_cool_down():
    bench = Bench()
    far = (bench.clock.now() + timedelta(days=400)).isoformat()
    again = bench.restarted({"state": "open", "trips": 1, "retry_at": far})
    assert again.retry_after == 600


@pytest.mark.parametrize(
    "state",
    [
        {},
        [],
        "open",
        7,
        {"state": "ajar"},
        {"state": "closed"},
        {"state": "closed", "failures": -1},
        {"state": "closed", "failures": True},
        {"state": "closed", "failures": "4"},
        {"state": "open"},
        {"state": "open", "trips": 0, "retry_at": "2026-01-01T00:05:00+00:00"},
        {"state": "open", "trips": True, "retry_at": "2026-01-01T00:05:00+00:00"},
        {"state": "open", "trips": 1, "retry_at": "tomorrow"},
        {"state": "open", "trips": 1, "retry_at": "2026-01-01T00:05:00"},
        {"state": "open", "trips": 1, "retry_at": 1767225600},
        {"state": "half_open", "trips": 1},
    ],
)
def test_a_state_that_cannot_be_read_is_taken_for_closed(state: Any):
    bench = Bench()
    again = bench.restarted(state)
    assert again.state == "closed"
    assert again.to_state() == {"state": "closed", "failures": 0}


def test_a_document_that_is_missing_is_taken_for_closed():
    bench = Bench()
    again = CircuitBreaker.from_state(None, bench.policy, clock=bench.clock, chance=bench.chance)
    assert again.state == "closed"


def test_a_breaker_made_from_a_state_tells_of_what_changes_from_then_on():
    bench = Bench()
    again = CircuitBreaker.from_state(
        {"state": "closed", "failures": 4},
        bench.policy,
        clock=bench.clock,
        chance=bench.chance,
        on_change=bench.changed,
    )
    permit = again.admit()
    assert permit is not None
    again.finish(permit, Verdict.FAILURE, 0.1)
    again.finish_execution(permit, Verdict.FAILURE)
    assert bench.changes == [("closed", "open", 30.0)]


def test_a_stored_state_is_taken_over_in_place_and_told_to_nobody_a25():
    bench, other = Bench(), Bench()
    other.trip()
    bench.breaker.restore(other.breaker.to_state())
    assert (bench.breaker.state, bench.breaker.retry_after) == ("open", 30)
    assert bench.breaker.to_state() == other.breaker.to_state()
    bench.breaker.restore({"state": "closed", "failures": 4})
    assert bench.changes == []
    bench.execution(Verdict.FAILURE)
    assert bench.changes == [("closed", "open", 30.0)]


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("changes", range(4))
def test_what_began_before_a_state_was_taken_over_changes_nothing_when_it_ends(verdict: Verdict, changes: int):
    bench, other = Bench(), Bench()
    other.trip()
    for _ in range(changes):
        bench.breaker.readmit()
    early = bench.permit()
    bench.breaker.restore(other.breaker.to_state())
    bench.clock.advance(30)
    probe = bench.permit()
    bench.breaker.finish(early, verdict, 60.0)
    bench.breaker.finish_execution(early, verdict)
    assert (bench.breaker.state, bench.breaker.admit()) == ("half_open", None)
    bench.breaker.finish(probe, Verdict.SUCCESS, 0.1)
    assert bench.breaker.state == "closed"


def test_a_failure_from_before_a_state_was_taken_over_is_not_added_to_its_count():
    bench = Bench()
    early = bench.permit()
    bench.breaker.restore({"state": "closed", "failures": 4})
    bench.breaker.finish(early, Verdict.FAILURE, 0.1)
    bench.breaker.finish_execution(early, Verdict.FAILURE)
    assert bench.breaker.to_state() == {"state": "closed", "failures": 4}


def test_a_breaker_needs_nothing_but_its_policy():
    breaker = CircuitBreaker(BreakerPolicy(failures=1))
    permit = breaker.admit()
    assert permit is not None
    breaker.finish(permit, Verdict.FAILURE, 0.1)
    breaker.finish_execution(permit, Verdict.FAILURE)
    assert breaker.state == "open"
    assert 0 < (breaker.retry_after or 0) <= 37.5


def test_a_breaker_whose_policy_is_replaced_keeps_its_count_and_its_cool_down():
    bench = Bench()
    for _ in range(4):
        bench.execution(Verdict.FAILURE)
    bench.breaker.policy = BreakerPolicy(failures=6, cool_down=10)
    bench.execution(Verdict.FAILURE)
    assert bench.breaker.state == "closed"
    bench.execution(Verdict.FAILURE)
    assert bench.breaker.retry_after == 10
    bench.breaker.policy = BreakerPolicy(cool_down=100)
    assert bench.breaker.retry_after == 10
    bench.clock.advance(10)
    bench.execution(Verdict.FAILURE)
    assert bench.breaker.retry_after == 200
