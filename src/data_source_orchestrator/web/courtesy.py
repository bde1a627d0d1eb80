"""What politeness wants around each request of one call: that it may be sent, and that it is counted.

Redirects and robots.txt are requests like any other. It must not know how they are sent.
"""

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.retry_after import asked_wait
from data_source_orchestrator.core.traffic import WireRequest
from data_source_orchestrator.web.judgement import asks_too_much

Told = Callable[[WireRequest], None]
"""Hears of each request when it has ended."""


class Courtesy(Protocol):
    """Asked before each request of one call, and told after it."""

    async def admit(self, url: str) -> None:
        """Raise what keeps this address from being asked for."""
        ...

    def ended(self, host: str, status: int | None, headers: Mapping[str, str], received: int) -> None:
        """Hear how a request ended; `status` None is no answer, `received` the bytes of its body."""
        ...


class Counted:
    """Admits every address, and tells of each request."""

    def __init__(self, told: Told | None, clock: Clock, *, robots: bool = False) -> None:
        self._told = told
        self._clock = clock
        self._robots = robots

    async def admit(self, url: str) -> None:
        """Let it be sent."""

    def ended(self, host: str, status: int | None, headers: Mapping[str, str], received: int) -> None:
        """Tell of it."""
        if self._told is None:
            return
        limited = status is not None and asks_too_much(status, headers)
        wait = asked_wait(headers, self._clock.now()) if limited else None
        self._told(
            WireRequest(
                host=host,
                status=status,
                received=received,
                limited=limited,
                wait=None if wait == math.inf else wait,
                robots=self._robots,
            )
        )


class Crawling(Counted):
    """Admits what `admitted` does, and tells of each request."""

    def __init__(self, told: Told | None, clock: Clock, *, admitted: Callable[[str], Awaitable[None]]) -> None:
        super().__init__(told, clock)
        self._admitted = admitted

    async def admit(self, url: str) -> None:
        """Ask whether it may be sent, or raise why not."""
        await self._admitted(url)
