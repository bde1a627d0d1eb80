"""Time and chance, handed in wherever they are needed.

The only module that names `time`, `datetime.now` or `random`; the linter forbids them elsewhere.
"""

import asyncio
import random  # noqa: TID251 — this is the one place
import time  # noqa: TID251 — this is the one place
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the engine needs to know of time."""

    def monotonic(self) -> float:
        """Return seconds on a scale that never runs backwards; only differences mean anything."""
        ...

    def now(self) -> datetime:
        """Return the wall-clock time as aware UTC, for records that people read."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds of this clock."""
        ...


class Chance(Protocol):
    """Where randomness comes from."""

    def random(self) -> float:
        """Return a number in [0, 1)."""
        ...


class SystemClock:
    """The machine's own clock."""

    def monotonic(self) -> float:
        """Return `time.monotonic()`, the scale of asyncio's own timers."""
        return time.monotonic()

    def now(self) -> datetime:
        """Return the machine's wall-clock time as aware UTC."""
        return datetime.now(UTC)  # noqa: TID251 — this is the one place

    async def sleep(self, seconds: float) -> None:
        """Wait on the running event loop."""
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that moves only when told to, for tests of whatever takes a clock.

    `sleep` returns when `advance` has moved the clock far enough.
    """

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def monotonic(self) -> float:
        """Return the seconds advanced so far."""
        return self._elapsed

    def now(self) -> datetime:
        """Return the start moved on by the seconds advanced so far."""
        return self._start + timedelta(seconds=self._elapsed)

    def advance(self, seconds: float) -> None:
        """Move on by that many seconds and wake whoever has slept long enough."""
        if seconds < 0:
            raise ValueError(f"a clock never runs backwards: advance({seconds!r}); give 0 or more seconds")
        self._elapsed += seconds
        due = [sleeper for until, sleeper in self._sleepers if until <= self._elapsed]
        self._sleepers = [(until, s) for until, s in self._sleepers if until > self._elapsed]
        for sleeper in due:
            if not sleeper.done():
                sleeper.set_result(None)

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been advanced by that many seconds."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waiter = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._elapsed + seconds, waiter))
        await waiter


def system_chance(seed: int | None = None) -> Chance:
    """Return a generator of chance; with a seed the same one every time."""
    return random.Random(seed)  # noqa: S311 — jitter and draws need no secrecy
