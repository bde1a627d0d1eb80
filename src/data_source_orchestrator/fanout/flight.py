"""One execution of one source, shared by everyone who wants it at the same moment.

A flight ends with its last passenger: whoever leaves last cancels it. It lives on the event loop that began it.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Any

from data_source_orchestrator.core.outcome import Executed, Outcome
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.resilience.budget import RetryBudget
from data_source_orchestrator.resilience.guard import Guard
from data_source_orchestrator.resilience.retry import Retry
from data_source_orchestrator.resilience.suspects import Suspects
from data_source_orchestrator.resilience.wanted import SourceCall

Sky = dict[str, "Flight"]
"""The flights that are under way on one event loop, at most one for each source's key."""

Landed = Callable[["Flight"], None]
"""Hears that a flight has landed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Booking:
    """What one run wants of its flights: by when, how often they are tried again, who pays for that.

    They fly in copies of the context `within` which the run was asked for, and `landed` hears of each that has landed.
    `afresh` asks every upstream, whatever is cached. `suspects` hold back what may be our own fault in the run, and
    `refreshing` in the refreshes that it begins; both are None where it asks too few to tell.
    """

    until: float
    retry: Retry
    budget: RetryBudget
    within: Context
    landed: Landed
    afresh: bool
    suspects: Suspects | None
    refreshing: Suspects | None


class Flight(SourceCall[Any], eq=False, kw_only=True):
    """An execution that waits to begin or is under way, and who waits for it.

    It `asks` its upstream as soon as nothing that is kept may be served. It flies as the booking wants that wanted it
    first. When it has landed, it holds what was `executed`, or the wish to end the program that its fetcher raised.
    """

    booking: Booking
    guard: Guard
    sky: Sky
    passengers: tuple[Booking, ...]
    task: asyncio.Task[None] | None = None
    asks: bool = False
    landed: bool = False
    executed: Executed[Any] | None = None
    exit: KeyboardInterrupt | SystemExit | None = None

    @property
    def runs(self) -> Sequence[Suspects]:
        """The runs that wait for it."""
        return [booking.suspects for booking in self.passengers if booking.suspects is not None]

    @property
    def keeps_shown(self) -> bool:
        """Whether a run waits for it that looks at the documents its fetcher shows: one that asks afresh does."""
        return any(booking.afresh for booking in self.passengers)

    @property
    def within(self) -> Context:
        """The context of which it flies in a copy."""
        return self.booking.within

    def takes(self, source: Source[Any], booking: Booking) -> bool:
        """Return whether it gives what this booking wants of this source, and is not being cut off already."""
        fresh = self.asks or self.booking.afresh or not booking.afresh or source.cache_policy is None
        return self.source.fetcher is source.fetcher and fresh and not self.deadline.passed

    def join(self, booking: Booking) -> None:
        """Take another passenger, and put the deadline off as far as this one and the source's own limit allow."""
        if self.withheld is not None and booking.suspects is not None:
            self.withheld.join(booking.suspects)
        self.passengers = (*self.passengers, booking)
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
        return self.deadline.clock.monotonic() - self.started
