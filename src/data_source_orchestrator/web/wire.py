"""An aiohttp session of one event loop, set up to do only what it is told: no cookies, redirects, retries, decoding.

Imports aiohttp, and so is itself imported at the first request only.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

import aiohttp

from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.web.causes import MOST_HEADERS, told
from data_source_orchestrator.web.connector import LINK, GuardedConnector, Link
from data_source_orchestrator.web.courtesy import Courtesy
from data_source_orchestrator.web.exchange import Exchange, Reply
from data_source_orchestrator.web.hop import Hop, first_hop
from data_source_orchestrator.web.introduction import user_agent
from data_source_orchestrator.web.policy import HttpPolicy
from data_source_orchestrator.web.proxies import Proxies
from data_source_orchestrator.web.reach import Reach

ANYTHING = "*/*"
"""The `Accept` header of a request that has none of its own."""


class Wire:
    """One aiohttp session of the running loop."""

    def __init__(self, policy: HttpPolicy, tls: ssl.SSLContext) -> None:
        self._policy = policy
        self._trusted = policy.trusted_networks()
        self._proxies = Proxies.of_environment()
        self._slots = asyncio.Semaphore(policy.max_connections)
        self._session = aiohttp.ClientSession(
            connector=GuardedConnector(tls),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": user_agent(policy), "Accept": ANYTHING},
            timeout=aiohttp.ClientTimeout(total=None, connect=in_seconds(policy.connect_timeout)),
            auto_decompress=False,
            max_line_size=policy.max_header,
            max_field_size=policy.max_header,
            max_headers=MOST_HEADERS,
            middlewares=(self._send_once,),
        )

    def ask(
        self, url: str, params: Mapping[str, Any] | None, headers: Mapping[str, str] | None, courtesy: Courtesy
    ) -> Exchange:
        """Return what sends a GET and gives the answer at the end of its redirects; raises `FetchError`."""
        hop, reach = first_hop(url, params, headers), Reach(self._trusted)
        return Exchange(hop, reach, courtesy, send=self._send, slots=self._slots, policy=self._policy)

    async def close(self) -> None:
        """Close every connection, and return when their sockets are gone."""
        await self._session.close()

    async def _send(self, hop: Hop, reach: Reach) -> Reply:
        host = hop.url.host or ""
        proxy = self._proxies.for_host(hop.url.scheme, host, hop.url.port)
        link = Link(reach, proxied=proxy is not None)
        mark = LINK.set(link)
        try:
            if proxy is not None:
                link.check_name(host)
            response = await self._session.get(hop.url, headers=hop.headers, proxy=proxy, allow_redirects=False)
        except BaseException as error:
            link.cut()
            if not isinstance(error, Exception):
                raise
            raise told(error, hop.url, link, self._policy) from None
        finally:
            LINK.reset(mark)
        return Reply(response, link, self._policy)

    async def _send_once(
        self, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Turn a broken connection into our error inside aiohttp, which else would send the request again."""
        try:
            return await send(request)
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            raise told(error, request.url, LINK.get(), self._policy) from None
