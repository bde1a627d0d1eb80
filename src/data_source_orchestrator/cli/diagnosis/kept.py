"""Whether anything can be kept: where the store cannot be used, no run ends well, and no past can be told."""

import shlex

from data_source_orchestrator.cli.diagnosis.facts import Facts, Finding
from data_source_orchestrator.core.errors import StoreFlaw


def store(facts: Facts) -> Finding:
    """Tell whether the store can be read and written."""
    if facts.trouble is None:
        return Finding("ok", f"{facts.store} can be read and written", facts.dso("metrics"))
    return Finding("look here", str(facts.trouble), _next(facts, facts.trouble.flaw))


def _next(facts: Facts, flaw: StoreFlaw) -> str:
    """Return the command that helps, or shows what to help."""
    file, folder = shlex.quote(str(facts.store)), shlex.quote(str(facts.store.parent))
    match flaw:
        case StoreFlaw.FULL:
            return f"df -h {folder}"
        case StoreFlaw.READ_ONLY:
            return f"ls -ld {folder} {file}"
        case StoreFlaw.LOCKED:
            return f"fuser -v {file}"
        case StoreFlaw.DAMAGED:
            return f"mv {file} {shlex.quote(f'{facts.store}.damaged')}"
        case StoreFlaw.OTHER:
            return facts.elsewhere
