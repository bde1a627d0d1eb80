"""What a synchronisation tells: the run, what it did to the snapshot, and what is missing and why."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from data_source_orchestrator.core.claim import EXPIRED_AFTER, Contribution, Record
from data_source_orchestrator.core.events import Event, FreshnessChanged, SnapshotHeld, SnapshotPublished
from data_source_orchestrator.core.outcome import Failure, Skipped, Success
from data_source_orchestrator.core.result import FetchResult
from data_source_orchestrator.core.snapshot import SnapshotChange
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.orchestration.commit import Kept
from data_source_orchestrator.orchestration.drifting import open_findings
from data_source_orchestrator.orchestration.publish import not_published
from data_source_orchestrator.orchestration.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A source that gave nothing in this run; its last good contribution, if any, speaks on until `expires_at`.

    `provides` is what is missing of it; what it declares and has never published is missing with or without it, and
    stands in `not_published`.
    """

    source: str
    provides: tuple[str, ...]
    not_published: tuple[str, ...]
    why: str
    checked_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """A synchronisation; `records` counts each successful source's rows, but for those set aside.

    `drift` are the open findings of each source.
    """

    result: FetchResult
    records: Mapping[str, int]
    snapshot: SnapshotChange
    missing: tuple[Missing, ...]
    drift: Mapping[str, int] = field(default_factory=dict)


def contributions_of(run: Run, at: datetime) -> tuple[Contribution, ...]:
    """Return what the successful sources of a run contribute: those of their rows that are records.

    They were checked at `at`; but a cache's answer is as old as it says, and is not made younger by being served.
    """
    contributed = []
    for outcome in run.outcomes.values():
        if isinstance(outcome, Success):
            rows = believed_rows(run.plan.by_key[outcome.source], outcome)
            records = tuple(row for row in rows if isinstance(row, Record))
            checked = outcome.age.checked_at if outcome.age else at
            contributed.append(Contribution(source=outcome.source, run_id=run.id, checked_at=checked, records=records))
    return tuple(contributed)


def believed_rows(source: Source[Any], outcome: Success[Any]) -> list[Any]:
    """Return the rows of an answer, but for those that its contract has set aside."""
    return [row for place, row in enumerate(source.records(outcome.data)) if place not in outcome.set_aside]


def published(change: SnapshotChange, snapshot_id: str, at: datetime) -> SnapshotPublished:
    """Return the event of a snapshot's having been kept."""
    return SnapshotPublished(
        at=at,
        snapshot_id=snapshot_id,
        entities=change.entities,
        new=change.new,
        changed=change.changed,
        unchanged=change.unchanged,
    )


def events_of(kept: Kept, at: datetime) -> Iterator[Event]:
    """Return what there is to tell of a run that was kept: whose freshness changed, and what became of the snapshot."""
    for each in kept.refreshed:
        yield FreshnessChanged(at=at, source=each.source, before=each.before, after=each.after)
    change = kept.change
    if change is None:
        return
    if change.held is None:
        if change.id is not None:
            yield published(change, change.id, at)
    elif change.held_anew:
        yield SnapshotHeld(
            at=at, snapshot_id=change.id, entities=change.entities, gone=change.gone, sentence=change.held.sentence
        )


def report_on(run: Run, result: FetchResult, kept: Kept) -> SyncReport:
    """Return the report of a synchronisation, given what the store holds after it."""
    sources = run.plan.by_key
    return SyncReport(
        result=result,
        snapshot=kept.change or SnapshotChange(id=None, entities=0),
        records={
            key: len(believed_rows(sources[key], outcome))
            for key, outcome in result.outcomes.items()
            if isinstance(outcome, Success)
        },
        missing=tuple(
            _missing(outcome, sources[key], kept.last_checked.get(key), not_published(sources[key], kept.carried))
            for key, outcome in result.outcomes.items()
            if not isinstance(outcome, Success)
        ),
        drift=open_findings(kept.standings),
    )


def _missing(
    outcome: Failure | Skipped, source: Source[Any], checked_at: datetime | None, never: tuple[str, ...]
) -> Missing:
    lasts = timedelta(seconds=EXPIRED_AFTER * source.update_interval)
    return Missing(
        source=source.key,
        provides=tuple(word for word in source.provides if word not in never),
        not_published=never,
        why=f"{outcome.kind}: {outcome.message}" if isinstance(outcome, Failure) else outcome.detail or outcome.reason,
        checked_at=checked_at,
        expires_at=checked_at + lasts if checked_at else None,
    )
