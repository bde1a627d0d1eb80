"""Where to look when much fails: health, retries, timeouts, and what the sources were given to read, and how made."""

from data_source_orchestrator.cli.diagnosis import cut_short
from data_source_orchestrator.cli.diagnosis.facts import Facts, Finding
from data_source_orchestrator.cli.words import counted, joined, span
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.health.status import HealthStatus

PASSING = (FailureKind.TIMEOUT, FailureKind.CONNECTION, FailureKind.SERVER, FailureKind.UNKNOWN)
"""Failures that another try may mend."""

LASTING = (FailureKind.CONTENT, FailureKind.EMPTY, FailureKind.BLOCKED, FailureKind.CLIENT, FailureKind.BUG)
"""Failures that stay until somebody changes something, here or upstream."""


def health(facts: Facts) -> Finding:
    """Tell the overall health."""
    if facts.trouble is not None:
        return facts.unjudged
    overall = facts.overall
    told = f"overall {overall.status}: {overall.message}"
    match overall.status:
        case HealthStatus.UNKNOWN:
            return Finding("unknown", told, facts.unjudged.next)
        case HealthStatus.HEALTHY if overall.degraded_sources or overall.down_sources:
            return Finding("look here", f"not every source is well: {overall.message}", facts.dso("health"))
        case HealthStatus.HEALTHY if facts.cut_short:
            were = "was" if len(facts.cut_short) == 1 else "were"
            doubt = f"{joined(facts.cut_short)} {were} healthy when last heard of; the run's limit cut all runs since"
            return Finding("look here", doubt, facts.dso("health"))
        case HealthStatus.HEALTHY:
            return Finding("ok", told, facts.dso("health"))
        case _:
            return Finding("look here", told, facts.dso("health"))


def retries(facts: Facts) -> Finding:
    """Tell whether more tries could have helped."""
    if facts.silence:
        return facts.unjudged
    failed = facts.failed_lately(*PASSING)
    if not failed:
        told = f"nothing failed lately that another try could mend; up to {facts.retries} are made"
        return Finding("ok", told, facts.dso("metrics"))
    told = joined(
        f"{key} ({found[0].kind}, after {counted(found[0].attempts, 'attempt')})" for key, found in failed.items()
    )
    more = max(facts.retries + 2, 3)
    return Finding(
        "look here", f"failed lately in a way that may pass: {told}", facts.dso(f"sync --max-retries {more}")
    )


def timeouts(facts: Facts) -> Finding:
    """Tell which sources may need more time."""
    late = facts.failed_lately(FailureKind.TIMEOUT)
    if facts.cut_short and not late:
        return cut_short.untried(facts)
    if facts.silence:
        return facts.unjudged
    if not late:
        return Finding("ok", "no time was up lately", facts.dso("metrics"))
    first = next(iter(late))
    if facts.run_limit < facts.timeout(first):
        told = f"the run's limit of {span(facts.run_limit)} cuts {joined(late)} short"
        return Finding("look here", told, facts.long_enough)
    setting = f"[sources.{first}] timeout or attempt_timeout in {facts.file}"
    return Finding("look here", f"the time was up for {joined(late)}; more is given by {setting}", facts.edit)


def scrapers(facts: Facts) -> Finding:
    """Tell the last failures that a change upstream, or a mistake here, may have caused."""
    if facts.silence:
        return facts.unjudged
    last = {key: report.last_failure for key, report in facts.reports.items()}
    lasting = {key: failure for key, failure in last.items() if failure and failure.kind in LASTING}
    present = [key for key in lasting if facts.reports[key].consecutive_failures]
    if present:
        told = "; ".join(f"{key}: {lasting[key].kind}: {lasting[key].message}{_kept(facts, key)}" for key in present)
        return Finding("look here", told, facts.dso(f"fetch {present[0]}"))
    if lasting:
        told = joined(f"{key} ({failure.kind})" for key, failure in lasting.items())
        return Finding("ok", f"nothing now; earlier {told}, and good since", facts.dso("health"))
    return Finding("ok", "no source was given anything that it could not read", facts.dso("health"))


def drift(facts: Facts) -> Finding:
    """Tell whose documents are not made as they used to be."""
    if facts.trouble is not None:
        return facts.unjudged
    if not facts.drift:
        return Finding("ok", "no document is known to be made otherwise than usual", facts.dso("drift"))
    told = joined(f"{key} ({counted(count, 'change')})" for key, count in facts.drift.items())
    return Finding("look here", f"documents are not made as usual, of {told}", facts.dso("drift"))


def _kept(facts: Facts, key: str) -> str:
    """Tell where what a source served last that was no data lies."""
    folders = facts.breaches.get(key, ())
    return f" (what it served is kept in {folders[0]})" if folders else ""
