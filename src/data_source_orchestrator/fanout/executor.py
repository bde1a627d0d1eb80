"""Runs a plan: all at once or one after another, under one deadline, giving outcomes as they come.

When it ends, by whatever way, nothing is left running that only it had wanted.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing, nullcontext
from contextvars import copy_context
from functools import partial
from typing import Any

from data_source_orchestrator.core.clock import Timer
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.outcome import Failure, Outcome, Skipped
from data_source_orchestrator.core.policies import OrchestratorConfig, RetryConfig
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.core.verdicts import FailureKind, SkipReason
from data_source_orchestrator.core.waiting import to_their_end
from data_source_orchestrator.fanout.arrivals import Arrivals
from data_source_orchestrator.fanout.flight import Booking, Flight
from data_source_orchestrator.fanout.flights import Flights
from data_source_orchestrator.fanout.plan import Plan
from data_source_orchestrator.resilience.budget import RetryBudget
from data_source_orchestrator.resilience.common_cause import LEAST_SOURCES
from data_source_orchestrator.resilience.retry import Retry
from data_source_orchestrator.resilience.suspects import Suspects

Outcomes = AsyncGenerator[Sequence[Outcome[Any]], None]
"""Outcomes as they come, those that came at one moment together."""


class Executor:
    """Asks the sources of one plan and gives back one outcome for each."""

    _limit: Timer

    def __init__(  # noqa: PLR0913 — each is another thing that is handed in
        self,
        flights: Flights,
        config: OrchestratorConfig,
        retry: RetryConfig,
        *,
        budget: RetryBudget,
        deadline: Deadline,
        afresh: bool,
    ) -> None:
        self._flights = flights
        self._config = config
        self._retry = Retry(retry, config.max_retries if retry.max_retries is None else retry.max_retries)
        self._budget = budget
        self._afresh = afresh
        self._deadline = deadline
        self._suspects: Suspects | None = None
        self._refreshing: Suspects | None = None

    @property
    def offline(self) -> tuple[str, ...]:
        """The sources whose failures are not theirs, because our own network was down; known when all have ended."""
        return () if self._suspects is None else self._suspects.offline

    async def stream(self, plan: Plan) -> Outcomes:
        """Yield outcomes as they come; close the generator to cancel what is still under way."""
        if plan.skipped:
            yield plan.skipped
        asked = plan.asked
        under_way = len(asked)
        if len(asked) >= LEAST_SOURCES:
            self._suspects, self._refreshing = self._flights.suspects(), self._flights.suspects()
        run = self._ask(asked) if self._config.parallel_execution else self._in_turn(asked)
        with nullcontext() if self._suspects is None else self._suspects:
            async with aclosing(run):
                async for outcomes in run:
                    under_way -= len(outcomes)
                    if self._suspects is not None and not under_way:
                        self._suspects.close()  # at once, however long the last outcomes are looked at
                    yield outcomes

    async def _in_turn(self, sources: tuple[Source[Any], ...]) -> Outcomes:
        stop: SkipReason | None = None
        for source in sources:
            if stop is None and self._deadline.passed:
                stop = SkipReason.DEADLINE
            if stop is not None:
                yield [_never_asked(source, stop)]
                continue
            async with aclosing(self._ask((source,))) as run:
                async for outcomes in run:
                    yield outcomes
                    stop = SkipReason.FAIL_FAST if self._end_the_run(outcomes) else stop

    async def _ask(self, sources: tuple[Source[Any], ...]) -> Outcomes:
        """Ask these sources at once."""
        gone = [_gone(source) for source in sources if not self._flights.knows(source)]
        arrivals: Arrivals[Flight] = Arrivals()
        booking = Booking(
            until=self._deadline.at,
            retry=self._retry,
            budget=self._budget,
            within=copy_context(),
            landed=arrivals.put,
            afresh=self._afresh,
            suspects=self._suspects,
            refreshing=self._refreshing,
        )
        waiting = self._flights.board(sources, booking)
        ending: list[asyncio.Task[None]] = []
        self._set_limit(waiting, arrivals)
        try:
            self._flights.take_off()
            if gone:
                yield gone
            while waiting:
                # One that was cut short may have landed in the same moment.
                here = [flight for flight in dict.fromkeys(await arrivals.next()) if flight in waiting]
                self._get_off(here, waiting, ending)
                outcomes = [_outcome(flight, SkipReason.DEADLINE) for flight in here]
                yield outcomes
                if self._end_the_run(outcomes):
                    break
            rest = list(waiting)
            self._get_off(rest, waiting, ending)
            if rest:
                yield [_outcome(flight, SkipReason.FAIL_FAST) for flight in rest]
        finally:
            self._limit.cancel()
            self._get_off(list(waiting), waiting, ending)
            self._flights.stay()
            await to_their_end(ending)

    def _set_limit(self, waiting: Iterable[Flight], arrivals: Arrivals[Flight]) -> None:
        self._limit = self._deadline.call_when_due(partial(self._cut_short, waiting, arrivals))

    def _cut_short(self, waiting: Iterable[Flight], arrivals: Arrivals[Flight]) -> None:
        """Leave flights that go on after this run's limit because another run has more time, or that never began."""
        if not self._deadline.passed:  # timers come a little early, and whoever joins meanwhile may put a flight off
            self._set_limit(waiting, arrivals)
            return
        for flight in waiting:
            if flight.deadline.at > self._deadline.at or flight.task is None:
                arrivals.put(flight)

    def _get_off(
        self, flights: Iterable[Flight], waiting: dict[Flight, Booking], ending: list[asyncio.Task[None]]
    ) -> None:
        """Wait no longer for these flights; note the tasks that end because nobody else waits for theirs."""
        for flight in flights:
            booking = waiting.pop(flight)
            task = None if flight.landed else self._flights.leave(flight, booking)
            if not flight.landed and self._suspects is not None:
                self._suspects.heard_out = False
            if task is not None:
                ending.append(task)

    def _end_the_run(self, outcomes: Sequence[Outcome[Any]]) -> bool:
        return self._config.fail_fast and any(isinstance(outcome, Failure) for outcome in outcomes)


def _outcome(flight: Flight, left_because: SkipReason) -> Outcome[Any]:
    """Return what a flight ended with; of one that was left before it had landed, say why.

    A fetcher that asked the program to end is obeyed here, in the caller's task.
    """
    if flight.exit is not None:
        raise flight.exit
    if flight.landed:
        return flight.outcome
    if left_because is SkipReason.FAIL_FAST:
        return _cancelled(flight)
    return _shared_too_long(flight) if flight.attempts else _never_asked(flight.source, left_because)


def _shared_too_long(flight: Flight) -> Failure:
    limit = FetchError(FailureKind.TIMEOUT, "the run's own limit was reached in a fetch that it shared with another")
    return Failure(
        source=flight.source.key,
        kind=FailureKind.TIMEOUT,
        error=limit,
        attempts=flight.attempts,
        duration=flight.duration,
    )


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
