"""Where to look when all sources fail: the network, the variables, the switches, the timeouts."""

from data_source_orchestrator.cli import offline
from data_source_orchestrator.cli.diagnosis import cut_short
from data_source_orchestrator.cli.diagnosis.facts import Facts, Finding
from data_source_orchestrator.cli.words import HELD, breaker, counted, joined, span
from data_source_orchestrator.core.verdicts import FailureKind


def connectivity(facts: Facts) -> Finding:
    """Tell which sources answered their probe."""
    check = facts.dso("health --probe")
    if not facts.enabled:
        return Finding("unknown", "no source is enabled, so none was asked", facts.dso("sources"))
    bad = facts.unanswered
    if not bad:
        return Finding("ok", f"{_all(len(facts.enabled))} answered just now", check)
    why = "; ".join(f"{key}: {_why(facts, key)}" for key in bad)
    if len(bad) == len(facts.enabled):
        ours = f"; {offline.now(facts.offline)}" if facts.offline else ""
        return Finding("look here", f"none of {counted(len(bad), 'source')} answered: {why}{ours}", check)
    others = joined(key for key in facts.enabled if key not in bad)
    return Finding("look here", f"{others} answered, so the network is there; not so {why}", check)


def variables(facts: Facts) -> Finding:
    """Tell which variables are set; one that is set and a source that does not answer may belong together."""
    if not facts.variables:
        return Finding("ok", "none is set, and none has to be: the defaults hold", facts.dso("sources"))
    told = joined(f"{name}={value}" for name, value in facts.variables.items())
    addresses = [name for name, value in facts.variables.items() if "://" in value]
    if addresses and facts.unanswered:
        doubt = f"set here: {told}; not every source answers, so see whether these addresses are meant"
        return Finding("look here", doubt, f"unset {' '.join(addresses)}")
    return Finding("ok", f"set here: {told}", facts.dso("sources"))


def switches(facts: Facts) -> Finding:
    """Tell which sources are not asked, and by whose will."""
    off = {key: view for key, view in facts.views.items() if not view.source.enabled}
    left_alone = [key for key in facts.enabled if not facts.views[key].admitted]
    not_asked = [*off, *left_alone, *facts.held]
    if not facts.views:
        return Finding("look here", "no source is registered: no plug-in is installed, or none is loaded", "pip list")
    if facts.readmitted and not not_asked:
        back = f"{joined(facts.readmitted)} had been left alone, answered now, and may be asked again"
        return Finding("ok", back, facts.dso("sync"))
    if not not_asked and facts.trouble is not None:
        doubt = "no setting keeps a source off; what the operator switched is not known without the store"
        return Finding("unknown", doubt, facts.dso("sources"))
    if not not_asked:
        return Finding("ok", f"{_all(len(facts.views))} may be asked", facts.dso("sources"))
    told = [f"{key} is disabled by {view.source.switched_off_by or 'the operator'}" for key, view in off.items()]
    told += [f"{key} is left alone by its circuit breaker{_until(facts, key)}" for key in left_alone]
    told += [
        f"the upstream of {key} asked to be left alone for another {span(wait)}" for key, wait in facts.held.items()
    ]
    return Finding("look here", "; ".join(told), _lift(facts, not_asked))


def timeouts(facts: Facts) -> Finding:
    """Tell whether the limits leave the sources their time."""
    cut = cut_short.found(facts)
    if cut:
        return cut
    if facts.longest > facts.run_limit:
        told = f"a run may take {span(facts.run_limit)}, and its sources may need {span(facts.longest)}"
        return Finding("look here", told, facts.long_enough)
    late = facts.failed_lately(FailureKind.TIMEOUT)
    if late:
        told = joined(f"{key} {counted(len(found), 'time')}" for key, found in late.items())
        return Finding("look here", f"lately the time was up for {told}", facts.dso("health"))
    if facts.silence:
        return facts.unjudged
    return Finding("ok", f"nobody's time was up lately; a run may take {span(facts.run_limit)}", facts.dso("sources"))


def _all(count: int) -> str:
    return "the only source" if count == 1 else f"all {count} sources"


def _why(facts: Facts, key: str) -> str:
    check = facts.reports[key].last_check
    return check.message if check else f"its check did not come to an end within the run's {span(facts.run_limit)}"


def _until(facts: Facts, key: str) -> str:
    view = facts.views[key]
    if view.breaker in HELD:
        return f", which is {breaker(view.breaker)}"
    wait = view.retry_after
    return "" if wait is None else f", and tried again in {span(wait)}"


def _lift(facts: Facts, off: list[str]) -> str:
    """Return the command that brings back the first source that a command can bring back."""
    for key in off:
        by = facts.views[key].source.switched_off_by
        if by is None:
            return facts.dso(f"enable {key}")
        if by.isidentifier():
            return f"unset {by}"
    return facts.edit
