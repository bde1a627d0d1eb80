"""How old data is that was kept, and the words in which people are told so."""

from dataclasses import dataclass
from datetime import datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """How old data was when it was served in place of a new answer, and why it was.

    `checked_at` is the moment (aware UTC) at which its source last gave it, `seconds` the time since then.
    """

    checked_at: datetime
    seconds: float
    reason: str

    def __str__(self) -> str:
        return f"{span(self.seconds)} old, because {self.reason}"


def age_at(now: datetime, checked_at: datetime) -> float:
    """Return an age in seconds (A21's `checked_age`); below 0 where the clock was set back meanwhile."""
    return (now - checked_at).total_seconds()


def span(seconds: float) -> str:
    """Return an age as people say it, never made older: 45 s, 90 min, 3 h, 2 days."""
    for unit, word in ((_DAY, "days"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= 2 * unit:
            return f"{int(seconds / unit)} {word}"
    return f"{int(seconds)} s"
