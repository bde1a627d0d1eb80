"""Handshakes that fail, for `FaultServer(handshake=…)`: none of them needs a certificate.

A certificate that is expired, self-signed or another host's needs none of these: hand its context over as `tls`.
"""

import asyncio
from collections.abc import Awaitable, Callable

Handshake = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Answers a client's first TLS record on the wire; the connection is closed when it returns."""

HANDSHAKE_FAILURE, PROTOCOL_VERSION, INTERNAL_ERROR = 40, 70, 80
"""Alerts of TLS (RFC 8446, section 6.2)."""

_RECORD_HEAD = 5


def tls_alert(code: int = HANDSHAKE_FAILURE) -> Handshake:
    """Refuse the handshake with a fatal alert."""
    return _after_hello(bytes([21, 3, 3, 0, 2, 2, code]))


def not_tls(sent: bytes = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") -> Handshake:
    """Answer the handshake with bytes that are no TLS, as a server does that expects plain HTTP."""
    return _after_hello(sent)


def hang_up_in_handshake() -> Handshake:
    """Close the connection in the middle of the handshake."""
    return _after_hello(b"")


async def silent_handshake(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Take the connection, and never answer the handshake."""
    await _hello(reader)
    await asyncio.get_running_loop().create_future()


def _after_hello(sent: bytes) -> Handshake:
    async def shake(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _hello(reader)  # what is left unread would turn the closing into a reset
        writer.write(sent)
        await writer.drain()

    return shake


async def _hello(reader: asyncio.StreamReader) -> None:
    head = await reader.readexactly(_RECORD_HEAD)
    await reader.readexactly(int.from_bytes(head[3:], "big"))
