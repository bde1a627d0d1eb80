"""Where to look when runs are slow: one after another, long timeouts, unreliable sources, latency."""

from data_source_orchestrator.cli.diagnosis.facts import Facts, Finding
from data_source_orchestrator.cli.words import counted, joined, percent, span
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.health.state import Execution
from data_source_orchestrator.health.status import HealthStatus

UNRELIABLE = 80.0
"""Percent of successes below which a source costs more than it gives."""

ENOUGH = 5
"""Executions from which a source's uptime says something."""


def parallel(facts: Facts) -> Finding:
    """Tell whether the sources are asked at once."""
    if facts.run.parallel_execution:
        return Finding("ok", "the sources are asked at once", facts.dso("sync"))
    origin = facts.origins.get("run.parallel_execution", "a setting")
    told = f"the sources are asked one after another, by {origin}"
    kind, _, name = origin.partition(" ")
    return Finding("look here", told, f"unset {name}" if kind == "variable" and name.isidentifier() else facts.edit)


def long_timeouts(facts: Facts) -> Finding:
    """Tell which sources use up their time for nothing."""
    if facts.silence:
        return facts.unjudged
    late = facts.failed_lately(FailureKind.TIMEOUT)
    if not late:
        return Finding("ok", "no source used up its time for nothing lately", facts.dso("metrics"))
    told = joined(f"{key} ({counted(len(found), 'time')}, {_lost(found)} in all)" for key, found in late.items())
    first = next(iter(late))
    shorter = f"[sources.{first}] timeout in {facts.file}, now {span(facts.timeout(first))}"
    return Finding(
        "look here", f"time was used up for nothing by {told}; a lower limit is set by {shorter}", facts.edit
    )


def unreliable(facts: Facts) -> Finding:
    """Tell which sources fail too often to be worth their time."""
    known = {key: facts.reports[key].uptime for key in facts.enabled if len(facts.recent[key]) >= ENOUGH}
    if not known and facts.trouble is not None:
        return facts.unjudged
    if not known:
        return Finding("unknown", f"no source has run {ENOUGH} times yet", facts.dso("metrics"))
    bad = {key: uptime for key, uptime in known.items() if uptime is not None and uptime < UNRELIABLE}
    if not bad:
        return Finding("ok", f"every source succeeds in {UNRELIABLE:.0f} % of its runs or more", facts.dso("metrics"))
    told = joined(f"{key} in {percent(uptime / 100)}" for key, uptime in bad.items())
    return Finding(
        "look here", f"succeeded in few of their runs: {told}", facts.dso(f"disable {min(bad, key=bad.__getitem__)}")
    )


def latency(facts: Facts) -> Finding:
    """Tell which sources answer slowly, by their own standard or by their timeout."""
    known = {
        key: facts.reports[key].average_latency
        for key in facts.enabled
        if facts.reports[key].average_latency is not None
    }
    if not known:
        return facts.unjudged if facts.silence else Finding("unknown", "no source has answered yet", facts.dso("sync"))
    slow = [key for key in known if _is_slow(facts, key)]
    if slow:
        told = "; ".join(f"{key}: {facts.reports[key].message}" for key in slow)
        return Finding("look here", told, facts.dso("health"))
    told = joined(f"{key} {span(seconds or 0.0)}" for key, seconds in known.items())
    return Finding("ok", f"answers take no longer than usual: {told}", facts.dso("health"))


def _is_slow(facts: Facts, key: str) -> bool:
    """Return whether a source is degraded, and not for its failures."""
    report = facts.reports[key]
    failed = sum(one.kind is not None for one in facts.recent[key])
    return (
        report.status is HealthStatus.DEGRADED
        and report.consecutive_failures < facts.health.degraded_after
        and failed < facts.health.recent_failures
    )


def _lost(found: list[Execution]) -> str:
    return span(sum(one.duration for one in found))
