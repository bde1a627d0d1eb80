"""The fold of health: one execution, or one check, and the state of its source after it.

It judges nothing: what the numbers mean is told by `status`.
"""

from dataclasses import replace
from datetime import datetime

from data_source_orchestrator.core.outcome import Executed, Failure, Success
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.health.state import KEPT, Check, Execution, LastFailure, SourceHealth

LONGEST_MESSAGE = 500
"""Characters of an error that are kept; an upstream's whole page is no message."""


def record(state: SourceHealth, executed: Executed[object], at: datetime) -> SourceHealth:
    """Fold in an execution that ended at `at`; what says nothing about the source changes nothing."""
    outcome = executed.outcome
    if executed.verdict is Verdict.SUCCESS and isinstance(outcome, Success):
        return _succeeded(state, outcome, at)
    if executed.verdict is Verdict.FAILURE and isinstance(outcome, Failure):
        return _failed(state, outcome, at)
    return state


def checked(state: SourceHealth, executed: Executed[object], at: datetime) -> SourceHealth:
    """Note what a health check found, and nothing else; a check that was not carried out leaves the last one."""
    outcome = executed.outcome
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
    return SourceHealth(
        recent=(*state.recent[1 - KEPT :], execution),
        latencies=(*state.latencies[1 - KEPT :], outcome.latency),
        consecutive_failures=0,
        successes=state.successes + 1,
        failures=state.failures,
        total_duration=state.total_duration + outcome.duration,
        last_success=at,
        last_failure=state.last_failure,
        last_check=state.last_check,
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
    return SourceHealth(
        recent=(*state.recent[1 - KEPT :], execution),
        latencies=state.latencies,
        consecutive_failures=state.consecutive_failures + 1,
        successes=state.successes,
        failures=state.failures + 1,
        total_duration=state.total_duration + outcome.duration,
        last_success=state.last_success,
        last_failure=LastFailure(at=at, kind=outcome.kind, message=outcome.message[:LONGEST_MESSAGE]),
        last_check=state.last_check,
    )


def _message(failure: Failure) -> str:
    return f"{failure.kind}: {failure.message}"[:LONGEST_MESSAGE]
