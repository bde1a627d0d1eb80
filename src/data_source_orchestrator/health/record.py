"""The fold of health: one execution, or one check, and the state of its source after it.

It judges nothing: what the numbers mean is told by `status`.
"""

from dataclasses import replace
from datetime import datetime

from data_source_orchestrator.core.outcome import CutShort, Executed, Failure, Success
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.health.state import KEPT, Check, Cut, Execution, LastFailure, SourceHealth

LONGEST_MESSAGE = 500
"""Characters of an error that are kept; an upstream's whole page is no message."""


def record(state: SourceHealth, executed: Executed[object], at: datetime) -> SourceHealth:
    """Fold in an execution that ended at `at`, in whatever order.

    What says nothing of the source changes nothing; only that the run's limit cut it short, or that our own network was
    down, is remembered.
    """
    outcome = executed.outcome
    if executed.verdict is Verdict.SUCCESS and isinstance(outcome, Success):
        return _since_the_last_execution(_succeeded(state, outcome, at))
    if executed.verdict is Verdict.FAILURE and isinstance(outcome, Failure):
        return _since_the_last_execution(_failed(state, outcome, at))
    if executed.offline:
        return _since_the_last_execution(replace(state, offline=tuple(sorted((*state.offline, at))[-KEPT:])))
    if executed.cut_short is not None:
        return _cut(state, executed.cut_short, at)
    return state


def checked(state: SourceHealth, executed: Executed[object], at: datetime) -> SourceHealth:
    """Note what a health check found, and nothing else; a check that was not carried out leaves the last one."""
    outcome = executed.outcome
    if executed.offline and isinstance(outcome, Failure):
        return replace(state, last_check=Check(at=at, ok=False, message=_message(outcome), offline=True))
    if executed.verdict is Verdict.SUCCESS and isinstance(outcome, Success):
        return replace(state, last_check=Check(at=at, ok=True, latency=outcome.latency))
    if executed.verdict is Verdict.FAILURE and isinstance(outcome, Failure):
        return replace(state, last_check=Check(at=at, ok=False, message=_message(outcome)))
    return state


def readmitted(state: SourceHealth) -> SourceHealth:
    """Start the count of consecutive failures anew, as enabling by hand does; what happened stays remembered."""
    return replace(state, consecutive_failures=0)


def _succeeded(state: SourceHealth, outcome: Success[object], at: datetime) -> SourceHealth:
    execution = Execution(
        at=at,
        verdict=Verdict.SUCCESS,
        kind=None,
        duration=outcome.duration,
        latency=outcome.latency,
        attempts=outcome.attempts,
    )
    newer = _newer(state, at)
    place = len(state.latencies) - sum(each.latency is not None for each in newer)
    latency = () if outcome.latency is None else (outcome.latency,)
    return replace(
        state,
        recent=_with(state, execution),
        latencies=(*state.latencies[:place], *latency, *state.latencies[place:])[-KEPT:],
        consecutive_failures=min(state.consecutive_failures, len(newer)),
        successes=state.successes + 1,
        total_duration=state.total_duration + outcome.duration,
        last_success=at if state.last_success is None else max(state.last_success, at),
    )


def _failed(state: SourceHealth, outcome: Failure, at: datetime) -> SourceHealth:
    execution = Execution(
        at=at,
        verdict=Verdict.FAILURE,
        kind=outcome.kind,
        duration=outcome.duration,
        latency=None,
        attempts=outcome.attempts,
    )
    last = state.last_failure
    if last is None or last.at <= at:
        last = last_failure(outcome, at)
    return replace(
        state,
        recent=_with(state, execution),
        consecutive_failures=_one_more_in_a_row(state, at),
        failures=state.failures + 1,
        total_duration=state.total_duration + outcome.duration,
        last_failure=last,
    )


def last_failure(outcome: Failure, at: datetime) -> LastFailure:
    """Return what is remembered of a failure that is the last one."""
    return LastFailure(at=at, kind=outcome.kind, message=outcome.message[:LONGEST_MESSAGE])


def _cut(state: SourceHealth, cut_short: CutShort, at: datetime) -> SourceHealth:
    cut = Cut(at=at, after=cut_short.after, timeout=cut_short.timeout)
    cuts = sorted((*state.cuts, cut), key=lambda each: each.at)
    return _since_the_last_execution(replace(state, cuts=tuple(cuts[-KEPT:])))


def _since_the_last_execution(state: SourceHealth) -> SourceHealth:
    """Let go of what could not tell how the source is, where an execution has told it since."""
    if not state.recent or not (state.cuts or state.offline):
        return state
    last = state.recent[-1].at
    return replace(
        state,
        cuts=tuple(cut for cut in state.cuts if cut.at > last),
        offline=tuple(at for at in state.offline if at > last),
    )


def _with(state: SourceHealth, execution: Execution) -> tuple[Execution, ...]:
    """Return the newest executions with one more at its place: processes keep what they saw in no order of time."""
    return tuple(sorted((*state.recent, execution), key=lambda each: each.at)[-KEPT:])


def _newer(state: SourceHealth, at: datetime) -> list[Execution]:
    return [each for each in state.recent if each.at > at]


def _one_more_in_a_row(state: SourceHealth, at: datetime) -> int:
    """Count a failure that is the newest, or newer than one that counts.

    The last `consecutive_failures` executions all failed. Of a failure before them nobody knows whether the source
    was re-admitted in between, which would have cleared it.
    """
    counted, newer = state.consecutive_failures, len(_newer(state, at))
    return counted + 1 if newer == 0 or newer < counted else counted


def _message(failure: Failure) -> str:
    return f"{failure.kind}: {failure.message}"[:LONGEST_MESSAGE]
