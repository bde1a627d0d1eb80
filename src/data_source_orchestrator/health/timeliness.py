"""When a source was not fresh, and how that compares with its objective: folded from the moments of its answers.

An answer is fresh for 1.25 update intervals. Whatever time lies beyond that, until the next one, is counted as not
fresh, hour by hour of the clock in UTC; of the time before the first answer nothing is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.policies import FreshnessPolicy
from data_source_orchestrator.core.policies.freshness import LONGEST_DAYS
from data_source_orchestrator.health.freshness import LATE_AFTER
from data_source_orchestrator.health.strict import items, members, moment, number, whole

SCHEMA = "dso.timeliness/1"
HOUR, HOURS_OF_A_DAY = 3600, 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeliness:
    """When a source was first and last read, and the seconds of each hour, by its number, in which it was not fresh."""

    first: datetime
    last: datetime
    lost: Mapping[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """How a source does against its objective.

    `achieved` is the share of the measured time in which it was fresh, `used` the share of the error budget that is
    gone, above 1 where more is. `burn` is how fast: the share of the last day that was not fresh, as a multiple of
    what the objective allows; at 1 the budget lasts exactly as long as its days.
    """

    achieved: float
    used: float
    burn: float


def read_at(before: Timeliness | None, at: datetime, interval: float) -> Timeliness:
    """Fold in an answer accepted at `at`, of a source with that update interval in seconds.

    One that is no newer than the last changes nothing, as after a clock was set back.
    """
    if before is None:
        return Timeliness(first=at, last=at, lost={})
    if at <= before.last:
        return before
    oldest = _hour(at) - LONGEST_DAYS * HOURS_OF_A_DAY
    lost = {hour: seconds for hour, seconds in before.lost.items() if hour > oldest}
    for hour, seconds in _gap(before, at, interval).items():
        lost[hour] = lost.get(hour, 0.0) + seconds
    return replace(before, last=at, lost=lost)


def objective_of(record: Timeliness, interval: float, policy: FreshnessPolicy, now: datetime) -> Objective:
    """Measure a source at a moment: the time since its last answer counts, too."""
    allowed = 1 - policy.objective
    open_gap = _gap(record, now, interval)
    lost, measured = _over(record, open_gap, policy.days * HOURS_OF_A_DAY, now)
    lost_today, measured_today = _over(record, open_gap, HOURS_OF_A_DAY, now)
    return Objective(
        achieved=1 - lost / measured if measured else 1.0,
        used=lost / (allowed * policy.days * HOURS_OF_A_DAY * HOUR),
        burn=lost_today / measured_today / allowed if measured_today else 0.0,
    )


def _over(record: Timeliness, open_gap: Mapping[int, float], hours: int, now: datetime) -> tuple[float, float]:
    """Return the seconds that were not fresh, and those that are known, of the last hours, the present one included."""
    first = _hour(now) - hours + 1
    lost = sum(seconds for part in (record.lost, open_gap) for hour, seconds in part.items() if hour >= first)
    known = now.timestamp() - max(first * HOUR, record.first.timestamp())
    return min(lost, max(0.0, known)), max(0.0, known)


def _gap(record: Timeliness, until: datetime, interval: float) -> dict[int, float]:
    """Return the seconds, by hour, from the moment at which the last answer was no longer fresh."""
    end = until.timestamp()
    start = max(record.last.timestamp() + LATE_AFTER * interval, end - timedelta(days=LONGEST_DAYS).total_seconds())
    gap: dict[int, float] = {}
    while start < end:
        hour = int(start // HOUR)
        stop = min(end, (hour + 1) * HOUR)
        gap[hour] = stop - start
        start = stop
    return gap


def _hour(at: datetime) -> int:
    return int(at.timestamp() // HOUR)


def to_json(record: Timeliness) -> dict[str, Json]:
    """Return the document."""
    return {
        "schema": SCHEMA,
        "first": record.first.isoformat(),
        "last": record.last.isoformat(),
        "lost_s": [[hour, seconds] for hour, seconds in sorted(record.lost.items())],
    }


def from_json(document: Json) -> Timeliness | None:
    """Return the record that a document holds; None where there is none, or it is not one of ours."""
    try:
        held = members(document, SCHEMA)
        return Timeliness(
            first=moment(held["first"]),
            last=moment(held["last"]),
            lost={whole(hour): number(seconds) for hour, seconds in map(items, items(held["lost_s"]))},
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
