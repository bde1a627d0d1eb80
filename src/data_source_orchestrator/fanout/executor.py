"""Runs a plan: all at once or one after another, under one deadline, giving outcomes as they come.

When it ends, by whatever way, nothing is left running that only it had wanted.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.outcome import Failure, Outcome, Skipped
from data_source_orchestrator.core.policies import OrchestratorConfig, RetryConfig
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.core.verdicts import FailureKind, SkipReason
from data_source_orchestrator.core.waiting import to_their_end
from data_source_orchestrator.fanout.flight import Flight, Flights
from data_source_orchestrator.fanout.plan import Plan
from data_source_orchestrator.resilience.fetch import ProgramExit

Outcomes = AsyncGenerator[Outcome[Any], None]


class Executor:
    """Asks the sources of one plan and gives back one outcome for each."""

    def __init__(self, flights: Flights, config: OrchestratorConfig, retry: RetryConfig, deadline: Deadline) -> None:
        self._flights = flights
        self._config = config
        self._retry = retry
        self._deadline = deadline

    async def stream(self, plan: Plan) -> Outcomes:
        """Yield each outcome as it comes; close the generator to cancel what is still under way."""
        for skip in plan.skipped:
            yield skip
        run = self._ask(plan.asked) if self._config.parallel_execution else self._in_turn(plan.asked)
        async with aclosing(run):
            async for outcome in run:
                yield outcome

    async def _in_turn(self, sources: tuple[Source[Any], ...]) -> Outcomes:
        stop: SkipReason | None = None
        for source in sources:
            if stop is None and self._deadline.passed:
                stop = SkipReason.DEADLINE
            if stop is not None:
                yield _never_asked(source, stop)
                continue
            async with aclosing(self._ask((source,))) as outcomes:
                async for outcome in outcomes:
                    yield outcome
                    stop = SkipReason.FAIL_FAST if self._ends_the_run(outcome) else stop

    async def _ask(self, sources: tuple[Source[Any], ...]) -> Outcomes:
        """Ask these sources at once."""
        landed: asyncio.Queue[Flight] = asyncio.Queue()
        for source in sources:
            if not self._flights.knows(source):
                yield _gone(source)
        flights = [self._board(source, landed) for source in sources if self._flights.knows(source)]
        waiting = dict.fromkeys(flights)
        timer = asyncio.get_running_loop().call_later(self._deadline.remaining, self._cut_short, waiting, landed)
        try:
            while waiting:
                flight = await landed.get()
                if flight not in waiting:
                    continue  # it landed in the moment in which it was cut short
                outcome = self._get_off(flight, waiting, SkipReason.DEADLINE)
                yield outcome
                if self._ends_the_run(outcome):
                    break
            for skipped in [self._get_off(flight, waiting, SkipReason.FAIL_FAST) for flight in tuple(waiting)]:
                yield skipped
        finally:
            timer.cancel()
            for flight in waiting:
                self._flights.leave(flight)
            await to_their_end(flight.task for flight in flights if not flight.passengers)

    def _board(self, source: Source[Any], landed: "asyncio.Queue[Flight]") -> Flight:
        own = self._retry.max_retries if source.max_retries is None else source.max_retries
        retries = self._config.max_retries if own is None else own
        flight = self._flights.board(source, until=self._deadline.at, retry=self._retry, max_retries=retries)
        flight.task.add_done_callback(lambda _task: landed.put_nowait(flight))
        return flight

    def _cut_short(self, waiting: dict[Flight, None], landed: "asyncio.Queue[Flight]") -> None:
        """Leave flights that go on after this run's limit because another run has more time for them."""
        for flight in waiting:
            if flight.deadline.at > self._deadline.at:
                landed.put_nowait(flight)

    def _get_off(self, flight: Flight, waiting: dict[Flight, None], reason: SkipReason) -> Outcome[Any]:
        """Take the flight's outcome; where it has not landed, leave it and say why."""
        del waiting[flight]
        ended = flight.task.done()
        self._flights.leave(flight)
        if ended:
            return _arrival(flight)
        if reason is SkipReason.FAIL_FAST:
            return _cancelled(flight)
        limit = FetchError(
            FailureKind.TIMEOUT, "the run's own limit was reached in a fetch that it shared with another"
        )
        return Failure(
            source=flight.source.key,
            kind=FailureKind.TIMEOUT,
            error=limit,
            attempts=flight.attempts,
            duration=flight.duration,
        )

    def _ends_the_run(self, outcome: Outcome[Any]) -> bool:
        return self._config.fail_fast and isinstance(outcome, Failure)


def _arrival(flight: Flight) -> Outcome[Any]:
    """Return what a flight ended with; a fetcher that asked the program to end is obeyed here, in the caller's task."""
    try:
        return flight.task.result().outcome
    except ProgramExit as ended:
        raise ended.cause from None


def _never_asked(source: Source[Any], reason: SkipReason) -> Skipped:
    told = {
        SkipReason.FAIL_FAST: "not asked because another source failed",
        SkipReason.DEADLINE: "not asked because the run's limit was reached",
    }
    return Skipped(source=source.key, reason=reason, detail=told[reason])


def _gone(source: Source[Any]) -> Skipped:
    return Skipped(source=source.key, reason=SkipReason.DISABLED, detail="unregistered while the run was under way")


def _cancelled(flight: Flight) -> Skipped:
    return Skipped(
        source=flight.source.key,
        reason=SkipReason.FAIL_FAST,
        detail="cancelled because another source failed",
        attempts=flight.attempts,
        duration=flight.duration,
    )
