"""A source as it stands at one moment: what faces show of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from data_source_orchestrator.core.source import Source
from data_source_orchestrator.fanout.coordinator import SourceCoordinator
from data_source_orchestrator.health.freshness import Freshness, freshness_of
from data_source_orchestrator.orchestration.publish import not_published


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """A source's settings, switches and age; `retry_after` is seconds until an open breaker lets a probe through.

    `held_for` is the seconds for which its upstream has asked to be left alone, None where it has not.

    `not_published` are the capabilities that it declares and that no accepted row has ever carried; they are never
    late. Before the first answer nothing is known of that, and it is empty.
    """

    source: Source[Any]
    admitted: bool
    breaker: str
    retry_after: float | None
    held_for: float | None
    checked_at: datetime | None
    freshness: Freshness
    not_published: tuple[str, ...]


def view(
    coordinator: SourceCoordinator,
    source: Source[Any],
    checked_at: datetime | None,
    carried: Mapping[str, frozenset[str]],
) -> SourceView:
    """Return how a source stands now, given when it last answered and which capabilities its rows have carried."""
    guard = coordinator.guard(source.key)
    breaker, pace = guard.breaker, guard.pace
    return SourceView(
        source=source,
        admitted=breaker.admits,
        breaker=breaker.state,
        retry_after=breaker.retry_after,
        held_for=pace.held_for or None if pace is not None else None,
        checked_at=checked_at,
        freshness=freshness_of(checked_at, source.update_interval, coordinator.clock.now()),
        not_published=not_published(source, carried),
    )
