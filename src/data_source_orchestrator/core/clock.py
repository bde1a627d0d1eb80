"""Time and chance, handed in wherever they are needed.

The only module that names `time`, `datetime.now` or `random`; the linter forbids them elsewhere.
"""

import asyncio
import random  # noqa: TID251 — this is the one place
import time  # noqa: TID251 — this is the one place
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Timer(Protocol):
    """A call that is to come."""

    def cancel(self) -> None:
        """Let it not come; without effect where it has come already."""
        ...


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

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Call after that many seconds of this clock, on the running event loop; 0 or less is its next turn."""
        ...


class Chance(Protocol):
    """Where randomness comes from."""

    def random(self) -> float:
        """Return a number in [0, 1)."""
        ...


class SystemClock:
    """The machine's own clock."""

    monotonic = staticmethod(time.monotonic)  # the scale of asyncio's own timers; asked many times in every call

    def now(self) -> datetime:
        """Return the machine's wall-clock time as aware UTC."""
        return datetime.now(UTC)  # noqa: TID251 — this is the one place

    async def sleep(self, seconds: float) -> None:
        """Wait on the running event loop."""
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Set a timer of the running event loop."""
        return asyncio.get_running_loop().call_later(seconds, call)


class ManualTimer:
    """A call that a `ManualClock` makes when it has been moved far enough."""

    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at = at
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Let the call not come."""
        self.call = None


class ManualClock:
    """A clock that moves only when told to, for tests of whatever takes a clock.

    `sleep` returns, and the calls of `call_later` come, when `advance` has moved the clock far enough.
    """

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0
        self._timers: list[ManualTimer] = []

    def monotonic(self) -> float:
        """Return the seconds advanced so far."""
        return self._elapsed

    def now(self) -> datetime:
        """Return the start moved on by the seconds advanced so far."""
        return self._start + timedelta(seconds=self._elapsed)

    def advance(self, seconds: float) -> None:
        """Move on by that many seconds, making the calls that come due meanwhile, each at its own moment."""
        if seconds < 0:
            raise ValueError(f"a clock never runs backwards: advance({seconds!r}); give 0 or more seconds")
        until = self._elapsed + seconds
        while due := [timer for timer in self._timers if timer.at <= until]:
            timer = min(due, key=lambda each: each.at)
            self._timers.remove(timer)
            self._elapsed = max(self._elapsed, timer.at)
            if timer.call is not None:
                timer.call()
        self._elapsed = until

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been advanced by that many seconds."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waiter = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not waiter.done():
                waiter.set_result(None)

        timer = self.call_later(seconds, wake)
        try:
            await waiter
        finally:
            timer.cancel()

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Call when the clock has been advanced by that many seconds; 0 or less is the event loop's next turn."""
        if seconds <= 0:
            return asyncio.get_running_loop().call_soon(call)
        timer = ManualTimer(self._elapsed + seconds, call)
        self._timers.append(timer)
        return timer


def system_chance(seed: int | None = None) -> Chance:
    """Return a generator of chance; with a seed the same one every time."""
    return random.Random(seed)  # noqa: S311 — jitter and draws need no secrecy
