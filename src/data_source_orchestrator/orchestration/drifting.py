"""What documents the sources of a run showed, and what becomes of that in the store.

Documents are looked at beside the event loop before the run's transaction; the transaction judges what was found by
what it holds then, so that two processes do not undo each other's history.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from msgspec import Struct

from data_source_orchestrator.core.events import DriftDetected
from data_source_orchestrator.core.outcome import Success
from data_source_orchestrator.core.ports import Transaction
from data_source_orchestrator.core.shown import Shown
from data_source_orchestrator.core.threads import in_thread
from data_source_orchestrator.drift.document import shapes_to_json, standings_of, standings_to_json, watches_of
from data_source_orchestrator.drift.fingerprint import Fingerprint, fingerprint
from data_source_orchestrator.drift.watch import Sighting, Standing, Watch, accept, news, observe, seen_again
from data_source_orchestrator.drift.wording import sentence
from data_source_orchestrator.orchestration.run import Run

STANDINGS, SHAPES = "drift", "shape"
"""The kinds of the documents, one of each for each source."""

MOST_DOCUMENTS = 32
"""Documents of one source that are watched; of one that shows more, those that were shown first."""

Standings = Mapping[str, Mapping[str, Standing]]
"""How the documents of each source stand, by the source's key and the document's name."""


class Seen(Struct, frozen=True, kw_only=True):
    """A document that a source showed; without a fingerprint where its body was that of the last time."""

    name: str
    fingerprint: Fingerprint | None
    digest: str | None


class SeenOf(Struct, frozen=True, kw_only=True):
    """What one source showed in a run, and whether its answer was accepted.

    One whose answer was accepted and that showed nothing was served what it had shown before.
    """

    source: str
    at: datetime
    accepted: bool
    seen: tuple[Seen, ...]


async def seen_in(run: Run, standings: Standings, at: datetime) -> tuple[SeenOf, ...]:
    """Return what the sources of a run showed; it lets go of the documents."""
    shown = run.take_shown()
    return tuple(
        [
            SeenOf(
                source=key,
                at=at,
                accepted=isinstance(run.outcomes[key], Success),
                seen=await looked_at(documents, standings.get(key, {})),
            )
            for key, documents in shown.items()
        ]
    )


async def looked_at(shown: Sequence[Shown], standings: Mapping[str, Standing]) -> tuple[Seen, ...]:
    """Return the fingerprints of documents, made in a thread; bodies whose digests are known are not looked at."""
    if not shown:
        return ()
    return await in_thread(partial(_look_at, shown[:MOST_DOCUMENTS], standings), name="dso-fingerprints")


def _look_at(shown: Iterable[Shown], standings: Mapping[str, Standing]) -> tuple[Seen, ...]:
    return tuple(_seen(each, standings.get(each.name)) for each in shown)


def _seen(shown: Shown, standing: Standing | None) -> Seen:
    known = standing is not None and shown.digest is not None and standing.digest == shown.digest
    return Seen(name=shown.name, fingerprint=None if known else fingerprint(shown.document), digest=shown.digest)


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
        return {name: seen_again(watch, of.at) for name, watch in watches.items()} if of.accepted else after
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
