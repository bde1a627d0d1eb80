"""HTTP/1.1 over loopback, by hand, because a body must be able to end early or drip.

Reads requests and sends answers; what they say is decided elsewhere.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from email.utils import format_datetime
from http import HTTPStatus
from urllib.parse import parse_qs, unquote, urlsplit

from cod_sources.sandbox.answers import Answer, Request, no_request
from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.errors import ConfigurationError

HOST = "127.0.0.1"
"""The only address that is ever listened on."""

DRIP = 1.0
"""Seconds between two bytes of a trickle."""

_HEAD_LIMIT = 65536

Respond = Callable[[Request], Awaitable[Answer]]


class Listener:
    """One listening socket and the conversations on it."""

    def __init__(self, respond: Respond, clock: Clock) -> None:
        self._respond = respond
        self._clock = clock
        self._server: asyncio.Server | None = None
        self._conversations: set[asyncio.Task[None]] = set()

    async def open(self, port: int) -> int:
        """Listen, and return the port, chosen by the system for 0; raise `ConfigurationError` for a taken one."""
        try:
            self._server = await asyncio.start_server(self._accept, HOST, port, limit=_HEAD_LIMIT)
        except OSError as error:
            raise ConfigurationError(
                f"the sandbox cannot listen on port {port} of {HOST} ({error.strerror or error});"
                " give the first of three free ports in a row, or 0 for any that are free"
            ) from error
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def close(self) -> None:
        """Stop listening and cut every conversation, whatever is in flight."""
        if self._server is None:
            return
        self._server.close()
        for task in self._conversations:
            task.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._converse(reader, writer))
        self._conversations.add(task)
        task.add_done_callback(self._conversations.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A client that leaves, or never ends its head, ends its conversation and nothing else.
        with contextlib.suppress(OSError, EOFError, asyncio.LimitOverrunError):
            try:
                # The pause is for the others: requests sent ahead would never let them have a turn.
                while await self._exchange(reader, writer):  # noqa: ASYNC110 — it awaits requests, and polls nothing
                    await asyncio.sleep(0)
                writer.close()
                await writer.wait_closed()
            finally:
                writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request = read_head(await reader.readuntil(b"\r\n\r\n"))
        answer = no_request() if request is None else await self._respond(request)
        lasting = request is not None and _lasts(request, answer)
        writer.write(self._head(answer, lasting=lasting))
        if request is None or request.method != "HEAD":
            await self._send(writer, answer)
        await writer.drain()
        return lasting

    def _head(self, answer: Answer, *, lasting: bool) -> bytes:
        headers = {
            "date": format_datetime(self._clock.now(), usegmt=True),
            "x-sandbox": "made-up data",
            **answer.headers,
            "connection": "keep-alive" if lasting else "close",
        }
        if answer.status is not HTTPStatus.NOT_MODIFIED:
            headers["content-length"] = str(len(answer.body))
        lines = [f"HTTP/1.1 {answer.status.value} {answer.status.phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    async def _send(self, writer: asyncio.StreamWriter, answer: Answer) -> None:
        match answer.delivery:
            case "whole":
                writer.write(answer.body)
            case "truncated":
                writer.write(answer.body[: len(answer.body) // 2])
            case "trickle":
                for place in range(len(answer.body)):
                    writer.write(answer.body[place : place + 1])
                    await writer.drain()
                    await self._clock.sleep(DRIP)


def read_head(head: bytes) -> Request | None:
    """Return the request that these bytes are the head of, or None if they are no HTTP."""
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    match first.split(" "):
        case [method, target, version] if version.startswith("HTTP/1."):
            pass
        case _:
            return None
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    url = urlsplit(target)
    query = parse_qs(url.query, keep_blank_values=True)
    return Request(method=method, path=unquote(url.path) or "/", query=query, headers=headers)


def _lasts(request: Request, answer: Answer) -> bool:
    wanted = request.headers.get("connection", "").lower() != "close"
    # A request that may carry a body, or an answer that ends early, leaves nothing to go on from.
    return wanted and request.method in ("GET", "HEAD") and answer.delivery != "truncated"
