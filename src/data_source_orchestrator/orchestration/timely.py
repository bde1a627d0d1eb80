"""Keeps when sources were read, and notices at a run that one is fresher, or less fresh, than at the run before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from data_source_orchestrator.core.ports import Transaction
from data_source_orchestrator.health.freshness import Freshness, freshness_of
from data_source_orchestrator.health.timeliness import Timeliness, from_json, read_at, to_json

KIND, TOLD = "timeliness", "freshness"
"""The kinds of the documents that hold the record of a source, and the freshness that was told of it last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """A source whose freshness is another than it was at the run before."""

    source: str
    before: str
    after: str


def stored_timeliness(transaction: Transaction) -> dict[str, Timeliness]:
    """Return what is kept of each source."""
    held = {key: from_json(document) for key, document in transaction.documents(KIND).items()}
    return {key: record for key, record in held.items() if record is not None}


def put_timeliness(transaction: Transaction, intervals: Mapping[str, float], at: datetime) -> tuple[Refreshed, ...]:
    """Fold in when each registered source was last read, and return whose freshness has changed by `at`."""
    records = stored_timeliness(transaction)
    told = transaction.documents(TOLD)
    refreshed: list[Refreshed] = []
    checked = {key: moment for key, moment in transaction.last_checked().items() if key in intervals}
    for key, checked_at in checked.items():
        after = read_at(records.get(key), checked_at, intervals[key])
        if after != records.get(key):
            transaction.put_document(KIND, key, to_json(after))
        word = str(freshness_of(checked_at, intervals[key], at))
        before = told.get(key)
        if word != before:
            transaction.put_document(TOLD, key, word)
            was = before if isinstance(before, str) else str(Freshness.NEVER)
            refreshed.append(Refreshed(source=key, before=was, after=word))
    return tuple(refreshed)
