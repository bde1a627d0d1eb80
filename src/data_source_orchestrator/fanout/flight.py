"""One execution of one source, shared by everyone who wants it at the same moment.

A flight ends with its last passenger: whoever leaves last cancels it. It lives on the event loop that began it.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from typing import Any

from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.context import FetchContext, Warn
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.events import BytesReceived, SourceForgotten
from data_source_orchestrator.core.outcome import Executed, Failure, Outcome
from data_source_orchestrator.core.policies import CachePolicy
from data_source_orchestrator.core.ports import CacheStore
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.core.verdicts import FailureKind, Verdict
from data_source_orchestrator.fanout.caches import Caches
from data_source_orchestrator.fanout.coordinator import SourceCoordinator
from data_source_orchestrator.fanout.crew import Crew
from data_source_orchestrator.resilience.attempt import ProgramExit
from data_source_orchestrator.resilience.attended import attended
from data_source_orchestrator.resilience.background import Background
from data_source_orchestrator.resilience.budget import RetryBudget
from data_source_orchestrator.resilience.cache import ResultCache
from data_source_orchestrator.resilience.guard import Guard
from data_source_orchestrator.resilience.retry import Retry
from data_source_orchestrator.resilience.wanted import ContextOf, SourceCall
from data_source_orchestrator.resilience.wording import CANCELLED_FROM_ELSEWHERE
from data_source_orchestrator.web.pool import HttpPool

_LOG = logging.getLogger("data_source_orchestrator")

Place = tuple[asyncio.AbstractEventLoop, str]
"""Where at most one flight is under way: an event loop, and a source's key."""

Landed = Callable[["Flight"], None]
"""Hears that a flight has landed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Booking:
    """What one run wants of its flights: by when, how often they are tried again, who pays for that.

    They fly in copies of the context `within` which the run was asked for, and `landed` hears of each that has landed.
    `afresh` asks every upstream, whatever is cached.
    """

    until: float
    retry: Retry
    budget: RetryBudget
    within: Context
    landed: Landed
    afresh: bool


class Flight(SourceCall[Any]):
    """An execution that waits to begin or is under way, and who waits for it.

    It flies as the booking wants that wanted it first. When it has landed, it holds what was `executed`, or the wish to
    end the program that its fetcher raised.
    """

    __slots__ = ("_clock", "booking", "executed", "exit", "guard", "landed", "passengers", "place", "task")

    def __init__(  # noqa: PLR0913 — a flight is what these make up
        self, source: Source[Any], guard: Guard, place: Place, booking: Booking, *, clock: Clock, context: ContextOf
    ) -> None:
        started = clock.monotonic()
        deadline = Deadline(clock, min(booking.until, started + in_seconds(source.timeout)))
        super().__init__(source, guard.calls.of(source.fetcher), deadline=deadline, started=started, context=context)
        self._clock = clock
        self.booking = booking
        self.guard = guard
        self.place = place
        self.passengers: list[Booking] = []
        self.task: asyncio.Task[None] | None = None
        self.landed = False
        self.executed: Executed[Any] | None = None
        self.exit: KeyboardInterrupt | SystemExit | None = None

    @property
    def within(self) -> Context:
        """The context of which it flies in a copy."""
        return self.booking.within

    def takes(self, source: Source[Any], booking: Booking) -> bool:
        """Return whether it gives what this booking wants of this source, and is not being cut off already."""
        fresh = self.booking.afresh or not booking.afresh or source.cache_policy is None
        return self.source.fetcher is source.fetcher and fresh and not self.deadline.passed

    def board(self, booking: Booking) -> None:
        """Join, and put the flight's deadline off as far as this passenger and the source's own limit allow."""
        self.passengers.append(booking)
        self.deadline.put_off(min(booking.until, self.started + self.timeout))

    @property
    def retry(self) -> Retry:
        """How it is tried again: as often as its source says, or else as the run."""
        booked, own = self.booking.retry, self.source.max_retries
        return booked if own is None else Retry(booked.config, own)

    @property
    def outcome(self) -> Outcome[Any]:
        """How it ended."""
        if self.executed is None:
            raise RuntimeError(f"the flight of {self.source.key} has not landed")
        return self.executed.outcome

    @property
    def duration(self) -> float:
        """Seconds since it was wanted first."""
        return self._clock.monotonic() - self.started


class Flights:
    """The flights of one orchestrator, at most one for each source and event loop."""

    def __init__(
        self, coordinator: SourceCoordinator, http: HttpPool, *, cached: CacheStore | None, background: Background
    ) -> None:
        self._coordinator = coordinator
        self._caches = Caches(cached, coordinator.clock)
        self._background = background
        coordinator.hub.listen(self._caches.heard, SourceForgotten)
        self._http = http
        self._under_way: dict[Place, Flight] = {}
        self._crews: dict[asyncio.AbstractEventLoop, Crew[Flight, Executed[Any]]] = {}
        self._make_context = self.context  # one method for all flights

    def board(self, source: Source[Any], booking: Booking) -> Flight:
        """Join the flight of this source, planning one if there is none; what is planned begins with `take_off`."""
        loop = asyncio.get_running_loop()
        place = (loop, source.key)
        flight = self._under_way.get(place)
        if flight is None or not flight.takes(source, booking):
            guard, clock = self._coordinator.guard(source.key), self._coordinator.clock
            flight = Flight(source, guard, place, booking, clock=clock, context=self._make_context)
            self._under_way[place] = flight
            self._crew(loop).give(flight)
        flight.board(booking)
        return flight

    def take_off(self) -> None:
        """Let somebody fly what was planned on the running loop."""
        self._crew(asyncio.get_running_loop()).begin()

    def knows(self, source: Source[Any]) -> bool:
        """Return whether the source is still registered, and not another one of its key."""
        registered = self._coordinator.get_source(source.key)
        return registered is not None and registered.fetcher is source.fetcher

    def leave(self, flight: Flight, booking: Booking) -> asyncio.Task[None] | None:
        """Get off; the last passenger's leaving cancels the flight.

        Return the task that is ending because of that, within the grace period.
        """
        flight.passengers.remove(booking)
        if flight.passengers or flight.landed:
            return None
        flight.unwanted = True
        self._clear(flight)  # at once, so that nobody boards a flight that is ending
        if flight.task is not None:
            flight.task.cancel()
        return flight.task

    def context(self, call: SourceCall[Any], attempt: int, warn: Warn) -> FetchContext:
        """Make the context of an attempt."""
        coordinator, key = self._coordinator, call.source.key

        def received(total: int) -> None:
            if coordinator.hub.hears(BytesReceived):
                coordinator.hub.emit(BytesReceived(at=coordinator.clock.now(), source=key, total=total))

        return FetchContext(
            http=self._http.client(received=received, observed=partial(coordinator.observe, key)),
            deadline=call.deadline,
            attempt=attempt,
            clock=coordinator.clock,
            log=_LOG.getChild(key),
            warn=warn,
        )

    def _crew(self, loop: asyncio.AbstractEventLoop) -> Crew[Flight, Executed[Any]]:
        crew = self._crews.get(loop)
        if crew is None:
            self._crews = {known: crew for known, crew in self._crews.items() if not known.is_closed()}
            crew = self._crews[loop] = Crew(self._begin, done=self._done, failed=self._failed, lost=self._lost)
        return crew

    def _begin(self, flight: Flight) -> Coroutine[Any, Any, Executed[Any]] | None:
        """Begin a flight that somebody still waits for."""
        if not flight.passengers:
            return None
        flight.task = asyncio.current_task()
        booking, policy = flight.booking, flight.source.cache_policy
        if policy is None:
            return flight.guard.run(flight, flight.retry, booking.budget)
        return self._cached(flight, policy)

    async def _cached(self, flight: Flight, policy: CachePolicy) -> Executed[Any]:
        """Give an earlier answer where one may be served, else execute; older data may still stand beside a failure."""
        cache = await self._caches.of(flight.source, policy)
        hit = None if flight.booking.afresh else await cache.look(flight.source.upstream)
        if hit is not None and (not hit.stale or self._refreshes(flight, cache)):
            return hit.executed
        executed = await flight.guard.run(flight, flight.retry, flight.booking.budget)
        return await cache.settle(flight.source.upstream, executed) if self._serves(cache, flight) else executed

    def _serves(self, cache: ResultCache[Any], flight: Flight) -> bool:
        """Return whether the flight's source is still the one that the cache is for."""
        return self.knows(flight.source) and self._caches.serves(flight.source, cache)

    def _refreshes(self, flight: Flight, cache: ResultCache[Any]) -> bool:
        """Return whether a new answer is being fetched in the background, where it may take the source's own time."""
        return self._background.start((cache, flight.source.upstream), partial(self._refresh, flight, cache))

    async def _refresh(self, flight: Flight, cache: ResultCache[Any]) -> None:
        source, guard, clock = flight.source, flight.guard, self._coordinator.clock
        if not guard.budget.spend_refresh():
            return
        call = SourceCall(
            source,
            guard.calls.of(source.fetcher),
            deadline=Deadline.after(clock, in_seconds(source.timeout)),
            started=clock.monotonic(),
            context=self._make_context,
        )
        async with self._http.use():
            executed = await attended(call, guard.run(call, flight.retry))
        self._coordinator.record(executed, guard)
        if self._serves(cache, flight):
            await cache.settle(flight.source.upstream, executed)

    def _done(self, flight: Flight, executed: Executed[Any]) -> None:
        flight.executed = executed
        try:
            self._coordinator.record(executed, flight.guard)
        finally:
            self._land(flight)  # whatever happens, nobody waits for ever

    def _failed(self, flight: Flight, error: Exception) -> None:
        """Land a flight whose fetcher wished the program to end, or in which the engine itself failed."""
        if isinstance(error, ProgramExit):
            flight.exit = error.cause
            self._land(flight)
            return
        _LOG.error("%s: a bug of the engine", flight.source.key, exc_info=error)
        self._done(flight, _not_its_fault(flight, error))

    def _lost(self, flight: Flight) -> None:
        """Land a flight whose task was cancelled; where somebody still waits for it, that was none of ours."""
        if flight.passengers:
            self._done(flight, _not_its_fault(flight, FetchError(FailureKind.BUG, CANCELLED_FROM_ELSEWHERE)))
        else:
            self._land(flight)

    def _land(self, flight: Flight) -> None:
        flight.landed = True
        self._clear(flight)
        for booking in flight.passengers:
            booking.landed(flight)

    def _clear(self, flight: Flight) -> None:
        if self._under_way.get(flight.place) is flight:
            del self._under_way[flight.place]


def _not_its_fault(flight: Flight, error: Exception) -> Executed[Any]:
    """Return a failure that says nothing about the source."""
    failure = Failure(
        source=flight.source.key,
        kind=FailureKind.BUG,
        error=error,
        attempts=flight.attempts,
        duration=flight.duration,
    )
    return Executed(outcome=failure, verdict=Verdict.RELEASED)
