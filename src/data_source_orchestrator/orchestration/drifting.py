"""What is kept of sources' documents, judged inside a run's transaction by what that finds.

So two processes do not undo each other's history.
"""

from collections.abc import Collection, Iterable, Mapping

from data_source_orchestrator.core.events import DriftDetected
from data_source_orchestrator.core.ports import Transaction
from data_source_orchestrator.drift.document import shapes_to_json, standings_of, standings_to_json, watches_of
from data_source_orchestrator.drift.watch import (
    Sighting,
    Standing,
    Watch,
    accept,
    accepted_unshown,
    news,
    observe,
    seen_again,
)
from data_source_orchestrator.drift.wording import sentence
from data_source_orchestrator.orchestration.showing import MOST_DOCUMENTS, Seen, SeenOf, Standings

STANDINGS, SHAPES = "drift", "shape"
"""The kinds of the documents, one of each for each source."""


def stored_standings(transaction: Transaction) -> Standings:
    """Return how all documents stand."""
    return {key: standings_of(held) for key, held in transaction.documents(STANDINGS).items()}


def open_findings(standings: Standings) -> dict[str, int]:
    """Return how many findings are open of each source; those without any are absent."""
    counts = {key: sum(len(each.findings) for each in named.values()) for key, named in standings.items()}
    return {key: count for key, count in counts.items() if count}


def put_seen(transaction: Transaction, seen: Iterable[SeenOf]) -> list[DriftDetected]:
    """Judge and keep what sources showed, and return what is new of that."""
    standings, shapes = transaction.documents(STANDINGS), transaction.documents(SHAPES)
    told: list[DriftDetected] = []
    for each in seen:
        before = watches_of(standings.get(each.source), shapes.get(each.source))
        after = _observed(before, each)
        if after != before:
            _put(transaction, each.source, after)
        told += _told(each, before, after)
    return told


def accept_all(transaction: Transaction, keys: Collection[str]) -> None:
    """Take what these sources serve now for usual."""
    if not keys:
        return
    standings, shapes = transaction.documents(STANDINGS), transaction.documents(SHAPES)
    for key in keys:
        watches = watches_of(standings.get(key), shapes.get(key))
        _put(transaction, key, {name: accept(watch) for name, watch in watches.items()})


def forget(transaction: Transaction, keys: Collection[str]) -> None:
    """Forget the documents of these sources."""
    if not keys:
        return
    held = transaction.documents(STANDINGS)
    for key in keys:
        if key in held:
            _put(transaction, key, {})


def _put(transaction: Transaction, key: str, watches: Mapping[str, Watch]) -> None:
    transaction.put_document(STANDINGS, key, standings_to_json(watches))
    transaction.put_document(SHAPES, key, shapes_to_json(watches))


def _observed(watches: Mapping[str, Watch], of: SeenOf) -> dict[str, Watch]:
    """Return a source's watches after what it showed."""
    after = dict(watches)
    if not of.seen:
        return {name: accepted_unshown(watch, of.at) for name, watch in watches.items()} if of.accepted else after
    for each in of.seen:
        watch = after.get(each.name)
        if watch is None and len(after) >= MOST_DOCUMENTS:
            continue
        after[each.name] = _watched(watch or Watch(), each, of)
    return after


def _watched(watch: Watch, seen: Seen, of: SeenOf) -> Watch:
    if seen.fingerprint is not None:
        sighting = Sighting(fingerprint=seen.fingerprint, at=of.at, accepted=of.accepted, digest=seen.digest)
        return observe(watch, sighting)
    if watch.digest == seen.digest and of.accepted:
        return seen_again(watch, of.at)
    return watch  # another process has seen another body meanwhile, and nobody has looked at this one


def _told(of: SeenOf, before: Mapping[str, Standing], after: Mapping[str, Standing]) -> Iterable[DriftDetected]:
    for name, watch in after.items():
        found = news(before.get(name, Standing()), watch)
        if found:
            sentences = tuple(sentence(name, each) for each in found)
            yield DriftDetected(at=of.at, source=of.source, document=name, changes=sentences)
