"""The proxies that the environment names: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, read once a session.

Loopback is never asked through a proxy: it is on this machine, and a proxy's own loopback is another.
"""

import urllib.request
from collections.abc import Mapping

from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.web.reach import is_loopback
from data_source_orchestrator.web.redaction import shown


class Proxies:
    """Which proxy stands between us and a host."""

    __slots__ = ("_by_scheme",)

    def __init__(self, by_scheme: Mapping[str, str]) -> None:
        self._by_scheme = dict(by_scheme)

    @classmethod
    def of_environment(cls) -> "Proxies":
        """Return what the environment (on macOS and Windows also the system) says."""
        return cls(urllib.request.getproxies())

    def for_host(self, scheme: str, host: str, port: int | None) -> str | None:
        """Return the address of the proxy to ask, or None to ask directly."""
        proxy = self._by_scheme.get(scheme) or self._by_scheme.get("all")
        if not proxy or is_loopback(host) or urllib.request.proxy_bypass(host if ":" in host else f"{host}:{port}"):
            return None
        proxy = proxy if "://" in proxy else f"http://{proxy}"
        if not proxy.lower().startswith(("http://", "https://")):
            raise FetchError(
                FailureKind.CONNECTION,
                f"the environment names the proxy {shown(proxy)}, and only http:// and https:// proxies are spoken to",
            )
        return proxy
