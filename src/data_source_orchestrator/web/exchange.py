"""One request until its answer has been read or left: its redirects followed, its connection given back or cut.

Imports aiohttp; only `wire` may import this module.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import aiohttp

from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.web.causes import reset_within_body, told
from data_source_orchestrator.web.connector import Link
from data_source_orchestrator.web.courtesy import Courtesy
from data_source_orchestrator.web.hop import Hop
from data_source_orchestrator.web.policy import HttpPolicy
from data_source_orchestrator.web.reach import Reach
from data_source_orchestrator.web.redaction import shown

Send = Callable[[Hop, Reach], Awaitable["Reply"]]


class Reply:
    """What one hop was answered, its body still on the wire."""

    __slots__ = ("_link", "_policy", "_received", "_response")

    def __init__(self, response: aiohttp.ClientResponse, link: Link, policy: HttpPolicy) -> None:
        self._response = response
        self._link = link
        self._policy = policy
        self._received = 0

    @property
    def received(self) -> int:
        """The bytes of the body so far, as they came."""
        return self._received

    @property
    def url(self) -> str:
        """The address that answered."""
        return str(self._response.url)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        """The response headers; names are matched whatever their case."""
        return self._response.headers

    async def more(self) -> bytes:
        """Return the next bytes of the body, b"" at its end; raises `FetchError`."""
        try:
            data = await self._response.content.readany()
        except Exception as error:  # noqa: BLE001 — `told` gives back unchanged what is none of the wire's errors
            raise told(error, self._response.url, self._link, self._policy) from None
        if not data and self._ends_with_connection and self._link.was_reset:
            raise reset_within_body(self._response.url)
        self._received += len(data)
        return data

    def leave(self) -> None:
        """Give the connection back, or cut it where the body was not read to its end."""
        if not self._response.closed:
            self._link.cut()
        self._response.close()

    @property
    def _ends_with_connection(self) -> bool:
        """Whether only the end of the connection ends the body, so that a reset looks like an end to aiohttp."""
        return "content-length" not in self.headers and "transfer-encoding" not in self.headers


class Exchange:
    """A context that gives the answer at the end of a request's redirects, and leaves it when it ends."""

    __slots__ = ("_courtesy", "_hop", "_on_wire", "_policy", "_reach", "_reply", "_seen", "_send", "_slots")

    def __init__(  # noqa: PLR0913 — each is another thing that is handed in
        self,
        hop: Hop,
        reach: Reach,
        courtesy: Courtesy,
        *,
        send: Send,
        slots: asyncio.Semaphore,
        policy: HttpPolicy,
    ) -> None:
        self._hop = hop
        self._reach = reach
        self._courtesy = courtesy
        self._on_wire = False
        self._send = send
        self._slots = slots
        self._policy = policy
        self._seen = [hop.url]
        self._reply: Reply | None = None

    async def __aenter__(self) -> Reply:
        try:
            return await self._last_reply()
        except BaseException:
            self._leave()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    async def _last_reply(self) -> Reply:
        while True:
            await self._courtesy.admit(str(self._hop.url))  # which may send a request of its own, and needs a slot then
            self._reply = reply = await self._sent()
            onward = self._hop.onward(reply.status, reply.headers)
            if onward is None:
                return reply
            self._leave()
            self._follow(onward)

    async def _sent(self) -> Reply:
        await self._slots.acquire()
        self._on_wire = True
        return await self._send(self._hop, self._reach)

    def _leave(self) -> None:
        """End the request that is on the wire, if one is, and tell of it."""
        if not self._on_wire:
            return
        self._on_wire = False
        self._slots.release()
        reply, self._reply = self._reply, None
        host = self._hop.url.host or ""
        if reply is None:
            self._courtesy.ended(host, None, {}, 0)
            return
        reply.leave()
        self._courtesy.ended(host, reply.status, reply.headers, reply.received)

    def _follow(self, onward: Hop) -> None:
        first, most = shown(self._seen[0]), self._policy.max_redirects
        if onward.url in self._seen:
            raise FetchError(FailureKind.CLIENT, f"{first} redirects in a circle, back to {shown(onward.url)}")
        if len(self._seen) > most:
            raise FetchError(FailureKind.CLIENT, f"{first} redirects more than {most} times")
        self._hop = onward
        self._seen.append(onward.url)
        self._reach.follow_redirect()
