"""The fold of health: what one execution, or one check, changes."""

from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from data_source_orchestrator.core.errors import ConfigurationError, FetchError
from data_source_orchestrator.core.outcome import CutShort, Executed, Failure, Skipped, Success
from data_source_orchestrator.core.verdicts import FailureKind, SkipReason, Verdict
from data_source_orchestrator.health.record import LONGEST_MESSAGE, checked, readmitted, record
from data_source_orchestrator.health.state import KEPT, Check, Cut, LastFailure, SourceHealth, history
from data_source_orchestrator.health.status import uptime
from data_source_orchestrator.resilience.common_cause import excuse

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def success(latency: float = 0.5, duration: float = 2.0, data: object = "data") -> Executed[object]:
    outcome = Success(source="prices", data=data, attempts=2, duration=duration, latency=latency)
    return Executed(outcome=outcome, verdict=Verdict.SUCCESS)


def failure(kind: FailureKind = FailureKind.SERVER, message: str = "answered 503") -> Executed[object]:
    outcome = Failure(source="prices", kind=kind, error=FetchError(kind, message), attempts=3, duration=4.0)
    return Executed(outcome=outcome, verdict=Verdict.FAILURE)


def skipped() -> Executed[object]:
    return Executed(outcome=Skipped(source="prices", reason=SkipReason.CIRCUIT_OPEN), verdict=Verdict.RELEASED)


def cut_short(after: float = 0.7) -> Executed[object]:
    outcome = failure(FailureKind.TIMEOUT).outcome
    return Executed(outcome=outcome, verdict=Verdict.RELEASED, cut_short=CutShort(after=after, timeout=30.0))


def offline(message: str = "refused") -> Executed[object]:
    return excuse(failure(FailureKind.CONNECTION, message))


def fold(*executions: Executed[object]) -> SourceHealth:
    state = SourceHealth()
    for number, executed in enumerate(executions):
        state = record(state, executed, NOON + timedelta(minutes=number))
    return state


def test_a_success_is_counted_with_its_own_latency_and_its_whole_duration():
    """A06: latency is the successful attempt alone."""
    state = fold(success(latency=0.5, duration=2.0))
    assert (state.executions, state.successes, state.failures) == (1, 1, 0)
    assert state.latencies == (0.5,)
    assert state.total_duration == 2.0
    assert state.last_success == NOON


def test_a_failure_is_counted_with_its_kind_and_message_and_adds_no_latency():
    state = fold(failure(FailureKind.TIMEOUT, "no answer in 10 s"))
    assert (state.executions, state.successes, state.failures) == (1, 0, 1)
    assert state.latencies == ()
    assert state.last_failure == LastFailure(at=NOON, kind=FailureKind.TIMEOUT, message="no answer in 10 s")


def test_d06_an_execution_that_timed_out_keeps_its_attempts_and_duration():
    kept = fold(failure(FailureKind.TIMEOUT)).recent[0]
    assert (kept.attempts, kept.duration, kept.kind) == (3, 4.0, FailureKind.TIMEOUT)


def test_a_success_ends_the_row_of_failures_and_leaves_the_last_failure_remembered():
    state = fold(failure(), failure(), success())
    assert state.consecutive_failures == 0
    assert state.last_failure is not None
    assert state.last_failure.at == NOON + timedelta(minutes=1)


@pytest.mark.parametrize("verdict", [Verdict.RELEASED, Verdict.CENSORED])
@pytest.mark.parametrize("executed", [success(), failure(), skipped()])
def test_a17_what_says_nothing_about_the_source_changes_nothing(executed: Executed[object], verdict: Verdict):
    before = fold(success(), failure())
    assert record(before, structs.replace(executed, verdict=verdict), NOON) is before
    assert checked(before, structs.replace(executed, verdict=verdict), NOON) is before


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_skipped_outcome_changes_nothing_whatever_its_verdict(verdict: Verdict):
    before = fold(failure())
    assert record(before, structs.replace(skipped(), verdict=verdict), NOON) is before


@pytest.mark.parametrize("data", [0, "", False, [], {}])
def test_d22_falsy_data_is_a_success_like_any_other(data: object):
    assert fold(success(data=data)).successes == 1


def test_a12_d17_a_check_keeps_its_own_record_and_never_touches_the_counters():
    before = fold(failure(), success(), failure())
    answered = checked(before, success(latency=0.2), NOON)
    silent = checked(before, failure(FailureKind.CONNECTION, "refused"), NOON)
    assert answered == replace(before, last_check=Check(at=NOON, ok=True, latency=0.2))
    assert silent == replace(before, last_check=Check(at=NOON, ok=False, message="connection: refused"))


def test_executions_leave_the_last_check_as_it_was():
    state = checked(SourceHealth(), failure(), NOON)
    for executed in (success(), failure()):
        assert record(state, executed, NOON).last_check == state.last_check


def test_d16_a_source_enabled_by_hand_starts_its_count_anew_and_keeps_its_past():
    before = fold(success(), failure(), failure())
    assert readmitted(before) == replace(before, consecutive_failures=0)


def at(minute: int) -> datetime:
    return NOON + timedelta(minutes=minute)


def fold_at(*told: tuple[int, Executed[object]]) -> SourceHealth:
    state = SourceHealth()
    for minute, executed in told:
        state = record(state, executed, at(minute))
    return state


def test_an_execution_that_another_process_keeps_late_is_put_at_its_place():
    """A25: what the store holds was folded in the order of commits."""
    state = fold_at((10, success(latency=1.0)), (30, success(latency=3.0)), (20, success(latency=2.0)), (0, failure()))
    assert [execution.at for execution in state.recent] == [at(0), at(10), at(20), at(30)]
    assert state.latencies == (1.0, 2.0, 3.0)
    assert (state.last_success, state.consecutive_failures) == (at(30), 0)
    assert state.last_failure is not None
    assert state.last_failure.at == at(0)
    assert (state.successes, state.failures) == (3, 1)


def test_the_last_failure_is_the_latest_by_time():
    state = fold_at((10, failure(message="new")), (0, failure(message="old")))
    assert state.last_failure == LastFailure(at=at(10), kind=FailureKind.SERVER, message="new")


def test_a_late_success_ends_the_row_of_the_failures_before_it_only():
    state = fold_at((0, failure()), (10, failure()), (20, failure()), (5, success()))
    assert state.consecutive_failures == 2
    assert record(state, success(), at(15)).consecutive_failures == 1
    assert record(state, success(), at(1)).consecutive_failures == 2


def test_a_late_failure_counts_where_it_lies_among_those_counted():
    assert fold_at((0, failure()), (20, failure()), (10, failure())).consecutive_failures == 3
    assert fold_at((0, failure()), (20, success()), (10, failure())).consecutive_failures == 0


def test_d16_a_late_failure_from_before_a_readmission_stays_cleared():
    cleared = readmitted(fold_at((0, failure()), (10, failure())))
    assert record(cleared, failure(), at(5)).consecutive_failures == 0
    again = record(cleared, failure(), at(20))
    assert again.consecutive_failures == 1
    assert record(again, failure(), at(15)).consecutive_failures == 1
    assert record(again, failure(), at(5)).consecutive_failures == 1


def test_an_execution_older_than_all_that_are_kept_is_counted_and_not_kept():
    full = fold_at(*[(n, success(latency=float(n))) for n in range(1, KEPT + 1)])
    state = record(full, success(latency=99.0), at(0))
    assert (state.recent, state.latencies) == (full.recent, full.latencies)
    assert state.successes == KEPT + 1


def test_executions_of_the_same_moment_stay_in_the_order_of_their_telling():
    state = fold_at((0, failure(message="first")), (0, failure(message="second")), (0, success()))
    assert [execution.verdict for execution in state.recent] == ["failure", "failure", "success"]
    assert state.consecutive_failures == 0
    assert state.last_failure is not None
    assert state.last_failure.message == "second"


def test_only_the_last_hundred_executions_and_latencies_are_kept_and_all_are_counted():
    state = fold(*[success(latency=float(n)) for n in range(KEPT + 50)])
    assert len(state.recent) == KEPT
    assert state.latencies == tuple(float(n) for n in range(50, KEPT + 50))
    assert state.executions == KEPT + 50


def test_latencies_of_the_last_hundred_successes_outlive_a_long_outage():
    state = fold(*[success() for _ in range(KEPT)], *[failure() for _ in range(KEPT)])
    assert len(state.latencies) == KEPT
    assert all(execution.verdict is Verdict.FAILURE for execution in state.recent)


def test_an_upstreams_whole_page_is_not_kept_as_a_message():
    state = checked(fold(failure(message="x" * 10_000)), failure(message="x" * 10_000), NOON)
    assert state.last_failure is not None
    assert state.last_check is not None
    assert len(state.last_failure.message) == LONGEST_MESSAGE
    assert len(state.last_check.message) == LONGEST_MESSAGE


def test_d33_history_is_one_sources_and_the_newest_comes_first():
    state = fold(success(), failure(), success())
    assert [execution.at.minute for execution in history(state)] == [2, 1, 0]
    assert [execution.at.minute for execution in history(state, 2)] == [2, 1]


def test_d33_each_source_keeps_a_hundred_executions_of_its_own():
    busy, quiet = fold(*[success() for _ in range(3 * KEPT)]), fold(failure())
    assert len(history(busy)) == KEPT
    assert len(history(quiet)) == 1


def test_d36_a_history_of_zero_gives_nothing():
    assert history(fold(success()), 0) == ()


@pytest.mark.parametrize("limit", [-1, 1.5, True, "3"])
def test_a_history_of_no_whole_number_is_refused(limit: object):
    with pytest.raises(ConfigurationError, match=r"limit is .*; give a whole number of 0 or more"):
        history(SourceHealth(), limit)  # type: ignore[arg-type]  # the wrong type is the subject


def test_d30_a_state_that_was_handed_out_cannot_be_changed():
    state = fold(success())
    with pytest.raises(FrozenInstanceError):
        state.successes = 9  # type: ignore[misc]  # that it cannot be set is the subject


def test_a10_a17_what_the_runs_limit_cut_short_is_remembered_and_changes_nothing_else():
    before = fold(success(), failure())
    after = record(before, cut_short(after=0.7), at(9))
    assert after == replace(before, cuts=(Cut(at=at(9), after=0.7, timeout=30.0),))
    assert checked(before, cut_short(), at(9)) is before


@pytest.mark.parametrize("executed", [success(), failure()])
def test_whatever_tells_of_the_source_ends_the_row_of_cuts_before_it_in_whatever_order(executed: Executed[object]):
    told = [(0, cut_short()), (10, executed), (20, cut_short()), (30, cut_short())]
    for order in (told, told[::-1], [told[2], told[0], told[3], told[1]]):
        assert [cut.at for cut in fold_at(*order).cuts] == [at(20), at(30)]
    assert fold_at(*told, (40, executed)).cuts == ()


def test_what_we_could_not_reach_while_our_own_network_was_down_is_remembered_and_moves_no_number():
    before = fold(failure(), success(), failure())
    after = record(before, offline(), at(9))
    assert after == replace(before, offline=(at(9),))
    assert uptime(after) == uptime(before)


@pytest.mark.parametrize("executed", [success(), failure()])
def test_whatever_tells_of_the_source_ends_our_outages_before_it_in_whatever_order(executed: Executed[object]):
    told = [(0, offline()), (10, executed), (20, offline()), (30, cut_short())]
    for order in (told, told[::-1]):
        state = fold_at(*order)
        assert (state.offline, [cut.at for cut in state.cuts]) == ((at(20),), [at(30)])
    assert fold_at(*told, (40, executed)).offline == ()


def test_no_more_of_our_outages_are_kept_than_executions():
    moments = fold(*[offline()] * (KEPT + 1)).offline
    assert (len(moments), moments[0]) == (KEPT, NOON + timedelta(minutes=1))


def test_a_check_while_our_own_network_is_down_is_kept_as_one_that_says_nothing_of_its_source():
    state = checked(fold(success()), offline("no route to host"), NOON)
    assert state == replace(
        fold(success()), last_check=Check(at=NOON, ok=False, message="connection: no route to host", offline=True)
    )


def test_no_more_cuts_are_kept_than_executions():
    cuts = fold(*[cut_short(after=float(n)) for n in range(KEPT + 1)]).cuts
    assert (len(cuts), cuts[0].after, cuts[-1].after) == (KEPT, 1.0, KEPT)
