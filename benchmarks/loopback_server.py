"""A server on loopback that answers everything with 1 kB of JSON, doing as little as a server can.

At `/attachments` it has 943 kB, as CODArmory's `attachments.json` has them, and says 304 to whoever holds them.
`python benchmarks/loopback_server.py` prints its port, and serves until its standard input is closed.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

ROWS = [{"id": f"row-{number:03}", "name": f"the name of {number}", "value": number / 7} for number in range(15)]
BODY = json.dumps({"rows": ROWS}).encode()
HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
END = b"\r\n\r\n"

ATTACHMENTS = [
    {
        "id": f"{number:016x}",
        "game_id": "mw2",
        "category_id": "rear-grips",
        "slug": f"the-grip-of-{number}",
        "name": f"The Grip of {number}",
        "description": f"Made up for a measurement, and as long as such a text is there: {number:>48}",
        "pros": ["sprint-to-fire-speed", "aim-down-sight-speed"],
        "cons": ["recoil-control"],
        "unlock_type": "weapon",
        "unlock_id": "fr-avancer",
        "unlock_level": number % 30,
        "unlock_summary": None,
        "unlock_description": None,
    }
    for number in range(1502)
]
LARGE = json.dumps(ATTACHMENTS, indent=4).encode()
VALIDATOR = b'"made-up"'
KNOWN = b"HTTP/1.1 304 Not Modified\r\nETag: " + VALIDATOR + END
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nETag: %b\r\nContent-Length: %d\r\n\r\n%b" % (
    VALIDATOR,
    len(LARGE),
    LARGE,
)


class Answering(asyncio.Protocol):
    """One connection, kept open."""

    def __init__(self) -> None:
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request whose head has come in; requests have no body."""
        *heads, self._unread = (self._unread + data).split(END)
        self._transport.write(b"".join(map(_answer, heads)))


def _answer(head: bytes) -> bytes:
    if not head.startswith(b"GET /attachments"):
        return HEAD + BODY
    return KNOWN if VALIDATOR in head else WHOLE


async def serve() -> None:
    """Serve until standard input is closed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


@asynccontextmanager
async def served() -> AsyncIterator[str]:
    """Start the server in a process of its own, give its address, and stop it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a process was started without the pipes that were asked for")
    try:
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}/rows"
    finally:
        process.stdin.close()
        await process.wait()


if __name__ == "__main__":
    asyncio.run(serve())
