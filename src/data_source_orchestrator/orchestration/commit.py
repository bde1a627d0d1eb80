"""What one run changes in the store: a function of a transaction and of values, run on the store's own thread."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.ports import RunRow, Transaction
from data_source_orchestrator.core.result import Metadata
from data_source_orchestrator.core.snapshot import SnapshotChange
from data_source_orchestrator.health.document import from_json, to_json
from data_source_orchestrator.health.metrics import RunTotals, run_finished, totals_from_json, totals_to_json
from data_source_orchestrator.health.state import SourceHealth
from data_source_orchestrator.orchestration.happened import Acted, Happened, fold, source_of
from data_source_orchestrator.orchestration.publish import Publication, publish, words_of

TOTALS = "runs"
"""The key of the one document of kind `metrics`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """A breaker's state, with the version of the stored one that it grew out of."""

    version: int
    state: Json


NEVER_STORED = Breaker(version=0, state=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Everything that one transaction keeps."""

    happened: tuple[Happened, ...] = ()
    breakers: Mapping[str, Breaker]
    run: RunRow | None = None
    publication: Publication | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The store's view after a transaction: other processes' runs are in it too."""

    health: Mapping[str, SourceHealth]
    totals: RunTotals
    breakers: Mapping[str, Breaker]
    switches: Mapping[str, Json]
    last_checked: Mapping[str, datetime]
    carried: Mapping[str, frozenset[str]]
    change: SnapshotChange | None = None


def commit(transaction: Transaction, batch: Batch) -> Kept:
    """Fold a batch into what the store holds, and return what it holds then."""
    _fold(transaction, batch.happened)
    _put_breakers(transaction, batch)
    if batch.run is not None:
        transaction.add_run(batch.run)
    change = publish(transaction, batch.publication) if batch.publication else None
    return remembered(transaction, change)


def remembered(transaction: Transaction, change: SnapshotChange | None = None) -> Kept:
    """Return what the store holds."""
    return Kept(
        health={key: from_json(document) for key, document in transaction.documents("health").items()},
        totals=totals_from_json(transaction.documents("metrics").get(TOTALS)),
        breakers={key: _breaker(held) for key, held in transaction.documents("breaker").items()},
        switches=transaction.documents("switch"),
        last_checked={key: held.checked_at for key, held in transaction.contributions().items()},
        carried={key: words_of(held) for key, held in transaction.documents("capabilities").items()},
        change=change,
    )


def _breaker(document: Json) -> Breaker:
    """Return a stored breaker; what cannot be read is one that was never stored."""
    match document:
        case {"version": int(version), "state": state}:
            return Breaker(version=version, state=state)
        case _:
            return NEVER_STORED


def _fold(transaction: Transaction, happened: Iterable[Happened]) -> None:
    health = {key: from_json(document) for key, document in transaction.documents("health").items()}
    totals = totals_from_json(transaction.documents("metrics").get(TOTALS))
    switches = transaction.documents("switch")
    touched = set()
    for each in happened:
        key = source_of(each)
        if key is None:
            totals = run_finished(totals, each) if isinstance(each, Metadata) else totals
            continue
        touched.add(key)
        health[key] = fold(health.get(key, SourceHealth()), each)
        if isinstance(each, Acted) and each.switch:
            held = switches.get(key)
            switches[key] = {**(held if isinstance(held, Mapping) else {}), **each.switch}
            transaction.put_document("switch", key, switches[key])
    for key in touched:
        transaction.put_document("health", key, to_json(health[key]))
    transaction.put_document("metrics", TOTALS, totals_to_json(totals))


def _put_breakers(transaction: Transaction, batch: Batch) -> None:
    """Keep breakers, unless somebody else moved the stored one meanwhile: an operator's act in another process wins."""
    stored = transaction.documents("breaker")
    for key, breaker in batch.breakers.items():
        held = _breaker(stored.get(key))
        if held.version == breaker.version and held.state != breaker.state:
            transaction.put_document("breaker", key, {"version": held.version + 1, "state": breaker.state})
