"""What a source has asked of each host, in numbers that can be shown to the host's owner.

It must not know how requests are sent, nor where the numbers are kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from http import HTTPStatus

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.traffic import WireRequest
from data_source_orchestrator.health.strict import members, moment, number, text, whole

SCHEMA = "dso.traffic/1"

MOST_HOSTS = 50
"""Hosts that are told apart for one source; an upstream that redirects everywhere fills no store."""

OTHERS = "others"
"""What all further hosts are counted as."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostTraffic:
    """Requests to one host, redirects and robots.txt included.

    `received` is bytes of bodies as they came, `not_modified` the answers 304. `limited` counts answers by which a host
    said that it was asked too much, `refused` all others of 4xx, but for a robots.txt that is not there; `failed` those
    of 5xx, `unanswered` what had no answer. `waits` and `waited` are how often it asked to be left alone, and for how
    many seconds in all. `robots` is how often its robots.txt was asked for.
    """

    requests: int = 0
    received: int = 0
    not_modified: int = 0
    refused: int = 0
    limited: int = 0
    failed: int = 0
    unanswered: int = 0
    waits: int = 0
    waited: float = 0.0
    robots: int = 0

    def __add__(self, other: "HostTraffic") -> "HostTraffic":
        """Return both together."""
        return HostTraffic(**{name: getattr(self, name) + getattr(other, name) for name in _COUNTS})


_COUNTS = tuple(member.name for member in fields(HostTraffic))


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTraffic:
    """What one source asked, by host, since a moment.

    `fetches` counts how often its data was wanted and somebody was asked for it, checks included; `held_back` how often
    nobody was, because a limit or the upstream's own wait stood in the way; `forbidden` how often robots.txt did.
    `delays` counts the calls that waited for a limit, and `delayed` the seconds of that in all.
    """

    since: datetime | None = None
    fetches: int = 0
    held_back: int = 0
    forbidden: int = 0
    delays: int = 0
    delayed: float = 0.0
    hosts: Mapping[str, HostTraffic] = field(default_factory=dict)

    @property
    def total(self) -> HostTraffic:
        """What all hosts together were asked."""
        return sum(self.hosts.values(), HostTraffic())

    @property
    def requests_per_fetch(self) -> float | None:
        """Requests on the wire for each time that the data was wanted; None where it never was."""
        return self.total.requests / self.fetches if self.fetches else None

    def __add__(self, other: "SourceTraffic") -> "SourceTraffic":
        """Return both together."""
        since = min((each.since for each in (self, other) if each.since is not None), default=None)
        return SourceTraffic(
            since=since,
            fetches=self.fetches + other.fetches,
            held_back=self.held_back + other.held_back,
            forbidden=self.forbidden + other.forbidden,
            delays=self.delays + other.delays,
            delayed=self.delayed + other.delayed,
            hosts=_together(self.hosts, other.hosts) if other.hosts else self.hosts,
        )


def _together(one: Mapping[str, HostTraffic], other: Mapping[str, HostTraffic]) -> dict[str, HostTraffic]:
    hosts = dict(one)
    for name, more in other.items():
        place = name if name in hosts or len(hosts) < MOST_HOSTS else OTHERS
        hosts[place] = hosts.get(place, HostTraffic()) + more
    return hosts


def asked(request: WireRequest, at: datetime) -> SourceTraffic:
    """Return what one request adds."""
    return SourceTraffic(since=at, hosts={request.host: _of(request)})


def _of(request: WireRequest) -> HostTraffic:
    status = request.status
    counted = HostTraffic(
        requests=1,
        received=request.received,
        robots=int(request.robots),
        waits=int(request.wait is not None),
        waited=request.wait or 0.0,
    )
    if status is None:
        return replace(counted, unanswered=1)
    if request.limited:
        return replace(counted, limited=1)
    return replace(
        counted,
        not_modified=int(status == HTTPStatus.NOT_MODIFIED),
        refused=int(not request.robots and HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR),
        failed=int(status >= HTTPStatus.INTERNAL_SERVER_ERROR),
    )


def traffic_to_json(traffic: SourceTraffic) -> dict[str, Json]:
    """Return the numbers as a document."""
    return {
        "schema": SCHEMA,
        "since": None if traffic.since is None else traffic.since.isoformat(),
        "fetches": traffic.fetches,
        "held_back": traffic.held_back,
        "forbidden": traffic.forbidden,
        "delays": traffic.delays,
        "delayed_s": traffic.delayed,
        "hosts": {host: {name: getattr(each, name) for name in _COUNTS} for host, each in traffic.hosts.items()},
    }


def traffic_from_json(document: Json) -> SourceTraffic:
    """Return the numbers that a document holds, or none where the document is not one of ours."""
    try:
        held = members(document, SCHEMA)
        hosts, since = held["hosts"], held["since"]
        if not isinstance(hosts, Mapping):
            return SourceTraffic()
        return SourceTraffic(
            since=None if since is None else moment(since),
            fetches=whole(held["fetches"]),
            held_back=whole(held["held_back"]),
            forbidden=whole(held["forbidden"]),
            delays=whole(held["delays"]),
            delayed=number(held["delayed_s"]),
            hosts={text(host): _host(each) for host, each in hosts.items()},
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return SourceTraffic()


def _host(document: Json) -> HostTraffic:
    if not isinstance(document, Mapping):
        raise ValueError(f"{document!r} is no object")  # noqa: TRY004 — whoever reads a document catches one kind of error
    counts = {name: whole(document[name]) for name in _COUNTS if name != "waited"}
    return HostTraffic(**counts, waited=number(document["waited"]))
