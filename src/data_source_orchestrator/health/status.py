"""What a source's past says about it: unknown, healthy, degraded or down, and why.

One rule for every kind of failure. Whether the source is enabled or admitted is not asked here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from data_source_orchestrator.core.policies import HealthPolicy
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.health.state import SourceHealth

LATENCIES = 10
"""Successes over which the present latency is averaged, and the fewest that make a baseline."""


class HealthStatus(StrEnum):
    """How a source is doing."""

    UNKNOWN = "unknown"
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """A status, and the sentence that says why."""

    status: HealthStatus
    why: str


def assess(state: SourceHealth, *, timeout: float, policy: HealthPolicy) -> Assessment:
    """Judge a source whose timeout is that many seconds; runs that say nothing of it are told, and judge nothing."""
    untold = " and ".join(told for told in (_cut_short(state), _offline(state)) if told)
    if not state.recent:
        return Assessment(status=HealthStatus.UNKNOWN, why=untold or "it has not run yet")
    judged = _judge(state, timeout, policy)
    return replace(judged, why=f"{judged.why}; since then {untold}") if untold else judged


def _judge(state: SourceHealth, timeout: float, policy: HealthPolicy) -> Assessment:
    if state.consecutive_failures >= policy.down_after:
        return Assessment(status=HealthStatus.DOWN, why=_in_a_row(state))
    if state.consecutive_failures >= policy.degraded_after:
        return Assessment(status=HealthStatus.DEGRADED, why=_in_a_row(state))
    failed, of = _recent_failures(state, policy.recent_window)
    told = _lately(failed, of)
    if failed >= policy.recent_failures:
        return Assessment(status=HealthStatus.DEGRADED, why=told)
    slow = _slowness(state, timeout, policy)
    if slow is not None:
        return Assessment(status=HealthStatus.DEGRADED, why=slow)
    return Assessment(status=HealthStatus.HEALTHY, why=told)


def status_of(state: SourceHealth, *, timeout: float, policy: HealthPolicy) -> HealthStatus:
    """Return the status alone; `assess` says why too."""
    return assess(state, timeout=timeout, policy=policy).status


def uptime(state: SourceHealth) -> float | None:
    """Return the percentage (0 to 100) of the last 100 executions that succeeded, None without any."""
    if not state.recent:
        return None
    return 100 * sum(e.verdict is Verdict.SUCCESS for e in state.recent) / len(state.recent)


def average_latency(state: SourceHealth) -> float | None:
    """Return the mean seconds of the last 10 successes, None without any."""
    last = state.latencies[-LATENCIES:]
    return math.fsum(last) / len(last) if last else None


def _in_a_row(state: SourceHealth) -> str:
    count = state.consecutive_failures
    told = "its last execution failed" if count == 1 else f"its last {count} executions failed"
    last = state.last_failure
    return f"{told} ({last.kind}: {last.message})" if last else told


def _cut_short(state: SourceHealth) -> str:
    """Tell what the run's limit kept everybody from knowing, and what to do about it; empty where it did not."""
    if not state.cuts:
        return ""
    count, last = len(state.cuts), state.cuts[-1]
    runs = "its last run was" if count == 1 else f"its last {count} runs were"
    return (
        f"{runs} cut by the run's limit after {round(last.after, 2):g} s, before its own timeout of {last.timeout:g} s"
        " was up; raise run.timeout, or lower the source's timeout"
    )


def _offline(state: SourceHealth) -> str:
    """Tell that it was not reached because our own network was down; empty where that was not so."""
    count = len(state.offline)
    if not count:
        return ""
    return f"our own network was down in its last {'run' if count == 1 else f'{count} runs'}"


def offline_at(state: SourceHealth) -> datetime | None:
    """Return when our own network was last found to be down, None where a run or a check has told something since."""
    check = state.last_check
    found = [*state.offline[-1:], *([check.at] if check is not None and check.offline else [])]
    told = [*(e.at for e in state.recent[-1:]), *([check.at] if check is not None and not check.offline else [])]
    last = max(found, default=None)
    return None if last is None or last < max(told, default=last) else last


def _recent_failures(state: SourceHealth, window: int) -> tuple[int, int]:
    last = state.recent[-window:]
    return sum(e.verdict is Verdict.FAILURE for e in last), len(last)


def _lately(failed: int, of: int) -> str:
    if of == 1:
        return f"its last execution {'failed' if failed else 'succeeded'}"
    return f"{failed or 'none'} of its last {of} executions failed"


def _slowness(state: SourceHealth, timeout: float, policy: HealthPolicy) -> str | None:
    """Say what is slow, or None."""
    mean = average_latency(state)
    if mean is None:
        return None
    if mean > policy.slow_share * timeout:
        return f"its answers take {mean:.3g} s, more than {policy.slow_share:.0%} of its timeout of {timeout:g} s"
    if len(state.latencies) < LATENCIES:
        return None
    usual = _median(state.latencies)
    if mean > policy.slow_factor * usual:
        return f"its answers take {mean:.3g} s, more than {policy.slow_factor:g} times the usual {usual:.3g} s"
    return None


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
