"""What a person watches: lines folded from events, and how they look at every width."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest

from data_source_orchestrator.cli.live import frame, told
from data_source_orchestrator.cli.notices import notice
from data_source_orchestrator.cli.progress import Asking, Board, Checked, Ended, Pausing, SwitchedOff, Waiting
from data_source_orchestrator.cli.screen import PatientConsole
from data_source_orchestrator.core.clock import ManualClock
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.events import (
    AttemptStarted,
    BreakerChanged,
    BytesReceived,
    Event,
    FetcherAbandoned,
    RetryScheduled,
    RunStarted,
    SourceChecked,
    SourceFinished,
    SourceUnreached,
)
from data_source_orchestrator.core.outcome import Executed, Failure, Outcome, Skipped, Success
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.core.verdicts import FailureKind, SkipReason, Verdict

NOON = datetime(2026, 5, 7, 12, tzinfo=UTC)


def source(key: str, **members: Any) -> Source[Any]:
    return Source(key=key, title=key.title(), fetcher=lambda: None, **members)


def started(*keys: str) -> RunStarted:
    return RunStarted(at=NOON, run_id="r1", sources=keys)


def attempt(key: str, number: int) -> AttemptStarted:
    return AttemptStarted(at=NOON, source=key, attempt=number)


def finished(outcome: Outcome[object]) -> SourceFinished:
    return SourceFinished(at=NOON, executed=Executed(outcome=outcome, verdict=Verdict.SUCCESS))


DONE: Success[object] = Success(source="pear", data=[], attempts=2, duration=3, latency=1)
FAILED = Failure(source="pear", kind=FailureKind.RATE_LIMITED, error=FetchError("rate_limited"), attempts=1, duration=1)
REFUSED = Skipped(source="pear", reason=SkipReason.CIRCUIT_OPEN)


class Watched:
    """A board of three sources, one of them disabled, on a clock that is moved by hand."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        sources = [source("pear"), source("fig"), source("sloe", enabled=False)]
        self.board = Board(sources, self.clock.monotonic)
        self.board(started("pear", "fig", "sloe"))

    def after(self, seconds: float, event: Event) -> None:
        self.clock.advance(seconds)
        self.board(event)

    def frame(self, width: int = 80, encoding: str = "utf-8") -> list[str]:
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        console = PatientConsole(file=stream, force_terminal=True, width=width)
        return [line.plain for line in frame(self.board, console)]


def test_a_run_begins_with_all_waiting_but_the_disabled():
    watched = Watched()
    assert [(line.key, line.state) for line in watched.board.lines] == [
        ("pear", Waiting()),
        ("fig", Waiting()),
        ("sloe", SwitchedOff()),
    ]


def test_a_line_follows_its_source_from_attempt_to_outcome():
    watched = Watched()
    states = []
    for seconds, event in [
        (1, attempt("pear", 1)),
        (1, BytesReceived(at=NOON, source="pear", total=700)),
        (0, RetryScheduled(at=NOON, source="pear", attempt=2, delay=1.5, kind=FailureKind.SERVER)),
        (1.5, attempt("pear", 2)),
        (1, finished(DONE)),
    ]:
        watched.after(seconds, event)
        line = watched.board.lines[0]
        states.append((line.state, line.received, line.elapsed(watched.board.now)))
    assert states == [
        (Asking(1), 0, 0.0),
        (Asking(1), 700, 1.0),
        (Pausing(2, 3.5, FailureKind.SERVER), 700, 1.0),
        (Asking(2), 0, 2.5),
        (Ended(DONE), 0, 3.5),
    ]
    watched.clock.advance(10)
    assert watched.board.lines[0].elapsed(watched.board.now) == 3.5
    assert watched.board.lines[1].elapsed(watched.board.now) is None


def test_the_wait_for_the_next_attempt_is_counted_down():
    watched = Watched()
    watched.after(0, attempt("pear", 1))
    watched.after(1, RetryScheduled(at=NOON, source="pear", attempt=2, delay=2, kind=FailureKind.RATE_LIMITED))
    counted = []
    for _ in range(3):
        watched.clock.advance(0.8)
        counted.append(watched.frame()[0].split("  ")[1])
    assert counted == [f"attempt 2 in {left} s (rate limited)" for left in ("1.2", "0.4", "0.0")]


def test_a_frame_tells_shape_word_bytes_and_seconds():
    watched = Watched()
    watched.after(0, attempt("pear", 1))
    watched.after(1.25, BytesReceived(at=NOON, source="pear", total=12_345))
    assert watched.frame() == [
        "● Pear  asking                                 12 kB    1.2 s",
        "· Fig   waiting",
        "\N{EN DASH} Sloe  disabled",
    ]


def test_a_narrow_terminal_gets_fewer_words_and_no_bytes():
    watched = Watched()
    watched.after(0, attempt("pear", 1))
    watched.after(1, RetryScheduled(at=NOON, source="pear", attempt=2, delay=2, kind=FailureKind.RATE_LIMITED))
    assert watched.frame(40)[0] == "◌ Pear  retry in 2.0 s             1.0 s"
    for width in range(20, 120):
        assert max(map(len, watched.frame(width))) <= width


def test_ascii_shapes_stand_where_nothing_else_can():
    watched = Watched()
    watched.after(0, attempt("pear", 1))
    lines = watched.frame(encoding="latin-1")
    assert [line[0] for line in lines] == ["*", ".", "-"]
    assert all(line.isascii() for line in lines)


@pytest.mark.parametrize(
    ("outcome", "shape", "words"),
    [(DONE, "✓", "done"), (FAILED, "✗", "failed: rate limited"), (REFUSED, "\N{EN DASH}", "skipped: circuit open")],
)
def test_each_ending_has_its_shape_and_its_words(outcome: Outcome[object], shape: str, words: str):
    watched = Watched()
    watched.after(0, finished(outcome))
    mark, said = told(watched.board.lines[0], 0.0)
    assert (mark.shape, said) == (shape, words)


def test_checks_are_shown_as_they_end():
    watched = Watched()
    watched.board.begin_checks()
    watched.after(1, SourceChecked(at=NOON, source="pear", ok=True))
    assert [line.state for line in watched.board.lines] == [Checked(answered=True), Asking(1), SwitchedOff()]
    watched.after(1, SourceChecked(at=NOON, source="fig", ok=False))
    assert [told(line, 0.0)[1] for line in watched.board.lines] == ["answered", "no good answer", "disabled"]
    assert [line.elapsed(9.0) for line in watched.board.lines] == [1.0, 2.0, None]


def test_a_source_that_nobody_has_answered_has_ended_before_it_is_known_whose_fault_that_was():
    watched = Watched()
    broken = Failure(source="pear", kind=FailureKind.CONNECTION, error=FetchError("connection"), attempts=1, duration=1)
    executed: Executed[object] = Executed(outcome=broken, verdict=Verdict.FAILURE)
    watched.after(0, attempt("pear", 1))
    watched.after(1, SourceUnreached(at=NOON, executed=executed))
    assert watched.board.lines[0].state == Ended(broken)
    watched.after(30, SourceFinished(at=NOON, executed=executed))
    assert watched.board.lines[0].state == Ended(broken)
    assert watched.board.lines[0].elapsed(watched.board.now) == 1.0


def test_a_source_that_the_run_is_not_about_is_not_shown():
    watched = Watched()
    watched.board(started("fig"))
    watched.after(0, attempt("pear", 1))
    assert [line.key for line in watched.board.lines] == ["fig"]


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (
            BreakerChanged(at=NOON, source="pear", before="closed", after="open", retry_after=30),
            "pear failed too often in a row, and is left alone for 30.0 s; `dso enable pear` lifts that",
        ),
        (
            BreakerChanged(at=NOON, source="pear", before="half_open", after="closed"),
            "pear has recovered, and is asked again",
        ),
        (BreakerChanged(at=NOON, source="pear", before="open", after="half_open"), None),
        (
            FetcherAbandoned(at=NOON, source="pear", after=1.0, thread=True),
            "the thread of pear went on for 1.00 s after its time was up; nobody waits for it any longer",
        ),
        (attempt("pear", 1), None),
    ],
)
def test_only_what_no_outcome_says_is_noticed(event: Event, sentence: str | None):
    assert notice(event) == sentence


def test_a_breaker_that_somebody_holds_is_a_notice():
    held = BreakerChanged(at=NOON, source="wzstats", before="closed", after="forced_open")
    told = "the circuit breaker of wzstats is held open: the source is not asked until somebody lets go of it"
    assert notice(held) == told
