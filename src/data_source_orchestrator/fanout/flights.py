"""The flights of one orchestrator: planned, begun, joined, left and landed, at most one for each source and event loop.

It must not know what a run makes of an outcome.
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

from data_source_orchestrator.core.context import FetchContext, Notes, unseen
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.events import (
    BytesReceived,
    Event,
    MonitorOffline,
    RequestFinished,
    SourceForgotten,
)
from data_source_orchestrator.core.outcome import Executed, Failure, Outcome
from data_source_orchestrator.core.policies import CachePolicy
from data_source_orchestrator.core.ports import CacheStore
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.core.traffic import WireRequest
from data_source_orchestrator.core.verdicts import FailureKind, Verdict
from data_source_orchestrator.fanout.caches import Caches
from data_source_orchestrator.fanout.coordinator import SourceCoordinator
from data_source_orchestrator.fanout.crew import Crew
from data_source_orchestrator.fanout.flight import Booking, Flight, Sky
from data_source_orchestrator.resilience.attempt import ProgramExit
from data_source_orchestrator.resilience.attended import attended
from data_source_orchestrator.resilience.background import Background
from data_source_orchestrator.resilience.cache import ResultCache
from data_source_orchestrator.resilience.guard import Guard
from data_source_orchestrator.resilience.suspects import Suspects
from data_source_orchestrator.resilience.wanted import SourceCall
from data_source_orchestrator.resilience.wording import CANCELLED_FROM_ELSEWHERE
from data_source_orchestrator.web.parsed import ParseMemory
from data_source_orchestrator.web.pool import HttpPool

_LOG = logging.getLogger("data_source_orchestrator")


@dataclass(frozen=True, slots=True)
class _Field:
    """What one event loop has of its own: who flies there, and what is under way."""

    crew: Crew[Flight, Executed[Any]]
    sky: Sky


class Flights:
    """The flights of one orchestrator, at most one for each source and event loop."""

    def __init__(
        self, coordinator: SourceCoordinator, http: HttpPool, *, cached: CacheStore | None, background: Background
    ) -> None:
        self._coordinator = coordinator
        self._caches = Caches(cached, coordinator.clock)
        self._background = background
        coordinator.hub.follow(self._caches.heard, SourceForgotten)
        self._parsed = ParseMemory()
        coordinator.hub.follow(self._forget_parsed, SourceForgotten)
        self._http = http
        self._fields: dict[asyncio.AbstractEventLoop, _Field] = {}
        self._make_context = self.context  # one method for all flights
        self._doubting: set[Suspects] = set()

    def board(self, sources: Iterable[Source[Any]], booking: Booking) -> dict[Flight, Booking]:
        """Join the flights of these sources, planning those that there are not; what is planned begins with `take_off`.

        A source that is not registered any longer has none.
        """
        field, alone = self._field(), (booking,)
        flights: dict[Flight, Booking] = {}
        for source in sources:
            if not self.knows(source):
                continue
            flight = field.sky.get(source.key)
            if flight is not None and flight.takes(source, booking):
                flight.join(booking)
            else:
                flight = field.sky[source.key] = self._planned(source, booking, alone, field.sky)
                field.crew.give(flight)
            flights[flight] = booking
        return flights

    def take_off(self) -> None:
        """Let somebody fly what was planned on the running loop."""
        self._field().crew.begin()

    def stay(self) -> None:
        """Let those not take off that nobody waits for any longer."""
        self._field().crew.drop(lambda flight: not flight.passengers)

    def suspects(self) -> Suspects:
        """Return what holds back the failures of one run while it has heard nobody."""
        return Suspects(self._doubting, self._tell_offline)

    async def forget(self) -> None:
        """Let go now of what caches keep of sources that were unregistered or reset, or raise `StoreError`."""
        await self._caches.forget()

    def knows(self, source: Source[Any]) -> bool:
        """Return whether the source is still registered, and not another one of its key."""
        registered = self._coordinator.get_source(source.key)
        return registered is not None and registered.fetcher is source.fetcher

    def leave(self, flight: Flight, booking: Booking) -> asyncio.Task[None] | None:
        """Get off; the last passenger's leaving cancels the flight.

        Return the task that is ending because of that, within the grace period.
        """
        flight.passengers = tuple(each for each in flight.passengers if each is not booking)
        if flight.passengers or flight.landed:
            return None
        flight.unwanted = True
        self._clear(flight)  # at once, so that nobody boards a flight that is ending
        if flight.task is not None:
            flight.task.cancel()
        return flight.task

    def context(self, call: SourceCall[Any], attempt: int, notes: Notes) -> FetchContext:
        """Make the context of an attempt."""
        coordinator, key = self._coordinator, call.source.key

        def received(total: int) -> None:
            if coordinator.hub.hears(BytesReceived):
                coordinator.hub.emit(BytesReceived(at=coordinator.clock.now(), source=key, total=total))

        def told(request: WireRequest) -> None:
            if coordinator.hub.hears(RequestFinished):
                coordinator.hub.emit(RequestFinished(at=coordinator.clock.now(), source=key, request=request))

        http = self._http.client(
            received=received,
            observed=partial(coordinator.observe, key),
            served=notes.note_served,
            told=told,
            delayed=partial(coordinator.hold, key),
            robots=call.source.robots,
            own=call.source.classification,
            confirmed=True,
        )
        return FetchContext(
            http=http,
            deadline=call.deadline,
            attempt=attempt,
            clock=coordinator.clock,
            log=_LOG.getChild(key),
            warn=notes,
            show=notes.show if call.keeps_shown else unseen,
            parsed=self._parsed.of(key, http, shown=call.keeps_shown),
        )

    def _planned(self, source: Source[Any], booking: Booking, alone: tuple[Booking], sky: Sky) -> Flight:
        """Return a flight of this booking alone: one tuple for all such flights."""
        guard, clock = self._coordinator.guard(source.key), self._coordinator.clock
        started = clock.monotonic()
        return Flight(
            source,
            guard.calls.of(source.fetcher),
            Deadline(clock, min(booking.until, started + in_seconds(source.timeout))),
            started,
            self._make_context,
            baseline=self._coordinator.baseline(source.key),
            booking=booking,
            guard=guard,
            sky=sky,
            passengers=alone,
        )

    def _field(self) -> "_Field":
        loop = asyncio.get_running_loop()
        field = self._fields.get(loop)
        if field is None:
            self._fields = {known: field for known, field in self._fields.items() if not known.is_closed()}
            crew: Crew[Flight, Executed[Any]] = Crew(self._begin, done=self._done, failed=self._failed, lost=self._lost)
            field = self._fields[loop] = _Field(crew, {})
        return field

    def _begin(self, flight: Flight) -> Coroutine[Any, Any, Executed[Any]] | None:
        """Begin a flight that somebody still waits for."""
        if not flight.passengers:
            return None
        flight.task = asyncio.current_task()
        booking, policy = flight.booking, flight.source.cache_policy
        if policy is None:
            flight.asks = True
            return flight.guard.run(flight, flight.retry, booking.budget)
        return self._cached(flight, policy)

    async def _cached(self, flight: Flight, policy: CachePolicy) -> Executed[Any]:
        """Give an earlier answer where one may be served, else execute; older data may still stand beside a failure."""
        cache = await self._caches.of(flight.source, policy, flight.deadline)
        hit = None if flight.booking.afresh else await cache.look(flight.source.upstream, flight.deadline)
        if hit is not None and (not hit.stale or self._refreshes(flight, cache)):
            return hit.executed
        flight.asks = True
        executed = await flight.guard.run(flight, flight.retry, flight.booking.budget)
        if not self._serves(cache, flight):
            return executed
        return await cache.settle(flight.source.upstream, executed, flight.deadline)

    def _serves(self, cache: ResultCache[Any], flight: Flight) -> bool:
        """Return whether the flight's source is still the one that the cache is for."""
        return self.knows(flight.source) and self._caches.serves(flight.source, cache)

    def _refreshes(self, flight: Flight, cache: ResultCache[Any]) -> bool:
        """Return whether a new answer is being fetched in the background, where it may take the source's own time."""
        refresh = partial(self._refresh, flight, cache)
        key = (cache, flight.source.upstream)  # what one of before a reset brings is not kept any more
        return self._background.start(key, refresh, may_begin=flight.guard.budget.spend_refresh)

    async def _refresh(self, flight: Flight, cache: ResultCache[Any]) -> None:
        source, guard, clock = flight.source, flight.guard, self._coordinator.clock
        among = flight.booking.refreshing
        call = SourceCall(
            source,
            guard.calls.of(source.fetcher),
            deadline=Deadline.after(clock, in_seconds(source.timeout)),
            started=clock.monotonic(),
            make_context=self._make_context,
            baseline=self._coordinator.baseline(source.key),
            among=among,
        )
        with nullcontext() if among is None else among:
            try:
                async with self._http.use():
                    executed = await attended(call, guard.run(call, flight.retry))
            except ProgramExit as wish:
                raise wish.cause from None  # nobody waits here to whom it could be carried: the event loop itself obeys
            self._record(call, executed, guard)
        if self._serves(cache, flight):
            await cache.settle(source.upstream, executed, call.deadline)

    def _done(self, flight: Flight, executed: Executed[Any]) -> None:
        flight.executed = executed
        try:
            self._forget_shown_in_vain(executed.outcome)
            if self._doubting:
                self._record(flight, executed, flight.guard)
            else:
                self._coordinator.record(executed, flight.guard)
        finally:
            self._land(flight)  # whatever happens, nobody waits for ever

    def _record(self, call: SourceCall[Any], executed: Executed[Any], guard: Guard) -> None:
        """Record an execution that may be the first to be answered, or one of those that nobody answers."""
        ended = self._coordinator.clock.now()
        if not call.record(executed, partial(self._coordinator.record, guard=guard, at=ended)):
            self._coordinator.record_later(executed, guard, ended)

    def _forget_parsed(self, event: Event) -> None:
        if isinstance(event, SourceForgotten):
            self._parsed.forget(event.source)

    def _forget_shown_in_vain(self, outcome: Outcome[Any]) -> None:
        """Let all be parsed and shown again of a source of which an attempt failed, for what that showed is lost."""
        if isinstance(outcome, Failure) or outcome.attempts > 1:
            self._parsed.forget(outcome.source)

    def _tell_offline(self, sources: tuple[str, ...]) -> None:
        self._coordinator.hub.emit(MonitorOffline(at=self._coordinator.clock.now(), sources=sources))

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
        if flight.sky.get(flight.source.key) is flight:
            del flight.sky[flight.source.key]


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
