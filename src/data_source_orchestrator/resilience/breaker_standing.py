"""How a breaker stands with its source, and how long it stays away: values, and functions of values.

It must not know permits.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from data_source_orchestrator.core.clock import Chance
from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.policies import BreakerPolicy

_MOST_DOUBLINGS = 32


class BreakerState(StrEnum):
    """What a breaker does with calls: lets all through, none, or a few to find out; the last two by an operator's hand.

    `forced_open` lets nobody through, not even to find out; `forced_closed` everybody, whatever comes of it.
    """

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    FORCED_OPEN = "forced_open"
    FORCED_CLOSED = "forced_closed"


@dataclass(frozen=True, slots=True)
class Closed:
    """All are let through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Nobody is let through until `until`, after `trips` trips in a row; `rule` made the last one.

    `until` is on the scale that this process waits by, `retry_at` the same moment on the wall clock, which outlives
    the process. `cool_down` is the whole wait in seconds, None where an older document does not tell it.
    """

    trips: int
    until: float
    retry_at: datetime
    cool_down: float | None
    rule: str | None


@dataclass(slots=True)
class HalfOpen:
    """Probes are let through, so many of which are under way or have succeeded."""

    opened: Open
    under_way: int = 0
    successes: int = 0


Standing = Closed | Open | HalfOpen


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One moment on both clocks."""

    steady: float
    wall: datetime


def opened(policy: BreakerPolicy, trips: int, rule: str, *, chance: Chance, now: Moment) -> Open:
    """Return how a breaker stands that trips now for the `trips`-th time in a row."""
    return open_for(_cool_down(policy, trips, chance), trips, rule, now)


def open_for(wait: float, trips: int, rule: str | None, now: Moment) -> Open:
    """Return how a breaker stands that lets nobody through for so many seconds."""
    retry_at = now.wall + timedelta(seconds=wait)
    return Open(trips=trips, until=now.steady + wait, retry_at=retry_at, cool_down=wait, rule=rule)


def _cool_down(policy: BreakerPolicy, trips: int, chance: Chance) -> float:
    longest = in_seconds(policy.max_cool_down)
    doubled = min(longest, in_seconds(policy.cool_down) * 2.0 ** min(trips - 1, _MOST_DOUBLINGS))
    return min(longest, doubled * (1 + policy.spread * (2 * chance.random() - 1)))
