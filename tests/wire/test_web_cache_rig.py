"""An upstream with validators, a client with a cache, and a clock set by hand, for tests of the HTTP cache."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

from data_source_orchestrator.core.clock import ManualClock
from data_source_orchestrator.core.ports import ResponseStore
from data_source_orchestrator.testing.fault_server import FaultServer, Reply, Request, answer
from data_source_orchestrator.web import HttpPolicy, HttpPool, Response
from data_source_orchestrator.web.caching.memory import MemoryResponses

NOON = ManualClock().now()


def date(seconds: float = 0) -> str:
    """Return noon and so many seconds as an HTTP date."""
    return format_datetime(NOON + timedelta(seconds=seconds), usegmt=True)


@dataclass
class Origin:
    """Serves one body, and says 304 to whoever holds it; what it serves may be changed between two requests.

    `unchanged` are the headers of a 304, where they are not just the validators.
    """

    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"rows": 1}'
    unchanged: Mapping[str, str] | None = None
    fails: Reply | None = None
    asked: list[str] = field(default_factory=list)
    """How it was asked, each time: `plain`, or the condition."""

    async def __call__(self, request: Request, writer: asyncio.StreamWriter) -> None:
        condition = request.headers.get("if-none-match") or request.headers.get("if-modified-since") or ""
        self.asked.append(condition or "plain")
        await self._reply(condition)(request, writer)

    def _reply(self, condition: str) -> Reply:
        if self.fails is not None:
            return self.fails
        if condition and condition in {self.headers.get("ETag"), self.headers.get("Last-Modified")}:
            validators = {name: value for name, value in self.headers.items() if name in {"ETag", "Last-Modified"}}
            return answer(status=304, headers=validators if self.unchanged is None else self.unchanged)
        return answer(self.body, headers=self.headers, kind="application/json")


@dataclass
class Rig:
    """A client whose every request is a new attempt's."""

    origin: Origin
    server: FaultServer
    pool: HttpPool
    clock: ManualClock

    async def get(self, path: str = "/", *, confirmed: bool = False, **members: Any) -> Response:
        """Ask as a fetcher would."""
        response = await self.pool.client(confirmed=confirmed).get(self.server.url(path), **members)
        assert isinstance(response, Response)
        return response

    def ages(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    @property
    def now(self) -> datetime:
        """The moment by the hand-set clock."""
        return self.clock.now()


@asynccontextmanager
async def rig(
    headers: Mapping[str, str] | None = None, *, store: ResponseStore | None = None, **policy: Any
) -> AsyncIterator[Rig]:
    """Give an upstream that serves these headers, and a client with a cache, unless told otherwise."""
    settled = HttpPolicy(**{"cache": True, **policy})
    clock, origin = ManualClock(), Origin(dict(headers or {}))
    pool = HttpPool(settled, clock=clock, responses=store or MemoryResponses(max_bytes=settled.cache_bytes))
    async with FaultServer({"*": origin}) as server, pool.use():
        yield Rig(origin, server, pool, clock)
