"""What each verb answers to programs: plain values, names in snake_case, seconds with `_s`, moments in ISO 8601 UTC.

What is absent is null. Every document begins with its schema, and a field's meaning never changes within one.
"""

import dataclasses
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from data_source_orchestrator.core.age import Age
from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.held import Gate, Held
from data_source_orchestrator.core.outcome import Failure, Outcome, Skipped, Success
from data_source_orchestrator.core.result import FetchResult
from data_source_orchestrator.health.metrics import Metrics, SourceMetrics
from data_source_orchestrator.health.reports import HealthReport, OverallHealth
from data_source_orchestrator.health.state import Check, Cut, LastFailure
from data_source_orchestrator.health.timeliness import Objective
from data_source_orchestrator.orchestration.status import CapabilityStatus, SourceStatus, Status
from data_source_orchestrator.orchestration.sync import Missing, SyncReport
from data_source_orchestrator.orchestration.views import SourceView

NOT_PUBLISHED = "not published by the source"
"""Why a capability that a source declares is not there: no accepted row has ever carried it."""

OPERATOR = "operator"
"""Who has switched a source off where no setting did."""


def document(verb: str, **members: Json) -> dict[str, Json]:
    """Return a verb's document."""
    return {"schema": f"dso.{verb}/1", **members}


def of_sync(report: SyncReport) -> dict[str, Json]:
    """Return what a synchronisation did."""
    change = report.snapshot
    return document(
        "sync",
        **_run(report.result),
        sources={key: _outcome(o, report.records.get(key)) for key, o in report.result.outcomes.items()},
        snapshot={
            "id": change.id,
            "entities": change.entities,
            "new": change.new,
            "changed": change.changed,
            "unchanged": change.unchanged,
            "gone": change.gone,
            "reason": change.reason,
            "held": None if change.held is None else _held(change.held),
            "superseded": change.superseded,
            "refused": list(change.refused),
        },
        missing=[_missing(each) for each in report.missing],
        drift=dict(report.drift),
    )


def of_fetch(result: FetchResult, rows: Mapping[str, list[Any]], older: Mapping[str, list[Any]]) -> dict[str, Json]:
    """Return what a fetch gave, its `rows` included, and the `older` ones that stand beside a failure."""
    return document(
        "fetch",
        **_run(result),
        sources={
            key: {
                **_outcome(outcome, len(rows[key]) if key in rows else None),
                "rows": [as_json(row) for row in rows[key]] if key in rows else None,
                "stale_rows": [as_json(row) for row in older[key]] if key in older else None,
            }
            for key, outcome in result.outcomes.items()
        },
    )


def of_source(view: SourceView, now: datetime) -> dict[str, Json]:
    """Return a source as it stands."""
    source = view.source
    return {
        "title": source.title,
        "priority": source.priority,
        "enabled": source.enabled,
        "disabled_by": None if source.enabled else source.switched_off_by or OPERATOR,
        "admitted": view.admitted,
        "breaker": str(view.breaker),
        "retry_after_s": view.retry_after,
        "held_for_s": view.held_for,
        "freshness": str(view.freshness),
        "checked_at": moment(view.checked_at),
        "checked_age_s": (now - view.checked_at).total_seconds() if view.checked_at else None,
        "provides": list(source.provides),
        "not_published": list(view.not_published),
        "update_frequency": source.update_frequency,
        "reliability": source.reliability,
        "timeout_s": in_seconds(source.timeout),
        "attempt_timeout_s": None if source.attempt_timeout is None else in_seconds(source.attempt_timeout),
        "max_retries": source.max_retries,
    }


def of_health(overall: OverallHealth, reports: list[HealthReport], views: Mapping[str, SourceView]) -> dict[str, Json]:
    """Return the health of all sources, and of each."""
    return document(
        "health",
        status=str(overall.status),
        message=overall.message,
        total_sources=overall.total_sources,
        healthy_sources=overall.healthy_sources,
        degraded_sources=overall.degraded_sources,
        down_sources=overall.down_sources,
        unknown_sources=overall.unknown_sources,
        disabled_sources=overall.disabled_sources,
        offline=[each.key for each in reports if each.offline_at and views[each.key].source.enabled],
        sources={each.key: _health(each, views[each.key]) for each in reports},
    )


def of_gate(gate: Gate) -> dict[str, Json]:
    """Return what is held, whose rejected data is not taken, and what was decided."""
    return document("gate", **_gate(gate))


def of_status(status: Status, sentence: str) -> dict[str, Json]:
    """Return how fresh everything is, and the sentence that says so."""
    return document(
        "status",
        message=sentence,
        good=status.good,
        objective=status.policy.objective,
        days=status.policy.days,
        sources={each.key: _source_status(each, status.at) for each in status.sources},
        capabilities={each.name: _capability_status(each, status.at) for each in status.capabilities},
        gate=_gate(status.gate),
    )


def of_metrics(metrics: Metrics) -> dict[str, Json]:
    """Return all runs and every source's executions in numbers."""
    return document(
        "metrics",
        total_executions=metrics.total_executions,
        successful_executions=metrics.successful_executions,
        failed_executions=metrics.failed_executions,
        average_duration_s=metrics.average_duration,
        last_execution=moment(metrics.last_execution),
        success_rate=metrics.success_rate,
        source_metrics={key: _source_metrics(each) for key, each in metrics.source_metrics.items()},
    )


def moment(at: datetime | None) -> str | None:
    """Return a moment in ISO 8601, in UTC."""
    return at.astimezone(UTC).isoformat() if at else None


def as_json(value: Any) -> Json:
    """Return a row, or anything in it, as JSON knows it; what JSON cannot say is said in words."""
    match value:
        case bool() | int() | str() | None:
            known: Json = value
        case float():
            known = value if math.isfinite(value) else None
        case datetime():
            known = value.isoformat()
        case Mapping():
            known = {str(key): as_json(member) for key, member in value.items()}
        case list() | tuple() | set() | frozenset():
            known = [as_json(member) for member in value]
        case _ if dataclasses.is_dataclass(value):
            known = {each.name: as_json(getattr(value, each.name)) for each in dataclasses.fields(value)}
        case _:
            known = str(value)
    return known


def _run(result: FetchResult) -> dict[str, Json]:
    told = result.metadata
    return {
        "run_id": told.run_id,
        "sufficient": told.sufficient,
        "duration_s": told.total_duration,
        "offline": list(told.offline),
    }


def _outcome(outcome: Outcome[Any], records: int | None) -> dict[str, Json]:
    return {
        "status": status_of(outcome),
        "attempts": outcome.attempts,
        "duration_s": outcome.duration,
        "records": records,
        "error": _error(outcome),
        "warnings": list(outcome.warnings),
        "age": _age(outcome.age),
    }


def _age(age: Age | None) -> Json:
    """Return how old data is that is served in place of a new answer, or beside a failure, and why it is."""
    if age is None:
        return None
    return {"checked_at": moment(age.checked_at), "age_s": age.seconds, "reason": age.reason}


def status_of(outcome: Outcome[Any]) -> str:
    """Return the word for how a source's part in a run ended."""
    match outcome:
        case Success():
            return "success"
        case Failure():
            return "failure"
        case Skipped():
            return "skipped"


def _error(outcome: Outcome[Any]) -> dict[str, Json] | None:
    match outcome:
        case Success():
            return None
        case Failure(kind=kind):
            return {"kind": str(kind), "message": outcome.message}
        case Skipped(reason=reason, detail=detail):
            return {"kind": str(reason), "message": detail or str(reason)}


def _missing(missing: Missing) -> dict[str, Json]:
    return {
        "source": missing.source,
        "provides": list(missing.provides),
        "not_published": list(missing.not_published),
        "why": missing.why,
        "checked_at": moment(missing.checked_at),
        "expires_at": moment(missing.expires_at),
    }


def _health(report: HealthReport, view: SourceView) -> dict[str, Json]:
    return {
        "title": report.source_name,
        "status": str(report.status),
        "enabled": view.source.enabled,
        "admitted": view.admitted,
        "freshness": str(view.freshness),
        "uptime": report.uptime,
        "average_latency_s": report.average_latency,
        "consecutive_failures": report.consecutive_failures,
        "last_successful_fetch": moment(report.last_successful_fetch),
        "last_failure": _failure(report.last_failure),
        "message": report.message,
        "last_check": _check(report.last_check),
        "cut_short": _cut_short(report.cut_short),
        "offline": _offline(report),
    }


def _gate(gate: Gate) -> dict[str, Json]:
    return {
        "held": None if gate.held is None else _held(gate.held),
        "rejected": {source: moment(at) for source, at in gate.rejected},
        "decisions": [
            {
                "at": moment(each.at),
                "verdict": each.verdict,
                "snapshot_id": each.snapshot_id,
                "sentence": each.sentence,
                "why": each.why or None,
            }
            for each in gate.decisions
        ],
    }


def _held(held: Held) -> dict[str, Json]:
    return {
        "snapshot_id": held.snapshot_id,
        "entities": held.entities,
        "since": moment(held.since),
        "at": moment(held.at),
        "sentence": held.sentence,
        "losses": [as_json(loss) for loss in held.losses],
    }


def _source_status(each: SourceStatus, now: datetime) -> dict[str, Json]:
    source = each.view.source
    return {
        "title": source.title,
        "enabled": source.enabled,
        "freshness": str(each.freshness),
        "update_interval_s": source.update_interval,
        **_ages(each.view.checked_at, each.unchanged_since, each.expires_at, now),
        "flaw": each.flaw,
        **_objective(each.objective),
    }


def _capability_status(each: CapabilityStatus, now: datetime) -> dict[str, Json]:
    """Return how fresh a capability is; what nobody has ever published has no freshness, and a reason for that."""
    return {
        "freshness": str(each.freshness) if each.published else None,
        "reason": None if each.published else NOT_PUBLISHED,
        "watched": each.watched,
        "sources": list(each.sources),
        "without": list(each.without),
        **_ages(each.checked_at, each.unchanged_since, each.expires_at, now),
        **_objective(each.objective),
    }


def _ages(
    checked_at: datetime | None, unchanged_since: datetime | None, expires_at: datetime | None, now: datetime
) -> dict[str, Json]:
    return {
        "checked_at": moment(checked_at),
        "checked_age_s": (now - checked_at).total_seconds() if checked_at else None,
        "unchanged_since": moment(unchanged_since),
        "data_age_s": (now - unchanged_since).total_seconds() if unchanged_since else None,
        "expires_at": moment(expires_at),
        "expires_in_s": (expires_at - now).total_seconds() if expires_at else None,
    }


def _objective(objective: Objective | None) -> dict[str, Json]:
    return {
        "achieved": objective.achieved if objective else None,
        "budget_used": objective.used if objective else None,
        "burn": objective.burn if objective else None,
    }


def _failure(failure: LastFailure | None) -> Json:
    return {"at": moment(failure.at), "kind": str(failure.kind), "message": failure.message} if failure else None


def _cut_short(cuts: tuple[Cut, ...]) -> Json:
    if not cuts:
        return None
    last = cuts[-1]
    return {"runs": len(cuts), "at": moment(last.at), "after_s": last.after, "timeout_s": last.timeout}


def _offline(report: HealthReport) -> Json:
    return {"at": moment(report.offline_at), "runs": len(report.offline)} if report.offline_at else None


def _check(check: Check | None) -> Json:
    if check is None:
        return None
    return {
        "at": moment(check.at),
        "ok": check.ok,
        "latency_s": check.latency,
        "message": check.message or None,
        "offline": check.offline,
    }


def _source_metrics(each: SourceMetrics) -> dict[str, Json]:
    return {
        "executions": each.executions,
        "successes": each.successes,
        "failures": each.failures,
        "average_duration_s": each.average_duration,
        "last_success": moment(each.last_success),
        "last_failure": moment(each.last_failure),
        "success_rate": each.success_rate,
    }
