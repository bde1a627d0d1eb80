"""A source's health as a JSON document, so that it survives between processes.

A document that is not exactly ours is read as no history: wrong numbers are worse than none. What the first documents
of this schema did not have may be absent.
"""

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.verdicts import FailureKind, Verdict
from data_source_orchestrator.health.state import KEPT, Check, Cut, Execution, LastFailure, SourceHealth
from data_source_orchestrator.health.strict import items, members, moment, number, text, truth, whole

SCHEMA = "dso.health/1"


def to_json(state: SourceHealth) -> dict[str, Json]:
    """Return the document.

    An execution is `[at, kind or null, duration, latency or null, attempts]`, a cut `[at, after, timeout]`, a check
    `[at, ok, latency or null, message, offline]`.
    """
    failure, check = state.last_failure, state.last_check
    return {
        "schema": SCHEMA,
        "recent": [[e.at.isoformat(), e.kind, e.duration, e.latency, e.attempts] for e in state.recent],
        "latencies_s": list(state.latencies),
        "consecutive_failures": state.consecutive_failures,
        "successes": state.successes,
        "failures": state.failures,
        "total_duration_s": state.total_duration,
        "last_success": state.last_success.isoformat() if state.last_success else None,
        "last_failure": [failure.at.isoformat(), failure.kind, failure.message] if failure else None,
        "cuts": [[cut.at.isoformat(), cut.after, cut.timeout] for cut in state.cuts],
        "offline": [at.isoformat() for at in state.offline],
        "last_check": [check.at.isoformat(), check.ok, check.latency, check.message, check.offline] if check else None,
    }


def from_json(document: Json) -> SourceHealth:
    """Return the state that a document holds, or an empty one where the document is not one of ours."""
    try:
        state = _state(document)
    except (KeyError, TypeError, ValueError, OverflowError):
        return SourceHealth()
    return state if _adds_up(state) else SourceHealth()


def _state(document: Json) -> SourceHealth:
    held = members(document, SCHEMA)
    success, failure, check = held["last_success"], held["last_failure"], held["last_check"]
    return SourceHealth(
        recent=tuple(_execution(row) for row in items(held["recent"])),
        latencies=tuple(number(latency) for latency in items(held["latencies_s"])),
        consecutive_failures=whole(held["consecutive_failures"]),
        successes=whole(held["successes"]),
        failures=whole(held["failures"]),
        total_duration=number(held["total_duration_s"]),
        last_success=None if success is None else moment(success),
        last_failure=None if failure is None else _failure(failure),
        cuts=tuple(_cut(row) for row in items(held.get("cuts", []))),
        offline=tuple(moment(at) for at in items(held.get("offline", []))),
        last_check=None if check is None else _check(check),
    )


def _execution(row: Json) -> Execution:
    at, kind, duration, latency, attempts = items(row)
    failed = kind is not None
    if failed and latency is not None:
        raise ValueError("an execution has a kind of failure or a latency, and not both")
    return Execution(
        at=moment(at),
        verdict=Verdict.FAILURE if failed else Verdict.SUCCESS,
        kind=FailureKind(text(kind)) if failed else None,
        duration=number(duration),
        latency=None if latency is None else number(latency),
        attempts=whole(attempts),
    )


def _cut(row: Json) -> Cut:
    at, after, timeout = items(row)
    return Cut(at=moment(at), after=number(after), timeout=number(timeout))


def _failure(row: Json) -> LastFailure:
    at, kind, message = items(row)
    return LastFailure(at=moment(at), kind=FailureKind(text(kind)), message=text(message))


def _check(row: Json) -> Check:
    at, ok, latency, message, *more = items(row)
    [offline] = more or [False]  # the first documents did not tell it
    return Check(
        at=moment(at),
        ok=truth(ok),
        latency=None if latency is None else number(latency),
        message=text(message),
        offline=truth(offline),
    )


def _adds_up(state: SourceHealth) -> bool:
    """Tell whether folding executions could have led here."""
    return (
        len(state.recent) == min(state.executions, KEPT)
        and sum(each.latency is not None for each in state.recent) <= len(state.latencies)
        and len(state.latencies) <= min(state.successes, KEPT)
        and state.consecutive_failures <= state.failures
        and (state.last_success is None) is (state.successes == 0)
        and (state.last_failure is None) is (state.failures == 0)
        and len(state.cuts) <= KEPT
        and len(state.offline) <= KEPT
    )
