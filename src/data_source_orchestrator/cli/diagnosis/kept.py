"""Whether anything can be kept: where the store cannot be used, no run ends well, and no past can be told."""

import shlex
from pathlib import Path

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
    there = [shlex.quote(str(path)) for path in facts.files]
    match flaw:
        case StoreFlaw.FULL:
            return f"df -h {folder}"
        case StoreFlaw.READ_ONLY:
            return " ".join(["ls -ld", folder, *there])
        case StoreFlaw.LOCKED:
            return f"fuser -v {file}"
        case StoreFlaw.DAMAGED:
            return " && ".join(f"mv {shlex.quote(str(path))} {_set_aside(facts.store, path)}" for path in facts.files)
        case StoreFlaw.OTHER:
            return facts.elsewhere


def _set_aside(store: Path, path: Path) -> str:
    """Return a name for one of a damaged store's files under which it still belongs to the others."""
    return shlex.quote(f"{store}.damaged{str(path).removeprefix(str(store))}")
