"""What the sources of a run showed, made into fingerprints beside the event loop."""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial

from msgspec import Struct

from data_source_orchestrator.core.outcome import Success
from data_source_orchestrator.core.shown import Shown
from data_source_orchestrator.core.threads import in_thread
from data_source_orchestrator.drift.fingerprint import Fingerprint, fingerprint
from data_source_orchestrator.drift.watch import Standing
from data_source_orchestrator.orchestration.run import Run

_LOG = logging.getLogger("data_source_orchestrator")

MOST_DOCUMENTS = 32
"""Documents of one source that are watched; of one that shows more, those that it shows first."""

Standings = Mapping[str, Mapping[str, Standing]]
"""How the documents of each source stand, by the source's key and the document's name."""


class Seen(Struct, frozen=True, kw_only=True):
    """A document that a source showed; without a fingerprint where its body is the one that was looked at last."""

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
    """Return what the sources of a run showed; documents whose bodies are known are not looked at again."""
    shown = run.take_shown()
    accepted = {key for key in shown if isinstance(run.outcomes[key], Success)}
    look = partial(_look_at_all, shown, accepted, standings, at)
    return await in_thread(look, name="dso-fingerprints") if any(shown.values()) else look()


def _look_at_all(
    shown: Mapping[str, tuple[Shown, ...]], accepted: set[str], standings: Standings, at: datetime
) -> tuple[SeenOf, ...]:
    told = []
    for key, documents in shown.items():
        seen = tuple(_look_at(documents[:MOST_DOCUMENTS], standings.get(key, {})))
        if seen or not documents:
            told.append(SeenOf(source=key, at=at, accepted=key in accepted, seen=seen))
    return tuple(told)


def _look_at(documents: tuple[Shown, ...], standings: Mapping[str, Standing]) -> Iterator[Seen]:
    """Yield what is to be seen of documents; one that cannot be looked at, as it is being changed, is left out."""
    for each in documents:
        standing = standings.get(each.name)
        if standing is not None and each.digest is not None and standing.digest == each.digest:
            yield Seen(name=each.name, fingerprint=None, digest=each.digest)
            continue
        try:
            yield Seen(name=each.name, fingerprint=fingerprint(each.document), digest=each.digest)
        except Exception:  # noqa: BLE001 — a fetcher's own objects may do anything, and its data is worth having all the same
            _LOG.exception("%s cannot be looked at, and is not watched for drift in this run", each.name)
