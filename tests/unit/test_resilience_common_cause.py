import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_source_orchestrator.core.clock import ManualClock
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.outcome import Executed, Failure, Outcome, Skipped, Success
from data_source_orchestrator.core.verdicts import FailureKind, SkipReason, Verdict
from data_source_orchestrator.health.record import record
from data_source_orchestrator.health.state import SourceHealth
from data_source_orchestrator.resilience.common_cause import Suspects, excuse, offline

ANSWERS = ["server", "rate_limited", "blocked", "client", "content", "empty"]
WORDS = st.sampled_from(["success", "skipped", *FailureKind])


def outcome(word: str, source: str = "a") -> Outcome[object]:
    if word == "success":
        return Success(source=source, data=1, attempts=1, duration=0.1, latency=0.1)
    if word == "skipped":
        return Skipped(source=source, reason=SkipReason.CIRCUIT_OPEN)
    return Failure(source=source, kind=FailureKind(word), error=FetchError(word), attempts=1, duration=0.1)


def run(*words: str) -> list[Outcome[object]]:
    return [outcome(word, f"s{number}") for number, word in enumerate(words)]


def executed(word: str, source: str = "a") -> Executed[object]:
    verdicts = {"success": Verdict.SUCCESS, "skipped": Verdict.RELEASED}
    return Executed(outcome=outcome(word, source), verdict=verdicts.get(word, Verdict.FAILURE))


def test_when_every_source_breaks_off_the_monitor_is_offline():
    assert offline(run("connection", "connection", "connection")) == ("s0", "s1", "s2")


@pytest.mark.parametrize("answer", ["success", *ANSWERS])
def test_any_answer_at_all_proves_that_the_network_works(answer: str):
    assert offline(run("connection", "connection", answer)) == ()


def test_one_source_that_fails_alone_tells_about_itself():
    assert offline(run("connection")) == ()
    assert offline(run("connection", "skipped", "bug", "unknown")) == ()
    assert offline([outcome("connection", "a"), outcome("connection", "a")]) == ()


def test_what_was_skipped_a_bug_and_an_unknown_error_tell_nothing_either_way():
    assert offline(run("skipped", "connection", "bug", "connection", "unknown")) == ("s1", "s3")


def test_timeouts_may_be_the_smaller_half():
    assert offline(run("connection", "timeout")) == ("s0", "s1")
    assert offline(run("connection", "timeout", "timeout")) == ()
    assert offline(run("timeout", "timeout", "timeout")) == ()


def test_an_empty_run_is_not_offline():
    assert offline([]) == ()


def test_while_nobody_has_answered_failures_are_held_back_and_the_first_answer_lets_them_go():
    suspects = Suspects()
    a, b, c = executed("connection", "a"), executed("timeout", "b"), executed("server", "c")
    assert suspects.ended(a) == ()
    assert suspects.ended(b) == ()
    assert suspects.ended(c) == (a, b, c)
    d = executed("connection", "d")
    assert suspects.ended(d) == (d,)
    assert suspects.close().executions == ()


@pytest.mark.parametrize("word", ["skipped", "bug", "unknown"])
def test_what_tells_nothing_is_recorded_at_once_and_settles_nothing(word: str):
    suspects = Suspects()
    silent = executed(word, "b")
    suspects.ended(executed("connection", "a"))
    assert suspects.ended(silent) == (silent,)
    assert suspects.ended(executed("connection", "c")) == ()


def test_a_run_in_which_nobody_answered_ends_with_everybody_excused():
    suspects = Suspects()
    held = [executed("connection", key) for key in "abc"]
    for each in held:
        suspects.ended(each)
    judged = suspects.close()
    assert judged.offline == ("a", "b", "c")
    assert judged.executions == tuple(excuse(each) for each in held)
    assert {each.verdict for each in judged.executions} == {Verdict.RELEASED}


def test_a_run_with_one_unreached_source_ends_with_its_failure():
    suspects = Suspects()
    alone = executed("connection", "a")
    suspects.ended(alone)
    judged = suspects.close()
    assert (judged.executions, judged.offline) == ((alone,), ())


def test_what_ends_after_its_run_is_not_held():
    suspects = Suspects()
    suspects.close()
    late = executed("connection", "a")
    assert suspects.ended(late) == (late,)


def test_an_excused_failure_counts_neither_against_nor_for_the_sources_uptime():
    health = record(SourceHealth(), excuse(executed("connection")), ManualClock().now())
    assert health == SourceHealth()


@given(st.lists(WORDS, max_size=8))
def test_every_execution_is_recorded_exactly_once_and_held_back_only_while_nobody_answered(words: list[str]):
    suspects = Suspects()
    executions = [executed(word, f"s{number}") for number, word in enumerate(words)]
    recorded: list[Executed[object]] = []
    for each in executions:
        recorded.extend(suspects.ended(each))
    judged = suspects.close()
    assert judged.offline == offline(each.outcome for each in executions)
    everything = [*recorded, *judged.executions]
    assert sorted(each.outcome.source for each in everything) == sorted(each.outcome.source for each in executions)
    blamed = {each.outcome.source for each in everything if each.verdict is Verdict.FAILURE}
    failed = {each.outcome.source for each in executions if each.verdict is Verdict.FAILURE}
    assert blamed == failed - set(judged.offline)
