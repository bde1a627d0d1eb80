"""How connections are made: names looked up off the loop, and each address checked before anything is sent to it.

Imports aiohttp; only `wire` may import this module.
"""

import asyncio
import socket
import ssl
from contextvars import ContextVar

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from data_source_orchestrator.web.daemon import in_daemon_thread
from data_source_orchestrator.web.reach import Reach

_KEEP_ALIVE = 4.0
"""Seconds; below the 5 s of common servers, for a request that meets a connection just being closed has failed."""


class ForbiddenAddressError(OSError):
    """A redirect led to an address that it may not reach."""


class Link:
    """What one hop's connection is: whom it may reach, and how to cut it."""

    __slots__ = ("_protocol", "_transport", "proxied", "reach", "refused")

    def __init__(self, reach: Reach, *, proxied: bool) -> None:
        self.reach = reach
        self.proxied = proxied
        self.refused: str | None = None
        self._transport: asyncio.Transport | None = None
        self._protocol: ResponseHandler | None = None

    def check(self, address: str) -> None:
        """Refuse an address that the upstream had no right to send us to; a proxy's own is the operator's word."""
        if not self.proxied and not self.reach.admits(address):
            self.refused = address
            raise ForbiddenAddressError(f"{address} is not public")

    def check_name(self, host: str) -> None:
        """Refuse a host that a proxy must not be asked for on an upstream's word."""
        if not self.reach.admits_name(host):
            self.refused = host
            raise ForbiddenAddressError(f"{host} is not public")
        self.reach.arrive(host)

    def settle(self, connection: Connection) -> None:
        """Note the connection that will carry the request, and check whom it really reaches."""
        self._transport, self._protocol = connection.transport, connection.protocol
        peer = self._transport.get_extra_info("peername") if self._transport is not None else None
        if self.proxied or peer is None:
            return
        self.check(peer[0])
        self.refused = None  # a name may lead to several addresses, of which only this one was taken
        self.reach.arrive(peer[0])

    @property
    def was_reset(self) -> bool:
        """Whether the connection broke, rather than was closed in order."""
        return self._protocol is not None and isinstance(self._protocol.exception(), OSError)

    def cut(self) -> None:
        """Drop the connection at once, without a farewell that a bad upstream could draw out."""
        if self._transport is not None:
            self._transport.abort()


LINK: ContextVar[Link] = ContextVar("LINK")
"""The link being made by the current request: aiohttp hands nothing of ours down to its connector."""


class GuardedConnector(aiohttp.TCPConnector):
    """A connector that hands out no connection to a forbidden address, neither a new one nor one kept alive."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(
            ssl=tls, limit=0, resolver=DaemonResolver(), socket_factory=_open_socket, keepalive_timeout=_KEEP_ALIVE
        )

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 — aiohttp's own signature
    ) -> Connection:
        """Return a connection whose other end this request may reach."""
        connection = await super().connect(req, traces, timeout)
        try:
            LINK.get().settle(connection)
        except ForbiddenAddressError:
            connection.close()
            raise
        return connection


def _open_socket(info: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol, _, address = info
    LINK.get().check(str(address[0]))
    return socket.socket(family, kind, protocol)


class DaemonResolver(AbstractResolver):
    """Asks the system for a name's addresses in a daemon thread, so that a dead name server holds nobody up."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host, or raise `OSError`."""
        try:
            found = await in_daemon_thread(
                lambda: socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
            )
        except ValueError:  # a label that is empty, too long, or cannot be encoded
            raise socket.gaierror(socket.EAI_NONAME, "the name is malformed") from None
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=int(address[1]),
                family=kin,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kin, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Do nothing: the threads end by themselves."""
