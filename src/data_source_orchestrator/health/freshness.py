"""How old a source's last accepted answer is, measured in its own update intervals.

The age is that of the last check upstream, whether the answer had changed or not.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from data_source_orchestrator.core.age import age_at
from data_source_orchestrator.core.claim import EXPIRED_AFTER

LATE_AFTER = 1.25
STALE_AFTER = 2.0


class Freshness(StrEnum):
    """How far a source is behind its own rhythm."""

    FRESH = "fresh"
    LATE = "late"
    STALE = "stale"
    EXPIRED = "expired"
    NEVER = "never"


def freshness_of(checked_at: datetime | None, interval: float, now: datetime) -> Freshness:
    """Judge an answer accepted at `checked_at` (None: there is none) by the interval in seconds.

    An answer from the future, by a clock that was set back, is fresh.
    """
    if checked_at is None:
        return Freshness.NEVER
    intervals = age_at(now, checked_at) / interval
    if intervals > EXPIRED_AFTER:
        return Freshness.EXPIRED
    if intervals > STALE_AFTER:
        return Freshness.STALE
    if intervals > LATE_AFTER:
        return Freshness.LATE
    return Freshness.FRESH


_WORST_FIRST = (Freshness.STALE, Freshness.LATE, Freshness.FRESH)


def freshness_of_several(sources: Iterable[Freshness]) -> Freshness:
    """Judge what several sources give together: it is as fresh as the least fresh of those that still count.

    Where none counts any longer it has expired, unless none was ever read.
    """
    found = set(sources)
    counting = next((each for each in _WORST_FIRST if each in found), None)
    if counting is not None:
        return counting
    return Freshness.EXPIRED if Freshness.EXPIRED in found else Freshness.NEVER
