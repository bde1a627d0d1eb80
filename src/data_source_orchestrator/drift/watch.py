"""What is remembered of one document: its usual fingerprints, what has come instead, and what is open since when.

One fold: another sighting of the document goes in, and the next state comes out.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from data_source_orchestrator.drift.fingerprint import Count, Fingerprint
from data_source_orchestrator.drift.judge import Change, Difference, judge

ENOUGH = 5
"""Sightings before a document is judged: with fewer a median cannot outvote two odd ones."""

KEPT = 12
"""Usual fingerprints that are kept of a document, the newest."""

SETTLED_AFTER = timedelta(days=7)
"""How long what is new must have been served, in at least `ENOUGH` accepted answers, before it is usual itself."""

MOST_FINDINGS = 50
"""Findings of one document that are kept and told."""


class Finding(Struct, frozen=True, kw_only=True):
    """A change that has lasted `since` it was first seen; `before` and `after` are as in a `Difference`."""

    change: Change
    path: str
    before: float | str
    after: float | str
    since: datetime


class Sighting(Struct, frozen=True, kw_only=True):
    """A document as it was served.

    `accepted` is whether the answer that it was part of was data: what was refused is judged too, and never gets usual.
    """

    fingerprint: Fingerprint
    at: datetime
    accepted: bool
    digest: str | None = None


class Arrival(Struct, frozen=True, kw_only=True):
    """What has come in place of what was usual: like fingerprints, since when, and in how many accepted answers."""

    fingerprints: tuple[Fingerprint, ...]
    since: datetime
    sightings: Count


class Standing(Struct, frozen=True, kw_only=True):
    """How a document stands: in how many accepted answers it was seen, and what is open.

    `digest` is that of the body whose fingerprint was kept last; None where another body has come since.
    """

    sightings: Count = 0
    findings: tuple[Finding, ...] = ()
    digest: str | None = None

    @property
    def judged(self) -> bool:
        """Whether there is enough history to judge it by."""
        return self.sightings >= ENOUGH


class Watch(Standing, frozen=True, kw_only=True):
    """What is remembered of a document: how it stands, what is usual of it, and what has come instead."""

    usual: tuple[Fingerprint, ...] = ()
    arrival: Arrival | None = None


def observe(watch: Watch, sighting: Sighting) -> Watch:
    """Return what is remembered after a sighting.

    One without a finding joins what is usual, and closes what was open: the shape is back. One with findings joins the
    arrival, which becomes usual when it has lasted.
    """
    watch = replace(watch, digest=None)
    differences = judge(sighting.fingerprint, watch.usual) if watch.judged else ()
    if not differences:
        return _usual(watch, sighting)
    arrival = _arrival(watch.arrival, sighting)
    watch = replace(watch, digest=sighting.digest)
    if arrival.sightings >= ENOUGH and sighting.at - arrival.since >= SETTLED_AFTER:
        return _settled(watch, arrival)
    return replace(watch, arrival=arrival, findings=_findings(watch.findings, differences, sighting.at))


def seen_again(watch: Watch, at: datetime) -> Watch:
    """Return what is remembered after the body that was looked at last has been accepted once more."""
    return _again(watch, watch.usual if watch.arrival is None else watch.arrival.fingerprints, at)


def accepted_unshown(watch: Watch, at: datetime) -> Watch:
    """Return what is remembered after an answer was accepted without a document: it was the last one accepted."""
    arrival = watch.arrival
    return _again(watch, arrival.fingerprints if arrival is not None and arrival.sightings else watch.usual, at)


def accept(watch: Watch) -> Watch:
    """Return what is remembered when an operator has said that what is served now is as it should be."""
    return watch if watch.arrival is None else _settled(watch, watch.arrival)


def news(before: Standing, after: Standing) -> tuple[Finding, ...]:
    """Return the findings that were not open before."""
    known = {(each.change, each.path) for each in before.findings}
    return tuple(each for each in after.findings if (each.change, each.path) not in known)


def _again(watch: Watch, fingerprints: Sequence[Fingerprint], at: datetime) -> Watch:
    if not fingerprints:
        return watch
    return observe(watch, Sighting(fingerprint=fingerprints[-1], at=at, accepted=True, digest=watch.digest))


def _usual(watch: Watch, sighting: Sighting) -> Watch:
    watch = replace(watch, arrival=None, findings=())
    if not sighting.accepted:
        return watch
    return replace(
        watch,
        sightings=watch.sightings + 1,
        usual=_with(watch.usual, sighting.fingerprint)[-KEPT:],
        digest=sighting.digest,
    )


def _with(known: Sequence[Fingerprint], fingerprint: Fingerprint) -> tuple[Fingerprint, ...]:
    return (*known,) if known and known[-1] == fingerprint else (*known, fingerprint)


def _arrival(arrival: Arrival | None, sighting: Sighting) -> Arrival:
    """Return the arrival with one more sighting; one that is unlike those before it begins another."""
    if arrival is None or judge(sighting.fingerprint, arrival.fingerprints):
        return Arrival(fingerprints=(sighting.fingerprint,), since=sighting.at, sightings=int(sighting.accepted))
    return Arrival(
        fingerprints=_with(arrival.fingerprints, sighting.fingerprint)[-ENOUGH:],
        since=arrival.since,
        sightings=arrival.sightings + sighting.accepted,
    )


def _settled(watch: Watch, arrival: Arrival) -> Watch:
    return replace(
        watch,
        sightings=watch.sightings + arrival.sightings,
        usual=arrival.fingerprints,
        arrival=None,
        findings=(),
    )


def _findings(known: Sequence[Finding], differences: Sequence[Difference], at: datetime) -> tuple[Finding, ...]:
    """Return the differences as findings, each since it was first seen."""
    since = {(each.change, each.path): each.since for each in known}
    return tuple(
        Finding(
            change=each.change,
            path=each.path,
            before=each.before,
            after=each.after,
            since=since.get((each.change, each.path), at),
        )
        for each in differences[:MOST_FINDINGS]
    )
