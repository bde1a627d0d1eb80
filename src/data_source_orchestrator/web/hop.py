"""One request on its way: its address and headers, and what becomes of them when an upstream redirects it.

Imports yarl and multidict, which come with aiohttp; only `wire` may import this module.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from multidict import CIMultiDict
from yarl import URL

from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.web.decoding import ACCEPTED
from data_source_orchestrator.web.redaction import looks_secret, shown

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SCHEMES = frozenset({"http", "https"})


@dataclass(frozen=True, slots=True)
class Hop:
    """A GET that is about to be sent."""

    url: URL
    headers: CIMultiDict[str]

    def onward(self, status: int, headers: Mapping[str, str]) -> "Hop | None":
        """Return the hop that this answer redirects to, or None where it is no redirect.

        On a change of origin the headers that may hold credentials stay behind. Raises `FetchError`: client for
        an address that cannot be read, blocked for a scheme other than http and https.
        """
        if status not in _REDIRECTS:
            return None
        url = self._target(headers.get("location", ""))
        if url.origin() == self.url.origin():
            return replace(self, url=url)
        kept = [(name, value) for name, value in self.headers.items() if not _belongs_to_origin(name)]
        return Hop(url, CIMultiDict(kept))

    def _target(self, location: str) -> URL:
        if not location:
            raise FetchError(FailureKind.CLIENT, f"{shown(self.url)} redirects without saying where to")
        try:
            url = self.url.join(URL(location)).with_fragment(None)
        except (ValueError, TypeError):
            raise self._unreadable(location) from None
        if url.scheme not in _SCHEMES:
            raise FetchError(
                FailureKind.BLOCKED,
                f"{shown(self.url)} redirects to {url.scheme}:, and only http and https are followed",
            )
        if not url.host:
            raise self._unreadable(location)
        return url.with_user(None)

    def _unreadable(self, location: str) -> FetchError:
        told = f"{shown(self.url)} redirects to {shown(location)!r}, which is no address"
        return FetchError(FailureKind.CLIENT, told)


def first_hop(url: str, params: Mapping[str, Any] | None, headers: Mapping[str, str] | None) -> Hop:
    """Return the request that a fetcher asked for; userinfo becomes an Authorization header.

    Raises `FetchError`: client for what is no http or https address, bug for parameters that cannot be sent.
    """
    target = _parsed(url)
    sent = CIMultiDict(headers or {})
    sent["Accept-Encoding"] = ACCEPTED
    if target.user is not None or target.password is not None:
        sent.setdefault("Authorization", _basic(target))
        target = target.with_user(None)
    try:
        target = target.extend_query(params) if params else target
    except (TypeError, ValueError):
        told = f"the parameters for {shown(url)} cannot be sent: give text, numbers, or lists of them"
        raise FetchError(FailureKind.BUG, told) from None
    return Hop(target.with_fragment(None) if target.raw_fragment else target, sent)


def _parsed(url: str) -> URL:
    try:
        target = URL(url)
    except (ValueError, TypeError):
        target = URL()
    if target.scheme not in _SCHEMES or not target.host:
        told = f"{shown(url)!r} is no address to fetch from; give one that begins with http:// or https://"
        raise FetchError(FailureKind.CLIENT, told)
    return target


def _basic(url: URL) -> str:
    pair = f"{url.user or ''}:{url.password or ''}".encode()
    return f"Basic {base64.b64encode(pair).decode('ascii')}"


def _belongs_to_origin(header: str) -> bool:
    return header.lower() == "host" or looks_secret(header)
