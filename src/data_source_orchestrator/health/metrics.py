"""Runs and executions in numbers since the beginning, or since the last reset.

What is counted per source is read from its health: nothing is counted twice. A rate or a mean of nothing is None.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.result import Metadata
from data_source_orchestrator.health.state import SourceHealth
from data_source_orchestrator.health.strict import members, moment, number, whole

SCHEMA = "dso.metrics/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTotals:
    """Every run counted, whatever it asked for; `total_duration` is the sum in seconds."""

    executions: int = 0
    successes: int = 0
    total_duration: float = 0.0
    last_execution: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMetrics:
    """One source's executions. `success_rate` is 0 to 1 and `average_duration` seconds; both None without any."""

    executions: int
    successes: int
    failures: int
    average_duration: float | None
    last_success: datetime | None
    last_failure: datetime | None
    success_rate: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """All runs, and each source's executions by key. A run that was insufficient counts as failed.

    `success_rate` is 0 to 1 and `average_duration` seconds, both None at 0 runs; `last_execution` is when the
    latest run began.
    """

    total_executions: int
    successful_executions: int
    failed_executions: int
    average_duration: float | None
    last_execution: datetime | None
    success_rate: float | None
    source_metrics: Mapping[str, SourceMetrics]


def run_finished(totals: RunTotals, metadata: Metadata) -> RunTotals:
    """Count one more run; one that asked nobody counts too."""
    began = metadata.fetched_at
    latest = totals.last_execution
    return RunTotals(
        executions=totals.executions + 1,
        successes=totals.successes + metadata.sufficient,
        total_duration=totals.total_duration + metadata.total_duration,
        last_execution=began if latest is None else max(latest, began),
    )


def metrics(totals: RunTotals, sources: Mapping[str, SourceHealth]) -> Metrics:
    """Tell the numbers of all runs, and of each source by its key."""
    return Metrics(
        total_executions=totals.executions,
        successful_executions=totals.successes,
        failed_executions=totals.executions - totals.successes,
        average_duration=_per(totals.total_duration, totals.executions),
        last_execution=totals.last_execution,
        success_rate=_per(totals.successes, totals.executions),
        source_metrics=MappingProxyType({key: source_metrics(state) for key, state in sources.items()}),
    )


def source_metrics(state: SourceHealth) -> SourceMetrics:
    """Tell one source's numbers."""
    return SourceMetrics(
        executions=state.executions,
        successes=state.successes,
        failures=state.failures,
        average_duration=_per(state.total_duration, state.executions),
        last_success=state.last_success,
        last_failure=state.last_failure.at if state.last_failure else None,
        success_rate=_per(state.successes, state.executions),
    )


def totals_to_json(totals: RunTotals) -> dict[str, Json]:
    """Return the totals as a document."""
    return {
        "schema": SCHEMA,
        "executions": totals.executions,
        "successes": totals.successes,
        "total_duration_s": totals.total_duration,
        "last_execution": totals.last_execution.isoformat() if totals.last_execution else None,
    }


def totals_from_json(document: Json) -> RunTotals:
    """Return the totals that a document holds, or empty ones where the document is not one of ours."""
    try:
        held = members(document, SCHEMA)
        last = held["last_execution"]
        totals = RunTotals(
            executions=whole(held["executions"]),
            successes=whole(held["successes"]),
            total_duration=number(held["total_duration_s"]),
            last_execution=None if last is None else moment(last),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return RunTotals()
    return totals if totals.successes <= totals.executions else RunTotals()


def _per(amount: float, count: int) -> float | None:
    return amount / count if count else None
