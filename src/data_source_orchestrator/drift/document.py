"""What is remembered of a source's documents as two JSON documents: the small one tells how they stand, the other why.

What is not exactly ours is read as nothing remembered: wrong figures are worse than none.
"""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.drift.fingerprint import Fingerprint
from data_source_orchestrator.drift.watch import Arrival, Standing, Watch

T = TypeVar("T")


class _Shapes(msgspec.Struct, frozen=True, kw_only=True):
    usual: tuple[Fingerprint, ...] = ()
    arrival: Arrival | None = None


def standings_to_json(watches: Mapping[str, Watch]) -> Json:
    """Return how documents stand, by name."""
    return _json(
        {name: Standing(sightings=w.sightings, findings=w.findings, digest=w.digest) for name, w in watches.items()}
    )


def shapes_to_json(watches: Mapping[str, Watch]) -> Json:
    """Return what documents are judged by, by name."""
    return _json({name: _Shapes(usual=watch.usual, arrival=watch.arrival) for name, watch in watches.items()})


def standings_of(document: Json) -> dict[str, Standing]:
    """Return how documents stand, by name, that `standings_to_json` told; none of what it did not tell."""
    return _read(document, dict[str, Standing])


def watches_of(standings: Json, shapes: Json) -> dict[str, Watch]:
    """Return all that is remembered of documents, by name."""
    known = _read(shapes, dict[str, _Shapes])
    return {
        name: Watch(
            sightings=standing.sightings,
            findings=standing.findings,
            digest=standing.digest,
            usual=known[name].usual,
            arrival=known[name].arrival,
        )
        for name, standing in standings_of(standings).items()
        if name in known
    }


def _json(value: object) -> Json:
    told: Json = msgspec.to_builtins(value)
    return told


def _read(document: Json, kind: type[dict[str, T]]) -> dict[str, T]:
    if document is None:
        return {}
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError:
        return {}
