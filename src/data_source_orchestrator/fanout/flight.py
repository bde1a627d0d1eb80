"""One execution of one source, shared by everyone who wants it at the same moment.

A flight ends with its last passenger: whoever leaves last cancels it. It lives on the event loop that began it.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.context import FetchContext, Warn
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.events import BytesReceived
from data_source_orchestrator.core.outcome import Executed
from data_source_orchestrator.core.policies import RetryConfig
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.fanout.coordinator import SourceCoordinator
from data_source_orchestrator.resilience.guard import Guard
from data_source_orchestrator.web.pool import HttpPool

_LOG = logging.getLogger("data_source_orchestrator")

Place = tuple[asyncio.AbstractEventLoop, str]
"""Where at most one flight is under way: an event loop, and a source's key."""


class Flight:
    """An execution under way, and how many wait for it."""

    def __init__(self, source: Source[Any], guard: Guard, place: Place, clock: Clock, until: float) -> None:
        self._clock = clock
        self.source = source
        self.guard = guard
        self.place = place
        self.started = clock.monotonic()
        self.deadline = Deadline(clock, min(until, self._limit))
        self.attempts = 0
        self.passengers = 0
        self.task: asyncio.Task[Executed[Any]]

    def takes(self, source: Source[Any]) -> bool:
        """Return whether it fetches what this source would, and is not being cut off already."""
        return self.source.fetcher is source.fetcher and not self.deadline.passed

    def board(self, until: float) -> None:
        """Join, and put the flight's deadline off as far as this passenger and the source's own limit allow."""
        self.passengers += 1
        self.deadline.put_off(min(until, self._limit))

    @property
    def duration(self) -> float:
        """Seconds since it began."""
        return self._clock.monotonic() - self.started

    @property
    def _limit(self) -> float:
        return self.started + in_seconds(self.source.timeout)


class Flights:
    """The flights under way, at most one for each source and event loop."""

    def __init__(self, coordinator: SourceCoordinator, http: HttpPool) -> None:
        self._coordinator = coordinator
        self._http = http
        self._under_way: dict[Place, Flight] = {}

    def board(self, source: Source[Any], *, until: float, retry: RetryConfig, max_retries: int) -> Flight:
        """Join the flight of this source, beginning it if there is none; `until` is the passenger's own deadline."""
        place = (asyncio.get_running_loop(), source.key)
        flight = self._under_way.get(place)
        if flight is None or not flight.takes(source):
            guard = self._coordinator.guard(source.key)
            flight = self._under_way[place] = Flight(source, guard, place, self._coordinator.clock, until)
            flight.task = asyncio.create_task(self._fly(flight, retry, max_retries), name=f"dso-{source.key}")
            flight.task.add_done_callback(_seen)
        flight.board(until)
        return flight

    def knows(self, source: Source[Any]) -> bool:
        """Return whether the source is still registered."""
        return self._coordinator.get_source(source.key) is not None

    def leave(self, flight: Flight) -> None:
        """Get off; the last passenger's leaving cancels the flight, which then ends within the grace period."""
        flight.passengers -= 1
        if flight.passengers or flight.task.done():
            return
        self._land(flight)  # at once, so that nobody boards a flight that is ending
        flight.task.cancel()

    def _land(self, flight: Flight) -> None:
        if self._under_way.get(flight.place) is flight:
            del self._under_way[flight.place]

    async def _fly(self, flight: Flight, retry: RetryConfig, max_retries: int) -> Executed[Any]:
        try:
            async with self._http.use():
                executed = await flight.guard.execute(
                    flight.source,
                    retry=retry,
                    max_retries=max_retries,
                    deadline=flight.deadline,
                    context=self.context(flight.source, flight.deadline, flight),
                )
            self._coordinator.record(executed, flight.guard)
            return executed
        finally:
            self._land(flight)

    def context(
        self, source: Source[Any], deadline: Deadline, flight: Flight | None = None
    ) -> Callable[[int, Warn], FetchContext]:
        """Return what makes the context of each attempt."""
        coordinator = self._coordinator

        def received(total: int) -> None:
            coordinator.hub.emit(BytesReceived(at=coordinator.clock.now(), source=source.key, total=total))

        def make(attempt: int, warn: Warn) -> FetchContext:
            if flight:
                flight.attempts = attempt
            return FetchContext(
                http=self._http.client(received=received),
                deadline=deadline,
                attempt=attempt,
                clock=coordinator.clock,
                log=_LOG.getChild(source.key),
                warn=warn,
            )

        return make


def _seen(task: asyncio.Task[Any]) -> None:
    """Look at how a flight ended, so that asyncio does not complain of one that everybody has left."""
    if not task.cancelled():
        task.exception()
