"""What people and programs are told about the health of one source, and of all of them together.

Frozen copies; it knows neither who is admitted nor how old the data is.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.policies import HealthPolicy
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.health.state import Check, Cut, LastFailure, SourceHealth
from data_source_orchestrator.health.status import HealthStatus, assess, average_latency, offline_at, uptime


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """One source's health. `uptime` is 0 to 100 and `average_latency` seconds; both None without history.

    `source_name` is the title; `message` says why the status is what it is. `cut_short` are the runs since the last
    execution whose own limit left the source too little time to tell anything of it, and `offline` the moments of those
    in which our own network was down; `offline_at` is when a run or a check last found that, None where one has told
    something since.
    """

    key: str
    source_name: str
    status: HealthStatus
    uptime: float | None
    average_latency: float | None
    consecutive_failures: int
    last_successful_fetch: datetime | None
    last_failure: LastFailure | None
    message: str
    last_check: Check | None
    cut_short: tuple[Cut, ...] = ()
    offline: tuple[datetime, ...] = ()
    offline_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverallHealth:
    """The health of all sources together; each of `total_sources` is in exactly one of the other counts."""

    status: HealthStatus
    total_sources: int
    healthy_sources: int
    degraded_sources: int
    down_sources: int
    unknown_sources: int
    disabled_sources: int
    message: str


def report(source: Source[Any], state: SourceHealth, policy: HealthPolicy) -> HealthReport:
    """Tell the health of one source."""
    told = assess(state, timeout=in_seconds(source.timeout), policy=policy)
    return HealthReport(
        key=source.key,
        source_name=source.title,
        status=told.status,
        uptime=uptime(state),
        average_latency=average_latency(state),
        consecutive_failures=state.consecutive_failures,
        last_successful_fetch=state.last_success,
        last_failure=state.last_failure,
        message=told.why,
        last_check=state.last_check,
        cut_short=state.cuts,
        offline=state.offline,
        offline_at=offline_at(state),
    )


def overall(reports: Iterable[HealthReport], disabled: Collection[str] = ()) -> OverallHealth:
    """Tell the health of all; `disabled` are the keys that the operator switched off, which enter no rule."""
    by_status: dict[HealthStatus, list[str]] = {status: [] for status in HealthStatus}
    off: list[str] = []
    cut: list[str] = []
    offline: list[str] = []
    for each in reports:
        if each.key in disabled:
            off.append(each.key)
            continue
        by_status[each.status].append(each.key)
        if each.cut_short:
            cut.append(each.key)
        if each.offline:
            offline.append(each.key)
    counts = {status: len(keys) for status, keys in by_status.items()}
    return OverallHealth(
        status=_rule(counts),
        total_sources=sum(counts.values()) + len(off),
        healthy_sources=counts[HealthStatus.HEALTHY],
        degraded_sources=counts[HealthStatus.DEGRADED],
        down_sources=counts[HealthStatus.DOWN],
        unknown_sources=counts[HealthStatus.UNKNOWN],
        disabled_sources=len(off),
        message=_message(by_status, off, cut, offline),
    )


def _rule(counts: dict[HealthStatus, int]) -> HealthStatus:
    enabled = sum(counts.values())
    if counts[HealthStatus.UNKNOWN] == enabled:
        return HealthStatus.UNKNOWN
    if counts[HealthStatus.DOWN] == enabled:
        return HealthStatus.DOWN
    if counts[HealthStatus.DOWN] or 2 * counts[HealthStatus.DEGRADED] > enabled:
        return HealthStatus.DEGRADED
    return HealthStatus.HEALTHY


def _message(by_status: dict[HealthStatus, list[str]], off: list[str], cut: list[str], offline: list[str]) -> str:
    """Name everybody who is not healthy, or of whom the last runs could not tell."""
    enabled = sum(map(len, by_status.values()))
    if not enabled:
        return f"no source is enabled; disabled: {', '.join(off)}" if off else "no source is registered"
    parts = [f"{len(by_status[HealthStatus.HEALTHY])} of {enabled} sources healthy"]
    named = {
        "down": by_status[HealthStatus.DOWN],
        "degraded": by_status[HealthStatus.DEGRADED],
        "cut by the run's limit": [key for key in cut if key in by_status[HealthStatus.UNKNOWN]],
        "cut by the run's limit since": [key for key in cut if key not in by_status[HealthStatus.UNKNOWN]],
        "our own network was down in the last run of": offline,
        "not run yet": [key for key in by_status[HealthStatus.UNKNOWN] if key not in cut and key not in offline],
        "disabled": off,
    }
    parts += [f"{word}: {', '.join(keys)}" for word, keys in named.items() if keys]
    return "; ".join(parts)
