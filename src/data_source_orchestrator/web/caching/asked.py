"""A GET as far as the cache looks at it.

Imports yarl, which comes with aiohttp.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from data_source_orchestrator.web.caching.directives import parse_directives
from data_source_orchestrator.web.caching.storable import asks_by_itself, has_credentials, has_secret
from data_source_orchestrator.web.get import Get
from data_source_orchestrator.web.hop import first_hop


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for; names of `sent` have lower case.

    Who `insists` takes nothing that upstream, asked now, has not confirmed. A kept answer older than `max_age`, in
    seconds, does not do.
    """

    url: str
    sent: Mapping[str, str]
    credentials: bool
    insists: bool
    max_age: float | None
    max_body: int | None


def asked_of(get: Get, defaults: Mapping[str, str], *, insists: bool) -> Asked | None:
    """Return what is asked for, None where the cache has no part in it; `defaults` are sent where `get` says nothing.

    It has none in a request that asks for a part, or under conditions of its own, or with `no-store`, or at an address
    with a secret in it. Raises `FetchError` where `get` cannot be sent.
    """
    hop = first_hop(get.url, get.params, get.headers)
    own = {name.lower(): value for name, value in hop.headers.items()}
    url = str(hop.url)
    directives = parse_directives(own.get("cache-control", ""))
    if directives.no_store or asks_by_itself(own) or has_secret(url):
        return None
    return Asked(
        url=url,
        sent={**defaults, **own},
        credentials=has_credentials(own),
        insists=insists or directives.no_cache,
        max_age=directives.max_age,
        max_body=get.max_body,
    )
