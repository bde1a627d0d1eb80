"""Durations, sizes, moments and marks as people read them: pure, the same in every table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

_SPANS = ((60, 1, "s"), (3600, 60, "min"), (2 * 86400, 3600, "h"), (float("inf"), 86400, "days"))
_SIZES = ("kB", "MB", "GB")


@dataclass(frozen=True, slots=True)
class Mark:
    """A state's shape, in ASCII too, and its colour: never the colour alone."""

    shape: str
    ascii: str
    style: str


GOOD = Mark("✓", "+", "green")
BAD = Mark("✗", "x", "red")
DOUBTFUL = Mark("!", "!", "yellow")
NEITHER = Mark("\N{EN DASH}", "-", "dim")
WAITING = Mark("·", ".", "dim")
BUSY = Mark("●", "*", "cyan")
PAUSED = Mark("◌", "~", "yellow")

NONE = "-"
"""Stands where there is no figure."""

OF_STATUS: Mapping[str, Mark] = MappingProxyType(
    {
        "success": GOOD,
        "failure": BAD,
        "skipped": NEITHER,
        "healthy": GOOD,
        "degraded": DOUBTFUL,
        "down": BAD,
        "unknown": WAITING,
        "disabled": NEITHER,
        "fresh": GOOD,
        "late": DOUBTFUL,
        "stale": DOUBTFUL,
        "expired": BAD,
        "never": WAITING,
        "ok": GOOD,
        "look here": DOUBTFUL,
    }
)
"""The mark of each word for how something is or ended."""

OF_BREAKER: Mapping[str, str] = MappingProxyType(
    {
        "closed": "closed",
        "open": "open",
        "half_open": "half open",
        "forced_open": "held open",
        "forced_closed": "held closed",
    }
)
"""What people call the states of a circuit breaker."""

HELD: Mapping[str, str] = MappingProxyType(
    {
        "forced_open": "the source is not asked until somebody lets go of it",
        "forced_closed": "the source is asked however often it fails",
    }
)
"""What it means for its source that somebody holds a breaker in a state."""


def breaker(state: str) -> str:
    """Return what people call a breaker's state; one that is not known here by its own name."""
    return OF_BREAKER.get(state, state.replace("_", " "))


def span(seconds: float) -> str:
    """Return a duration: 0.35 s, 12.5 s, 3 min, 20 h, 4 days."""
    if seconds < 10:  # noqa: PLR2004 — two figures are enough
        return f"{seconds:.2f} s"
    if seconds < 60:  # noqa: PLR2004 — a minute
        return f"{seconds:.1f} s"
    _, unit, word = next(each for each in _SPANS if seconds < each[0])
    return f"{seconds / unit:.0f} {word}"


def age(seconds: float) -> str:
    """Return an age, or what is left of one, in hours up to four days: 20 s, 12 min, 50 h, 9 days."""
    if 2 * 3600 <= seconds < 4 * 86400:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds:.0f} s" if seconds < 60 else span(seconds)  # noqa: PLR2004 — a minute


def size(count: int) -> str:
    """Return a number of bytes: 512 B, 943 kB, 1.2 MB."""
    if count < 1000:  # noqa: PLR2004 — a kilobyte
        return f"{count} B"
    amount, word = count / 1000, _SIZES[0]
    for larger in _SIZES[1:]:
        if amount >= 1000:  # noqa: PLR2004 — the next unit
            amount, word = amount / 1000, larger
    return f"{amount:.0f} {word}" if amount >= 10 else f"{amount:.1f} {word}"  # noqa: PLR2004 — two figures


def ago(moment: datetime, now: datetime) -> str:
    """Return how long ago a moment was."""
    seconds = (now - moment).total_seconds()
    if seconds < 1:
        return "just now"
    return f"{seconds:.0f} s ago" if seconds < 60 else f"{span(seconds)} ago"  # noqa: PLR2004 — a minute


def on(moment: datetime) -> str:
    """Return a moment in the calendar: 2026-11-27 23:48 UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun: 1 row, 57 rows."""
    return f"{count} {noun}" if count == 1 else f"{count} {plural or f'{noun}s'}"


def joined(words: Iterable[str]) -> str:
    """Return a list in words: a, b and c."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def percent(share: float | None) -> str:
    """Return a share from 0 to 1 as a percentage, - where there is none."""
    return NONE if share is None else f"{share * 100:.0f} %"
