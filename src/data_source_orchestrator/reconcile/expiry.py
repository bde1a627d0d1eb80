"""Which contributions are still believed. It knows intervals and a moment, and never asks what time it is."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from data_source_orchestrator.core.claim import Contribution, expires_at

Contributions = tuple[Contribution, ...]


def living(
    contributions: Iterable[Contribution], intervals: Mapping[str, float], now: datetime
) -> tuple[Contributions, Contributions]:
    """Return the contributions that are still believed, and those that have expired.

    `intervals` are the update intervals of the registered sources, in seconds. What an unregistered source once
    said is in neither part: it has not grown old, it has lost its speaker.
    """
    kept: list[Contribution] = []
    expired: list[Contribution] = []
    for contribution in contributions:
        interval = intervals.get(contribution.source)
        if interval is None:
            continue
        (kept if now <= expires_at(contribution, interval) else expired).append(contribution)
    return tuple(kept), tuple(expired)
