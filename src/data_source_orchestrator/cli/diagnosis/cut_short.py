"""Whether runs ended before their sources had their own time: then nothing that the sources did can be judged."""

from data_source_orchestrator.cli.diagnosis.facts import Facts, Finding
from data_source_orchestrator.cli.words import counted, joined, span


def found(facts: Facts) -> Finding | None:
    """Tell which sources the run's limit cut short, and by which command it does so no more; None where it did not."""
    if not facts.cut_short:
        return None
    told = joined(
        f"{key} {counted(len(cuts), 'time')} (after {span(cuts[-1].after)} of its {span(cuts[-1].timeout)})"
        for key, cuts in facts.cut_short.items()
    )
    if facts.longest <= facts.run_limit:
        now = f"it is {span(facts.run_limit)} now, which leaves every source its own time"
        return Finding("look here", f"the limit of an earlier run cut short {told}; {now}", _another_run(facts))
    advice = f"raise run.timeout, now {span(facts.run_limit)}, or lower the timeouts of the sources"
    return Finding("look here", f"the run's limit cut short {told}; {advice}", _another_run(facts))


def untried(facts: Facts) -> Finding:
    """Tell whose own timeout nobody can judge, because the run's limit came before it."""
    told = f"nothing can be said of the timeout of {joined(facts.cut_short)}: the run's limit came first"
    return Finding("unknown", told, _another_run(facts))


def _another_run(facts: Facts) -> str:
    return facts.dso("sync") if facts.longest <= facts.run_limit else facts.long_enough
