"""What of a breaker outlasts its process, as a JSON document, and how it ages until it is read.

A document of an earlier version lacks some members; one that cannot be read is a closed breaker.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.durations import LONGEST, in_seconds
from data_source_orchestrator.core.policies import BreakerPolicy
from data_source_orchestrator.resilience.breaker_standing import (
    BreakerState,
    Closed,
    HalfOpen,
    Moment,
    Open,
    Standing,
    open_for,
)

_FIRST_YEAR = 1970
_FORCED = {str(state): state for state in (BreakerState.FORCED_OPEN, BreakerState.FORCED_CLOSED)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What outlasts the process: how it stands, what it has counted while closed, and whether it is forced.

    `rules` are the states of the rules over attempts by name; `since` is when the state began, None where unknown.
    """

    standing: Standing
    failures: int = 0
    rules: Mapping[str, Json] = field(default_factory=dict)
    forced: BreakerState | None = None
    since: datetime | None = None


def written(kept: Kept) -> dict[str, Json]:
    """Return the document.

    Of a probe under way nobody will know how it ended, so a half-open breaker is kept as one that is open and due.
    """
    document = _stands(kept)
    if kept.forced is not None and kept.since is not None:
        document |= {"forced": kept.forced.value, "forced_since": kept.since.isoformat()}
    return document


def read(document: Json, policy: BreakerPolicy, now: Moment) -> Kept:
    """Return what a document keeps, aged by the wall clock; of what cannot be read, nothing."""
    if not isinstance(document, Mapping):
        return Kept(standing=Closed())
    standing = _standing(document, policy, now)
    forced = _FORCED.get(str(document.get("forced")))
    closed = document.get("state") == "closed"
    return Kept(
        standing=standing,
        failures=_count(document.get("failures")) if closed else 0,
        rules=document if closed else {},
        forced=forced,
        since=_since(standing) if forced is None else _moment(document.get("forced_since")),
    )


def _stands(kept: Kept) -> dict[str, Json]:
    match kept.standing:
        case Closed():
            return {"state": "closed", "failures": kept.failures, **_told(kept.rules)}
        case HalfOpen(opened=opened) | (Open() as opened):
            told = _told({"cool_down": opened.cool_down, "rule": opened.rule})
            return {"state": "open", "trips": opened.trips, "retry_at": opened.retry_at.isoformat(), **told}


def _told(members: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in members.items() if value is not None}


def _standing(document: Mapping[str, Json], policy: BreakerPolicy, now: Moment) -> Closed | Open:
    retry_at, trips = _moment(document.get("retry_at")), _count(document.get("trips"))
    if document.get("state") != "open" or retry_at is None or not trips:
        return Closed()
    cool_down, rule = _seconds(document.get("cool_down")), document.get("rule")
    told = rule if isinstance(rule, str) else None
    wait = (retry_at - now.wall).total_seconds()
    longest = min(in_seconds(policy.max_cool_down), math.inf if cool_down is None else cool_down)
    if wait > longest:  # a wall clock that was set back must not keep a source out for ever
        return open_for(longest, trips, told, now)
    return Open(trips=trips, until=now.steady + wait, retry_at=retry_at, cool_down=cool_down, rule=told)


def _since(standing: Closed | Open) -> datetime | None:
    if isinstance(standing, Closed) or standing.cool_down is None:
        return None
    return standing.retry_at - timedelta(seconds=standing.cool_down)


def _moment(text: Json) -> datetime | None:
    """Read a moment of the wall clock; None where it is no date, has no zone, or lies before all breakers."""
    if not isinstance(text, str):
        return None
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        return None
    return told if told.utcoffset() is not None and told.year >= _FIRST_YEAR else None


def _count(value: Json) -> int:
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else 0


def _seconds(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST:
        return None
    return value
