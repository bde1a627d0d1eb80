"""A source's health as it grows: the fold's own numbers, kept in place, because a step of the fold takes too long.

Whoever looks gets the frozen state. It judges nothing.
"""

from collections import deque
from dataclasses import replace
from datetime import datetime

from data_source_orchestrator.core.outcome import Executed, Failure, Success
from data_source_orchestrator.core.verdicts import FailureKind, Verdict
from data_source_orchestrator.health.record import last_failure, record
from data_source_orchestrator.health.state import KEPT, Execution, SourceHealth

_Row = tuple[datetime, FailureKind | None, float, float | None, int]
"""An execution: when, the kind of its failure, its duration, its latency, its attempts."""


class LiveHealth:
    """One source's health; `note` does to `state` what `record` does, and leaves to that what is no plain step."""

    __slots__ = (
        "_consecutive",
        "_failures",
        "_frozen",
        "_last_failure",
        "_last_success",
        "_latencies",
        "_newest",
        "_recent",
        "_state",
        "_successes",
        "_total_duration",
        "_untold",
    )

    def __init__(self) -> None:
        self.load(SourceHealth())

    def load(self, state: SourceHealth) -> None:
        """Take over a state as it is."""
        self._state = state
        self._frozen: SourceHealth | None = state
        self._recent: deque[_Row] = deque(
            ((e.at, e.kind, e.duration, e.latency, e.attempts) for e in state.recent), maxlen=KEPT
        )
        self._latencies = deque(state.latencies, maxlen=KEPT)
        self._newest = state.recent[-1].at if state.recent else None
        self._untold = bool(state.cuts or state.offline)
        self._consecutive = state.consecutive_failures
        self._successes, self._failures = state.successes, state.failures
        self._total_duration = state.total_duration
        self._last_success, self._last_failure = state.last_success, state.last_failure

    def note(self, executed: Executed[object], at: datetime) -> None:
        """Take in an execution that ended at `at`, in whatever order."""
        outcome = executed.outcome
        if self._untold or (self._newest is not None and at < self._newest):
            self.load(record(self.state, executed, at))
        elif executed.verdict is Verdict.SUCCESS and isinstance(outcome, Success):
            self._succeeded(outcome, at)
        elif executed.verdict is Verdict.FAILURE and isinstance(outcome, Failure):
            self._failed(outcome, at)
        elif executed.offline or executed.cut_short is not None:
            self.load(record(self.state, executed, at))

    def _succeeded(self, outcome: Success[object], at: datetime) -> None:
        self._recent.append((at, None, outcome.duration, outcome.latency, outcome.attempts))
        if outcome.latency is not None:
            self._latencies.append(outcome.latency)
        self._consecutive = 0
        self._successes += 1
        self._total_duration += outcome.duration
        self._last_success = self._newest = at
        self._frozen = None

    def _failed(self, outcome: Failure, at: datetime) -> None:
        self._recent.append((at, outcome.kind, outcome.duration, None, outcome.attempts))
        self._consecutive += 1
        self._failures += 1
        self._total_duration += outcome.duration
        self._last_failure = last_failure(outcome, at)
        self._newest = at
        self._frozen = None

    @property
    def state(self) -> SourceHealth:
        """The health as it is now."""
        if self._frozen is None:
            self._frozen = replace(
                self._state,
                recent=tuple(_execution(row) for row in self._recent),
                latencies=tuple(self._latencies),
                consecutive_failures=self._consecutive,
                successes=self._successes,
                failures=self._failures,
                total_duration=self._total_duration,
                last_success=self._last_success,
                last_failure=self._last_failure,
            )
        return self._frozen


def _execution(row: _Row) -> Execution:
    at, kind, duration, latency, attempts = row
    verdict = Verdict.SUCCESS if kind is None else Verdict.FAILURE
    return Execution(at=at, verdict=verdict, kind=kind, duration=duration, latency=latency, attempts=attempts)
