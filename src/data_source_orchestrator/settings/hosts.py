"""How much `dso` asks of one host unless the settings say otherwise: the library itself sets no such limits."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from data_source_orchestrator.core.policies import ConcurrencyPolicy, LimitPolicy, RateLimitPolicy
from data_source_orchestrator.core.source import Source

HOST_LIMITS = LimitPolicy(rate=RateLimitPolicy(limit=30, per=60.0, burst=5), concurrency=ConcurrencyPolicy(limit=2))
"""What one host is asked at most: a source with all its retries may come at once, and then one call every 2 s."""

_DEFAULT_PORTS = {"http": 80, "https": 443}


def with_host(source: Source[Any]) -> Source[Any]:
    """Return a source that names the host it reads from, where it names none and its upstream is an address.

    An upstream of several addresses counts by the first of them.
    """
    host = None if source.host is not None else host_of(source.upstream.partition(" ")[0])
    return source if host is None else source.but(host=host)


def host_of(address: str) -> str | None:
    """Return the host that an address leads to, with its port where that is not the usual one; None for no address."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or parts.scheme not in _DEFAULT_PORTS:
        return None
    named = f"[{host}]" if ":" in host else host.rstrip(".")
    return named if port in {None, _DEFAULT_PORTS[parts.scheme]} else f"{named}:{port}"


def host_limits(hosts: Iterable[str], given: Mapping[str, LimitPolicy]) -> dict[str, LimitPolicy]:
    """Return the limits of each host; what the settings leave out of one is as it is for every host."""
    return {host: _over_default(given.get(host, LimitPolicy())) for host in hosts}


def _over_default(given: LimitPolicy) -> LimitPolicy:
    return LimitPolicy(rate=given.rate or HOST_LIMITS.rate, concurrency=given.concurrency or HOST_LIMITS.concurrency)
