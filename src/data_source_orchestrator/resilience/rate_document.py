"""A rate limiter as it is kept between processes: moments of the wall clock, each with how far off it was."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from data_source_orchestrator.core.claim import Json

_FURTHEST = 1e9
"""Seconds, 31 years; what lies further off is beyond the calendar, or beyond belief."""

_ROUNDING = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Seconds until all that was taken is back, and until a hold ends; 0 or less where that has been."""

    back_in: float
    held_for: float


def written(kept: Kept, now: datetime) -> dict[str, Json]:
    """Return what is kept as a document."""
    return {"back": _moment(kept.back_in, now), "held": _moment(kept.held_for, now)}


def read(state: Json, now: datetime) -> Kept:
    """Return what a document holds, aged by the wall clock; whatever cannot be read is over."""
    match state:
        case {"back": back, "held": held}:
            return Kept(back_in=_left(back, now), held_for=_left(held, now))
        case _:
            return Kept(back_in=0.0, held_for=0.0)


def later(one: Json, other: Json, now: datetime) -> Json:
    """Return a document of whatever lasts longer in either, None where nothing lasts.

    What one process has taken and the wait that another was asked for are both true. A moment that is believed stays
    as it was written, so that no rounding adds up; one that a clock was set back from is told anew.
    """
    told = {name: _later(_member(one, name), _member(other, name), now) for name in ("back", "held")}
    return told if any(told.values()) else None


def _later(one: Json, other: Json, now: datetime) -> Json:
    longest = max(one, other, key=lambda moment: _left(moment, now))
    left = _left(longest, now)
    match longest:
        case {"in": off} if left == off:  # the whole wait is still to come: perhaps from a clock that was set back
            return _moment(left, now)
        case _:
            return longest if left > 0 else None


def _member(state: Json, name: str) -> Json:
    return state.get(name) if isinstance(state, Mapping) else None


def _moment(seconds: float, now: datetime) -> Json:
    if seconds <= 0:
        return None
    off = min(seconds, _FURTHEST)
    return {"at": (now + timedelta(seconds=off) + _ROUNDING).isoformat(), "in": off}  # rounded up: never early


def _left(moment: Json, now: datetime) -> float:
    """Return the seconds left, never more than there were when it was written: clocks are set back."""
    match moment:
        case {"at": str(text), "in": int(off) | float(off)} if not isinstance(off, bool) and off < math.inf:
            try:
                return max(0.0, min((datetime.fromisoformat(text) - now).total_seconds(), off))
            except (ValueError, TypeError, OverflowError):  # no date, or one without a zone
                return 0.0
        case _:
            return 0.0
