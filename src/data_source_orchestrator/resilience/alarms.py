"""One timer for any number of moments: it is set for the earliest, and anew for the next.

A timer for each of ten thousand calls would cost more than the calls.
"""

import asyncio
import math
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count

from data_source_orchestrator.core.clock import Clock, Timer

_CLEARED_FROM = 64
"""Called-off alarms that may wait for their moment before they are thrown out."""


class Alarm:
    """A call at a moment, until it has come or was called off."""

    __slots__ = ("ring",)

    def __init__(self, ring: Callable[[], None]) -> None:
        self.ring: Callable[[], None] | None = ring


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
    """Any number of alarms on one event loop; its timer lives only while one of them is set."""

    __slots__ = ("_clock", "_numbers", "_queue", "_rings_at", "_set", "_timer")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._queue: list[tuple[float, int, Alarm]] = []
        self._numbers = count()
        self._set = 0
        self._timer: Timer | None = None
        self._rings_at = math.inf

    def set(self, at: float, ring: Callable[[], None]) -> Alarm:
        """Call `ring` at that moment of the clock's monotonic scale, or in the loop's next turn where it has passed."""
        alarm = Alarm(ring)
        heappush(self._queue, (at, next(self._numbers), alarm))
        self._set += 1
        if at < self._rings_at:
            self._wind(at)
        return alarm

    def call_off(self, alarm: Alarm) -> None:
        """Let an alarm not ring; without effect where it has rung."""
        if alarm.ring is None:
            return
        alarm.ring = None
        self._set -= 1
        if not self._set:
            self._stop()
        elif len(self._queue) > _CLEARED_FROM + 2 * self._set:
            self._queue = [entry for entry in self._queue if entry[2].ring is not None]
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
        while self._queue and (self._queue[0][0] <= now or self._queue[0][2].ring is None):
            _, _, alarm = heappop(self._queue)
            ring, alarm.ring = alarm.ring, None
            if ring is not None:
                self._set -= 1
                ring()
        if self._queue and self._queue[0][0] < self._rings_at:
            self._wind(self._queue[0][0])
