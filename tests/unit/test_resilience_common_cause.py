from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_source_orchestrator.core.clock import ManualClock
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.outcome import CutShort, Executed, Failure
from data_source_orchestrator.core.verdicts import FailureKind, Verdict
from data_source_orchestrator.health.record import record
from data_source_orchestrator.health.state import SourceHealth
from data_source_orchestrator.resilience.common_cause import excuse, is_answer, offline
from data_source_orchestrator.resilience.suspects import Suspects, Withheld, in_doubt

CONNECTION, TIMEOUT = FailureKind.CONNECTION, FailureKind.TIMEOUT


class Book:
    """What was reported, each as its name, or in brackets where it was excused; and who was found offline."""

    def __init__(self) -> None:
        self.reports: list[str] = []
        self.offline: list[tuple[str, ...]] = []
        self.doubting: set[Suspects] = set()

    def run(self) -> Suspects:
        return Suspects(self.doubting, self.offline.append)

    def withhold(
        self, name: str, runs: Sequence[Suspects], *kinds: FailureKind, into: Withheld | None = None
    ) -> Withheld:
        withheld = into or Withheld(name, runs)

        def make(*, excused: bool) -> None:
            self.reports.append(f"({name})" if excused else name)

        for kind in kinds:
            withheld.add(kind, make)
        return withheld


def unreached(*kinds: FailureKind) -> dict[str, FailureKind]:
    return {f"s{number}": kind for number, kind in enumerate(kinds)}


def test_when_every_source_breaks_off_the_monitor_is_offline():
    assert offline(unreached(CONNECTION, CONNECTION, CONNECTION)) == ("s0", "s1", "s2")


def test_one_source_that_fails_alone_tells_about_itself():
    assert offline(unreached(CONNECTION)) == ()
    assert offline({}) == ()


def test_timeouts_may_be_the_smaller_half():
    assert offline(unreached(CONNECTION, TIMEOUT)) == ("s0", "s1")
    assert offline(unreached(CONNECTION, TIMEOUT, TIMEOUT)) == ()
    assert offline(unreached(TIMEOUT, TIMEOUT, TIMEOUT)) == ()


def test_every_error_that_somebody_sent_is_an_answer_and_a_bug_or_an_unknown_error_tells_nothing():
    assert {kind for kind in FailureKind if is_answer(kind)} == {
        FailureKind.SERVER,
        FailureKind.RATE_LIMITED,
        FailureKind.BLOCKED,
        FailureKind.CLIENT,
        FailureKind.CONTENT,
        FailureKind.EMPTY,
    }


def test_an_excused_execution_says_nothing_about_its_source_not_even_that_it_was_cut_short():
    failure = Failure(source="a", kind=TIMEOUT, error=FetchError("timeout"), attempts=1, duration=2.0)
    executed: Executed[object] = Executed(
        outcome=failure, verdict=Verdict.RELEASED, probe=True, cut_short=CutShort(after=2.0, timeout=30.0)
    )
    excused = excuse(executed)
    assert excused.probe
    assert (excused.outcome, excused.verdict, excused.cut_short) == (failure, Verdict.RELEASED, None)
    assert excused.offline
    assert record(SourceHealth(), excused, ManualClock().now()).executions == 0


def test_reports_wait_for_the_first_answer_and_are_then_made_as_they_were_and_in_order():
    book = Book()
    with book.run() as run:
        book.withhold("a", [run], CONNECTION)
        book.withhold("b", [run], TIMEOUT, CONNECTION)
        assert book.reports == []
        run.answered()
        assert book.reports == ["a", "b", "b"]
        book.withhold("c", [run], CONNECTION)
        assert book.reports == ["a", "b", "b", "c"]
    assert book.offline == []


def test_a_run_that_nobody_answered_excuses_everybody_together_and_tells_it_once():
    book = Book()
    with book.run() as run:
        for name in "abc":
            book.withhold(name, [run], TIMEOUT, CONNECTION)
    assert book.reports == ["(a)", "(a)", "(b)", "(b)", "(c)", "(c)"]
    assert book.offline == [run.offline] == [("a", "b", "c")]


def test_a_run_that_could_not_reach_one_source_blames_it():
    book = Book()
    with book.run() as run:
        book.withhold("a", [run], CONNECTION, CONNECTION)
    assert (book.reports, book.offline) == (["a", "a"], [])


def test_a_source_counts_by_how_it_failed_last():
    book = Book()
    with book.run() as run:
        book.withhold("a", [run], CONNECTION, TIMEOUT)
        book.withhold("b", [run], TIMEOUT)
    assert (book.reports, book.offline) == (["a", "a", "b"], [])


def test_a_run_that_was_offline_excuses_nothing_that_is_reported_after_it_was_over():
    book = Book()
    first, second = book.run(), book.run()
    with second:
        with first:
            shared = book.withhold("a", [first, second], CONNECTION)
            book.withhold("b", [first], CONNECTION)
        book.withhold("a", [], TIMEOUT, into=shared)
        book.withhold("c", [second], TIMEOUT)
    assert book.reports == ["(b)", "(a)", "a", "c"]


def test_what_was_excused_once_is_not_excused_for_ever():
    book = Book()
    with book.run() as first:
        withheld = book.withhold("a", [first], CONNECTION)
        book.withhold("b", [first], CONNECTION)
    with book.run() as second:
        withheld.join(second)
        book.withhold("a", [second], CONNECTION, into=withheld)
    assert book.reports == ["(a)", "(b)", "a"]


def test_an_answer_is_heard_by_every_run_that_has_joined():
    book = Book()
    with book.run() as first, book.run() as second:
        withheld = book.withhold("a", [first])
        withheld.join(second)
        withheld.answered()
        assert (first.settled, second.settled, book.doubting) == (True, True, set())


def test_a_report_that_nobody_doubts_is_made_at_once_and_said_to_be():
    made: list[bool] = []

    def make(*, excused: bool) -> None:
        made.append(excused)

    book = Book()
    with book.run() as run:
        withheld = book.withhold("a", [run])
        assert withheld.add(CONNECTION, make)
        run.answered()
        assert not withheld.add(CONNECTION, make)
    assert made == [False, False]


def test_nothing_is_held_while_nobody_is_inside():
    book = Book()
    run = book.run()
    assert not in_doubt([run])
    book.withhold("a", [run], CONNECTION)
    with run:
        pass
    book.withhold("b", [run], CONNECTION)
    assert book.reports == ["a", "b"]


def test_all_who_are_inside_are_judged_together_when_the_last_one_leaves():
    book = Book()
    run = book.run()
    with run:
        with run:
            book.withhold("a", [run], CONNECTION)
        assert book.reports == []
        book.withhold("b", [run], CONNECTION)
    assert book.offline == [("a", "b")]
    with run:
        book.withhold("c", [run], CONNECTION)
    assert book.reports == ["(a)", "(b)", "c"]


def test_whoever_enters_after_an_answer_doubts_nothing():
    book = Book()
    run = book.run()
    with run:
        run.answered()
        with run:
            assert run.settled
            book.withhold("a", [run], CONNECTION)
            assert book.reports == ["a"]


def test_it_is_among_the_doubting_while_it_has_heard_nobody():
    book = Book()
    with book.run() as run:
        assert book.doubting == {run}
        run.answered()
        assert book.doubting == set()
    with book.run():
        pass
    assert book.doubting == set()


def test_an_answer_in_one_run_lets_go_what_it_shares_with_another_and_clears_that_too():
    book = Book()
    with book.run() as one, book.run() as other:
        book.withhold("alone", [other], CONNECTION)
        book.withhold("shared", [one, other], CONNECTION)
        one.answered()
        assert sorted(book.reports) == ["alone", "shared"]
        assert other.settled
    assert book.offline == []


def test_what_two_runs_share_is_excused_only_when_neither_can_hear_an_answer_any_longer():
    book = Book()
    with book.run() as longer:
        with book.run() as shorter:
            book.withhold("shared", [shorter, longer], CONNECTION)
            book.withhold("alone", [shorter], CONNECTION)
        assert (book.reports, book.offline) == (["(alone)"], [("shared", "alone")])
    assert book.reports == ["(alone)", "(shared)"]


def test_an_answer_in_the_longer_run_blames_what_the_shorter_one_would_have_excused():
    book = Book()
    with book.run() as longer:
        with book.run() as shorter:
            book.withhold("shared", [shorter, longer], CONNECTION)
            book.withhold("alone", [shorter], CONNECTION)
        longer.answered()
    assert book.reports == ["(alone)", "shared"]


def test_a_run_that_joins_has_its_say_in_what_was_withheld_before():
    book = Book()
    with book.run() as second:
        with book.run() as first:
            withheld = book.withhold("shared", [first], CONNECTION)
            withheld.join(second)
        assert book.reports == []
        second.answered()
    assert book.reports == ["shared"]


def test_what_was_reported_before_a_run_joined_says_nothing_in_it():
    book = Book()
    with book.run() as first:
        withheld = book.withhold("shared", [first], CONNECTION)
    with book.run() as second:
        withheld.join(second)
        book.withhold("alone", [second], CONNECTION)
    assert (book.reports, book.offline) == (["shared", "alone"], [])


def test_a_run_that_joins_and_has_heard_an_answer_clears_the_others():
    book = Book()
    with book.run() as first, book.run() as second:
        second.answered()
        book.withhold("alone", [first], CONNECTION)
        withheld = book.withhold("shared", [first], CONNECTION)
        withheld.join(second)
        assert book.reports == ["alone", "shared"]


def test_what_one_of_its_runs_has_heard_leaves_no_doubt_in_any():
    book = Book()
    with book.run() as first, book.run() as second:
        assert in_doubt([first, second])
        book.withhold("alone", [first], CONNECTION)
        second.answered()
        assert not in_doubt([first, second])
        assert book.reports == ["alone"]
    assert not in_doubt([])


RUNS = 3
STEPS = st.one_of(
    st.tuples(st.just("enter"), st.integers(0, RUNS - 1)),
    st.tuples(st.just("leave"), st.integers(0, RUNS - 1)),
    st.tuples(st.just("answer"), st.integers(0, RUNS - 1)),
    st.tuples(st.just("fail"), st.sets(st.integers(0, RUNS - 1), min_size=1)),
)


@given(st.lists(STEPS, max_size=30))
def test_whatever_overlaps_every_report_is_made_exactly_once_and_none_when_all_are_over(
    steps: list[tuple[str, int | set[int]]],
):
    book = Book()
    runs = [book.run() for _ in range(RUNS)]
    inside = [0] * RUNS
    failed = 0
    for verb, of in steps:
        match verb, of:
            case "enter", int(number):
                runs[number].__enter__()
                inside[number] += 1
            case "leave", int(number) if inside[number]:
                runs[number].__exit__(None, None, None)
                inside[number] -= 1
            case "answer", int(number):
                runs[number].answered()
            case "fail", set(numbers):
                book.withhold(f"s{failed}", [runs[number] for number in sorted(numbers)], CONNECTION)
                failed += 1
            case _:
                pass
        assert len(book.reports) == len({report.strip("()") for report in book.reports})
        assert book.doubting == {run for run, count in zip(runs, inside, strict=True) if count and not run.settled}
    for number, run in enumerate(runs):
        for _ in range(inside[number]):
            run.__exit__(None, None, None)
    assert sorted(report.strip("()") for report in book.reports) == sorted(f"s{number}" for number in range(failed))
    excused = {report.strip("()") for report in book.reports if report.startswith("(")}
    assert excused <= {source for sources in book.offline for source in sources}


@pytest.mark.parametrize("first", ["settle", "close"])
def test_a_report_that_was_made_is_not_made_again_by_the_end_of_its_run(first: str):
    book = Book()
    with book.run() as run:
        book.withhold("a", [run], CONNECTION)
        if first == "settle":
            run.answered()
        else:
            run.close()
    run.close()
    assert book.reports == ["a"]
