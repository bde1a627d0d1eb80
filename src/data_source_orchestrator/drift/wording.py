"""Findings in plain sentences."""

from data_source_orchestrator.drift.judge import Change
from data_source_orchestrator.drift.paths import ANY, shown
from data_source_orchestrator.drift.watch import Finding


def sentence(document: str, finding: Finding) -> str:
    """Return what has changed in a document of that name, as one sentence without the moment."""
    place = f"{document}, {shown(finding.path)}"
    before, after = finding.before, finding.after
    match finding.change:
        case Change.APPEARED:
            return f"{place}: a field appeared, in {_share(after)} of the objects there"
        case Change.VANISHED:
            return f"{place}: the field vanished, which {_share(before)} of the objects there had"
        case Change.TYPE:
            return f"{place}: the type changed from {before} to {after}"
        case Change.NULLS:
            return f"{place}: nothing stands in {_share(after)} of the places, where {_share(before)} was usual"
        case Change.VOLUME:
            what = "entries" if finding.path.endswith(ANY) else "rows"
            return f"{place}: {_count(after)} {what}, where {_count(before)} were usual"


def _share(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.0%}".replace("%", " %")


def _count(value: float | str) -> str:
    return value if isinstance(value, str) else f"{round(value, 1):g}" if value < 1000 else f"{value:.0f}"  # noqa: PLR2004
