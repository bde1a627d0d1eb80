"""A made-up upstream on loopback that misbehaves on the wire as real ones do.

Plain asyncio streams, so that nothing stands between a test and the bytes. Knows no client and no source.
"""

import asyncio
import socket
import ssl
import struct
import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self, cast
from urllib.parse import parse_qs, urlsplit

from data_source_orchestrator.testing.bad_tls import Handshake

_PIECE = 64 * 1024
_LONGEST_HEAD = 256 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """What came in; header names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        """The target without its query, as it was sent."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        """The query's values by name."""
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)


Reply = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]
"""Answers one request on the wire. What leaves the connection open is asked again on it."""


class FaultServer:
    """An HTTP server on loopback whose routes can be changed while it runs.

    `routes` maps a path, without its query, to a reply; "*" is for every other path. `requests` and `connections`
    tell what has come in. With `tls` it serves https; with `handshake`, of `testing.bad_tls`, no https connection ever
    comes about.
    """

    def __init__(
        self,
        routes: Mapping[str, Reply] | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        handshake: Handshake | None = None,
    ) -> None:
        self.routes = dict(routes or {})
        self.requests: list[Request] = []
        self.connections = 0
        self.host = host
        self.port = port
        self._tls = tls
        self._handshake = handshake
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.get_running_loop().create_server(
            self._connection, self.host, self.port, ssl=self._tls
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def open_connections(self) -> int:
        """How many connections are being served now."""
        return len(self._tasks)

    def url(self, path: str = "/", *, host: str | None = None) -> str:
        """Return the address of a path, under another name of this machine if one is given."""
        return f"{'https' if self._tls or self._handshake else 'http'}://{host or self.host}:{self.port}{path}"

    def _connection(self) -> "_Connection":
        return _Connection(asyncio.StreamReader(limit=_LONGEST_HEAD), self._accept)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        cast("_Connection", writer.transport.get_protocol()).serving = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            with suppress(OSError, EOFError, asyncio.LimitOverrunError):
                if self._handshake is not None:
                    await self._handshake(reader, writer)
                    return
                while not writer.is_closing():
                    request = _parsed(await reader.readuntil(b"\r\n\r\n"))
                    self.requests.append(request)
                    await self._reply_to(request)(request, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        finally:
            writer.close()

    def _reply_to(self, request: Request) -> Reply:
        return self.routes.get(request.path) or self.routes.get("*") or answer("no such page", status=404)


class _Connection(asyncio.StreamReaderProtocol):
    """A connection whose reply ends with it, however slow the reply is."""

    serving: asyncio.Task[None] | None = None

    def eof_received(self) -> bool:
        super().eof_received()
        return False  # nobody here half-closes: who has sent the last byte has gone

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.serving is not None:
            self.serving.cancel()


def answer(
    body: bytes | str = b"", *, status: int = 200, headers: Mapping[str, str] | None = None, kind: str = "text/plain"
) -> Reply:
    """Answer properly; `kind` is the content type."""
    data = body.encode() if isinstance(body, str) else body

    async def reply(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head(status, {"Content-Type": kind, "Content-Length": str(len(data)), **(headers or {})}) + data)
        await writer.drain()

    return reply


def redirect(to: str, *, status: int = 302) -> Reply:
    """Send the asker elsewhere."""
    return answer(status=status, headers={"Location": to})


def rate_limited(retry_after: str | None = "60", *, status: int = 429) -> Reply:
    """Refuse as GitHub does: with an HTML body, never JSON."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    page = "<!DOCTYPE html><html><head><title>Rate limit</title></head><body>Whoa there!</body></html>"
    return answer(page, status=status, headers=headers, kind="text/html; charset=utf-8")


def challenge(*, status: int = 403, sign: bool = True) -> Reply:
    """Answer with a page that wants a browser, with or without the `cf-mitigated` header."""
    headers = {"cf-mitigated": "challenge"} if sign else {}
    page = "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking.</body></html>"
    return answer(page, status=status, headers=headers, kind="text/html; charset=UTF-8")


def in_turn(*replies: Reply) -> Reply:
    """Give one reply after the other, the last one from then on."""
    waiting = list(replies)

    async def reply(request: Request, writer: asyncio.StreamWriter) -> None:
        await (waiting.pop(0) if len(waiting) > 1 else waiting[0])(request, writer)

    return reply


def late(seconds: float, reply: Reply) -> Reply:
    """Wait, then reply."""

    async def wait(request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await reply(request, writer)

    return wait


async def silence(_request: Request, _writer: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.get_running_loop().create_future()


def hang_up(sent: bytes = b"") -> Reply:
    """Send these raw bytes, if any, and close the connection."""

    async def reply(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await writer.drain()
        writer.close()

    return reply


def reset(sent: bytes = b"") -> Reply:
    """Send these raw bytes, if any, and break the connection with a TCP reset."""

    async def reply(_request: Request, writer: asyncio.StreamWriter) -> None:
        if sent:
            writer.write(sent)
            await writer.drain()
            await asyncio.sleep(0.05)  # a reset overtakes what the other side has not read yet
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    return reply


def reset_at(byte: int, body: bytes) -> Reply:
    """Announce a body, send that many bytes of it, and break the connection with a TCP reset."""
    return reset(head(200, {"Content-Length": str(len(body))}) + body[:byte])


def truncated(body: bytes, *, announced: int) -> Reply:
    """Announce more bytes than are sent, then close."""
    return hang_up(head(200, {"Content-Length": str(announced)}) + body)


def trickle(body: bytes, *, every: float = 1.0) -> Reply:
    """Send a body one byte at a time, `every` seconds."""

    async def reply(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head(200, {"Content-Length": str(len(body))}))
        for code in body:
            writer.write(bytes([code]))
            await writer.drain()
            await asyncio.sleep(every)

    return reply


async def endless_headers(_request: Request, writer: asyncio.StreamWriter) -> None:
    """Send header lines until the asker has had enough."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.is_closing():
        writer.write(b"X-More: " + b"x" * 1000 + b"\r\n")
        await writer.drain()


def large(size: int, *, encoding: str | None = None, announce: bool = True) -> Reply:
    """Send `size` zero bytes without holding them; with gzip or deflate as `encoding` this is a bomb."""

    async def reply(_request: Request, writer: asyncio.StreamWriter) -> None:
        headers = {"Content-Encoding": encoding} if encoding else {}
        if announce and not encoding:
            headers["Content-Length"] = str(size)
        writer.write(head(200, {**headers, "Connection": "close"}))
        for piece in _zeros(size) if encoding is None else _packed(_zeros(size), encoding):
            if writer.is_closing():
                return
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)  # packed zeros fill no buffer, so that draining alone would never let others run
        writer.close()

    return reply


def head(status: int, headers: Mapping[str, str]) -> bytes:
    """Return a status line and headers as bytes, for replies of one's own."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def unused_port() -> int:
    """Return a port of loopback on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _zeros(size: int) -> Iterator[bytes]:
    for start in range(0, size, _PIECE):
        yield bytes(min(_PIECE, size - start))


def _packed(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31 if encoding == "gzip" else 15)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def _parsed(received: bytes) -> Request:
    first, *lines = received.decode("latin-1").split("\r\n")
    method, target, *_ = [*first.split(" "), "", ""]
    pairs = (line.partition(":") for line in lines if line)
    return Request(method, target, {name.strip().lower(): value.strip() for name, _, value in pairs})
