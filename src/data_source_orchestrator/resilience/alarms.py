"""One timer for any number of moments: it is set for the earliest, and anew for the next.

A timer for each of ten thousand calls would cost more than the calls.
"""

import asyncio
import math
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Protocol

from data_source_orchestrator.core.clock import Clock, Timer

_CLEARED_FROM = 64
"""Called-off alarms that may wait for their moment before they are thrown out."""


class Rung(Protocol):
    """Who set an alarm."""

    def ring(self) -> None:
        """Hear that the moment has come."""
        ...


class Alarms:
    """The alarms of every event loop that sets some."""

    __slots__ = ("_clock", "_of_loops")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._of_loops: dict[asyncio.AbstractEventLoop, LoopAlarms] = {}

    def here(self) -> "LoopAlarms":
        """Return those of the running loop."""
        loop = asyncio.get_running_loop()
        alarms = self._of_loops.get(loop)
        if alarms is None:
            # A new one, so that a thread that looks at the old one at this moment is not disturbed.
            others = {known: alarms for known, alarms in self._of_loops.items() if not known.is_closed()}
            alarms = LoopAlarms(self._clock)
            self._of_loops = {**others, loop: alarms}
        return alarms


class LoopAlarms:
    """Any number of alarms on one event loop; its timer lives only while one of them is set.

    An alarm is a number: ten thousand of them are nothing that the garbage collector has to look at.
    """

    __slots__ = ("_clock", "_numbers", "_queue", "_rings_at", "_rung", "_timer")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._queue: list[tuple[float, int]] = []
        self._rung: dict[int, Rung] = {}
        self._numbers = count()
        self._timer: Timer | None = None
        self._rings_at = math.inf

    def set(self, at: float, rung: Rung) -> int:
        """Ring at that moment of the clock's monotonic scale, or in the loop's next turn where it has passed."""
        number = next(self._numbers)
        self._rung[number] = rung
        heappush(self._queue, (at, number))
        if at < self._rings_at:
            self._wind(at)
        return number

    def call_off(self, number: int) -> None:
        """Let an alarm not ring; without effect where it has rung."""
        if self._rung.pop(number, None) is None:
            return
        if not self._rung:
            self._stop()
        elif len(self._queue) > _CLEARED_FROM + 2 * len(self._rung):
            self._queue = [entry for entry in self._queue if entry[1] in self._rung]
            heapify(self._queue)

    def _wind(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = at
        self._timer = self._clock.call_later(max(0.0, at - self._clock.monotonic()), self._ring)

    def _stop(self) -> None:
        self._queue.clear()
        self._rings_at = math.inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        """Ring what is due, and wind for the next; whoever is rung may set and call off others."""
        self._timer, self._rings_at = None, math.inf
        now = self._clock.monotonic()
        while self._queue and (self._queue[0][0] <= now or self._queue[0][1] not in self._rung):
            rung = self._rung.pop(heappop(self._queue)[1], None)
            if rung is not None:
                rung.ring()
        if self._queue and self._queue[0][0] < self._rings_at:
            self._wind(self._queue[0][0])
