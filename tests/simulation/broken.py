"""The engine, deliberately broken in one place each: what the simulation must find.

Each function breaks the shipped classes at a seam until the monkeypatch is undone. Re-aim them when the engine is
rebuilt; what they are called stays true.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from data_source_orchestrator.core.errors import StoreError
from data_source_orchestrator.core.outcome import Executed, Success
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.fanout.coordinator import SourceCoordinator
from data_source_orchestrator.fanout.executor import Executor
from data_source_orchestrator.fanout.flight import Flight
from data_source_orchestrator.fanout.flights import Flights
from data_source_orchestrator.fanout.plan import Plan
from data_source_orchestrator.orchestration.keeper import Keeper
from data_source_orchestrator.resilience import budget, retry, suspects
from data_source_orchestrator.resilience.attempt import Attempt
from data_source_orchestrator.resilience.breaker import CircuitBreaker, Permit
from data_source_orchestrator.resilience.budget import RetryBudget
from data_source_orchestrator.resilience.classify import Failed
from data_source_orchestrator.resilience.suspects import Suspects

Break = Callable[[pytest.MonkeyPatch], None]


def a_cancelled_probe_keeps_its_permit(patch: pytest.MonkeyPatch) -> None:
    right = CircuitBreaker.finish

    def finish(self: CircuitBreaker, permit: Permit, verdict: Verdict, duration: float) -> None:
        if verdict is not Verdict.RELEASED:
            right(self, permit, verdict, duration)

    patch.setattr(CircuitBreaker, "finish", finish)


def a_half_open_breaker_lets_everybody_through(patch: pytest.MonkeyPatch) -> None:
    right = CircuitBreaker.admit

    def admit(self: CircuitBreaker) -> Permit | None:
        return Permit(self._era, self._era.probe) if self.state == "half_open" else right(self)

    patch.setattr(CircuitBreaker, "admit", admit)


def an_open_breaker_lets_everybody_through(patch: pytest.MonkeyPatch) -> None:
    right = CircuitBreaker.admit

    def admit(self: CircuitBreaker) -> Permit | None:
        return Permit(self._era, self._era.probe) if self.state == "open" else right(self)

    patch.setattr(CircuitBreaker, "admit", admit)


def a_breaker_changes_without_a_word(patch: pytest.MonkeyPatch) -> None:
    right = CircuitBreaker.readmit

    def readmit(self: CircuitBreaker) -> None:
        told, self.on_change = self.on_change, None
        right(self)
        self.on_change = told

    patch.setattr(CircuitBreaker, "readmit", readmit)


def a_wait_sleeps_past_the_deadline(patch: pytest.MonkeyPatch) -> None:
    def decide(failed: Failed, *, retries_left: int, delay: float, remaining: float) -> retry.Wait | retry.Stop:
        if retries_left <= 0 or not failed.retryable or remaining <= 0:
            return retry.Stop()
        return retry.Wait(delay if failed.retry_after is None else failed.retry_after)

    patch.setattr(retry, "decide", decide)


def a_source_is_retried_once_too_often(patch: pytest.MonkeyPatch) -> None:
    right = retry.decide

    def decide(failed: Failed, *, retries_left: int, delay: float, remaining: float) -> retry.Wait | retry.Stop:
        return right(failed, retries_left=retries_left + 1, delay=delay, remaining=remaining)

    patch.setattr(retry, "decide", decide)


def a_budget_never_refuses(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(budget, "_pay_from", lambda *_: True)


def a_refund_overfills_the_budget(patch: pytest.MonkeyPatch) -> None:
    def refund(self: RetryBudget) -> None:
        self.tokens += self.policy.refund

    patch.setattr(RetryBudget, "refund", refund)


def an_executor_loses_an_outcome(patch: pytest.MonkeyPatch) -> None:
    right = Executor.stream

    async def stream(self: Executor, plan: Plan) -> AsyncGenerator[Any, None]:
        given = 0
        async with aclosing(right(self, plan)) as batches:
            async for outcomes in batches:
                for outcome in outcomes:
                    given += 1
                    if given != 3:
                        yield [outcome]

    patch.setattr(Executor, "stream", stream)


def an_outcome_goes_to_another_source(patch: pytest.MonkeyPatch) -> None:
    right = Executor.stream

    async def stream(self: Executor, plan: Plan) -> AsyncGenerator[Any, None]:
        last: Any = None
        async with aclosing(right(self, plan)) as batches:
            async for outcomes in batches:
                for outcome in outcomes:
                    mixed = isinstance(outcome, Success) and isinstance(last, Success)
                    yield [replace(outcome, data=last.data) if mixed else outcome]
                    last = outcome

    patch.setattr(Executor, "stream", stream)


def a_flight_goes_on_without_passengers(patch: pytest.MonkeyPatch) -> None:
    def leave(self: Flights, flight: Flight, booking: Any) -> None:
        flight.passengers = tuple(each for each in flight.passengers if each is not booking)
        self._clear(flight)

    patch.setattr(Flights, "leave", leave)


def a_cancelled_call_is_not_waited_for(patch: pytest.MonkeyPatch) -> None:
    async def forgetful(_tasks: Any) -> None:
        await asyncio.sleep(0)

    patch.setattr("data_source_orchestrator.fanout.executor.to_their_end", forgetful)


def a_cancellation_is_swallowed(patch: pytest.MonkeyPatch) -> None:
    right = Executor.stream

    async def stream(self: Executor, plan: Plan) -> AsyncGenerator[Any, None]:
        async with aclosing(right(self, plan)) as outcomes:
            try:
                async for outcome in outcomes:
                    yield outcome
            except asyncio.CancelledError:
                return

    patch.setattr(Executor, "stream", stream)


def every_run_fetches_for_itself(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Flight, "takes", lambda _self, _source, _booking: False)


def health_forgets_a_failure(patch: pytest.MonkeyPatch) -> None:
    right = SourceCoordinator.adopt

    def record(self: SourceCoordinator, executed: Executed[Any], guard: Any, at: datetime | None = None) -> None:
        before = self.get_health(guard.key) if self.get_source(guard.key) else None
        kept(self, executed, guard, at)
        if before is not None and executed.verdict is Verdict.FAILURE and executed.outcome.attempts > 1:
            right(self, guard.key, before)

    kept = SourceCoordinator.record
    patch.setattr(SourceCoordinator, "record", record)


def a_timer_is_left_behind(patch: pytest.MonkeyPatch) -> None:
    right = Flights.board

    def board(self: Flights, *args: Any, **kwargs: Any) -> Any:
        asyncio.get_running_loop().call_later(30, lambda: None)
        return right(self, *args, **kwargs)

    patch.setattr(Flights, "board", board)


def a_run_keeps_nothing(patch: pytest.MonkeyPatch) -> None:
    async def keep_if_possible(_self: Keeper) -> None:
        return

    patch.setattr(Keeper, "keep_if_possible", keep_if_possible)


def a_failed_write_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    right = Keeper._commit

    async def commit(self: Keeper, *args: Any) -> Any:
        try:
            return await right(self, *args)
        except StoreError:
            self._unkept.clear()
            raise

    patch.setattr(Keeper, "_commit", commit)


def an_offline_run_blames_its_sources(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(suspects, "offline", lambda _unreached: ())


def an_offline_run_reports_attempts_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Attempt, "_report", lambda _self, _withheld, make: make(excused=False))


def an_answer_is_not_heard(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Suspects, "answered", lambda _self: None)


def what_was_withheld_is_lost(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Suspects, "close", lambda _self: None)


EXPECTED: dict[Break, set[str]] = {
    a_cancelled_probe_keeps_its_permit: {"no_permit_is_leaked"},
    a_half_open_breaker_lets_everybody_through: {"never_more_probes_than_permitted"},
    an_open_breaker_lets_everybody_through: {"an_open_breaker_lets_nobody_through"},
    a_breaker_changes_without_a_word: {"changes_of_a_breaker_are_told"},
    a_wait_sleeps_past_the_deadline: {"an_execution_keeps_its_time", "a_call_keeps_its_time"},
    a_source_is_retried_once_too_often: {"attempts_are_counted_and_bounded"},
    a_budget_never_refuses: {"retries_are_paid_for"},
    a_refund_overfills_the_budget: {"a_budget_stays_within_its_bounds"},
    an_executor_loses_an_outcome: {"every_source_asked_has_an_outcome_of_its_own"},
    an_outcome_goes_to_another_source: {"an_outcome_is_what_the_upstream_did"},
    a_flight_goes_on_without_passengers: {"nothing_is_alive_while_nobody_asks", "nothing_outlives_the_call"},
    a_cancelled_call_is_not_waited_for: {"nothing_outlives_the_call"},
    a_cancellation_is_swallowed: {"cancellation_passes"},
    every_run_fetches_for_itself: {"a_source_is_asked_once_at_a_time"},
    health_forgets_a_failure: {"health_is_the_fold_of_its_events"},
    a_timer_is_left_behind: {"nothing_is_alive_while_nobody_asks"},
    a_run_keeps_nothing: {"what_is_stored_is_what_is_known"},
    an_offline_run_blames_its_sources: {"our_own_network_is_held_against_nobody"},
    an_offline_run_reports_attempts_at_once: {"our_own_network_is_held_against_nobody"},
    an_answer_is_not_heard: {"whoever_answers_proves_that_we_are_online"},
    what_was_withheld_is_lost: {"whatever_was_withheld_is_counted"},
    a_failed_write_is_forgotten: {"every_run_is_counted", "health_is_the_fold_of_its_events"},
}
"""What is broken, and the laws of which one at least must be found broken for it."""
