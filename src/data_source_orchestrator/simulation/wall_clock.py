"""A clock over virtual time whose wall time somebody may set, as an operator or a time server does."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from data_source_orchestrator.testing.virtual_time import VirtualTimeLoop

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)

TICK = 1e-5
"""Seconds; the resolution of the virtual clock, and what sums of floats may miss."""


class WallClock:
    """The loop's time as a clock whose wall time somebody may set."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        self._loop = loop
        self._set_by = 0.0

    def monotonic(self) -> float:
        """Return the loop's virtual seconds, which no jump touches."""
        return self._loop.time()

    def now(self) -> datetime:
        """Return the wall-clock time."""
        return BEGINNING + timedelta(seconds=self._loop.time() + self._set_by)

    def set_by(self, seconds: float) -> None:
        """Set the wall time forward, or back."""
        self._set_by += seconds

    async def sleep(self, seconds: float) -> None:
        """Wait that many virtual seconds."""
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        """Call after that many virtual seconds."""
        return asyncio.get_running_loop().call_later(seconds, call)
