"""Tells that it was this machine's own network that was down, what is not counted because of that, and what to do."""

from collections.abc import Iterable

from data_source_orchestrator.cli.words import joined

LOOK = "look at its connection, name resolution and proxy"


def now(titles: Iterable[str]) -> str:
    """Tell it of a run or of checks that have just ended."""
    return (
        f"this machine's own network seems to be down, for nobody answered: {_excused(titles)}; {LOOK}, and try again"
    )


def earlier(titles: Iterable[str], when: str) -> str:
    """Tell it of the last that was heard, `when` being as `3 min ago`."""
    return (
        f"this machine's own network seemed to be down {when}, for nobody answered: {_excused(titles)};"
        f" if it still is, {LOOK}"
    )


def _excused(titles: Iterable[str]) -> str:
    names = list(titles)
    them = "it" if len(names) == 1 else "them"
    return f"that {joined(names)} could not be reached is not counted against {them}, nor as uptime"
