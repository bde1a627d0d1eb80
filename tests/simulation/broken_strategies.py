"""The limits, hedges and caches of the engine, deliberately broken in one place each: what the simulation must find.

As in `broken`, each function breaks the shipped classes at a seam until the monkeypatch is undone.
"""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as replace_fields

from data_source_orchestrator.core.allowance import Allowance
from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.outcome import Executed, Failure, Success
from data_source_orchestrator.core.policies import ConcurrencyPolicy, RateLimitPolicy
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.fanout import scopes
from data_source_orchestrator.fanout.flight import Booking, Flight
from data_source_orchestrator.fanout.flights import Flights
from data_source_orchestrator.orchestration.keeper import Keeper
from data_source_orchestrator.resilience import limits, rate_limiter, retry
from data_source_orchestrator.resilience.attempt import Attempt
from data_source_orchestrator.resilience.background import Background
from data_source_orchestrator.resilience.budget import Budget
from data_source_orchestrator.resilience.cache import ResultCache
from data_source_orchestrator.resilience.concurrency import ConcurrencyLimiter, Slot
from data_source_orchestrator.resilience.guard import Guard
from data_source_orchestrator.resilience.hedge import Hedge
from data_source_orchestrator.resilience.limits import Limits, Passage, Scope
from data_source_orchestrator.resilience.line import Line, Waiter
from data_source_orchestrator.resilience.race import Race
from data_source_orchestrator.resilience.rate_limiter import RateLimiter
from data_source_orchestrator.resilience.shelf import Shelf
from data_source_orchestrator.simulation.strategies import HedgePlan, HostPlan, LimitPlan
from data_source_orchestrator.simulation.world import Action, Fault, SourcePlan, World

Break = Callable[[pytest.MonkeyPatch], None]


def one_call_more_than_the_limit_is_let_in(patch: pytest.MonkeyPatch) -> None:
    def limiter(policy: ConcurrencyPolicy | None, clock: Clock) -> ConcurrencyLimiter | None:
        return None if policy is None else ConcurrencyLimiter(replace(policy, limit=policy.limit + 1), clock=clock)

    patch.setattr(limits, "_limiter", limiter)


def a_cancelled_call_keeps_its_slot(patch: pytest.MonkeyPatch) -> None:
    right = Attempt._leave

    def leave(self: Attempt[Any], passage: Passage) -> None:
        if self.verdict is not Verdict.RELEASED:
            right(self, passage)

    patch.setattr(Attempt, "_leave", leave)


def a_cancelled_waiter_stays_in_line(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ConcurrencyLimiter, "_gone", lambda _self, _waiter: None)


def a_pace_is_twice_as_fast_as_it_is_set(patch: pytest.MonkeyPatch) -> None:
    right = rate_limiter._terms

    def terms(policy: RateLimitPolicy | None) -> tuple[float, int, int]:
        per, limit, burst = right(policy)
        return per / 2, limit, burst

    patch.setattr(rate_limiter, "_terms", terms)


def a_passage_that_was_not_used_costs_its_token(patch: pytest.MonkeyPatch) -> None:
    def give_back(self: Limits, slots: list[Slot]) -> None:
        for limiter, slot in zip(self._concurrency, slots, strict=False):
            limiter.leave(slot)

    patch.setattr(Limits, "_give_back", give_back)


def changed_limits_begin_anew(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(scopes, "changed_scope", lambda scope, policy, clock: limits.scope_of(scope.name, policy, clock))


def pushback_is_kept_for_half_of_its_time(patch: pytest.MonkeyPatch) -> None:
    right = RateLimiter.hold
    patch.setattr(RateLimiter, "hold", lambda self, seconds: right(self, seconds / 2))


def a_retry_comes_when_half_of_its_wait_is_over(patch: pytest.MonkeyPatch) -> None:
    right = retry.decide

    def decide(*args: Any, **more: Any) -> retry.Wait | retry.Stop:
        decided = right(*args, **more)
        return retry.Wait(decided.seconds / 2) if isinstance(decided, retry.Wait) else decided

    patch.setattr(retry, "decide", decide)
    patch.setattr(RateLimiter, "hold", lambda _self, _seconds: None)


def what_an_upstream_leaves_is_not_believed(patch: pytest.MonkeyPatch) -> None:
    def observe(self: RateLimiter, allowance: Allowance) -> None:
        """Believe nothing."""

    patch.setattr(RateLimiter, "observe", observe)


def the_last_comes_first(patch: pytest.MonkeyPatch) -> None:
    def first(self: Line[Any]) -> Waiter[Any] | None:
        return next((waiter for waiter in reversed(self._waiting) if not waiter.gone), None)

    patch.setattr(Line, "first", first)


def a_hedge_costs_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Budget, "spend_hedge", lambda _self, _after=None: True)


def a_hedge_is_made_without_a_word(patch: pytest.MonkeyPatch) -> None:
    right = Hedge.__init__

    def init(self: Hedge, *args: Any, **more: Any) -> None:
        right(self, *args, **more | {"on_hedge": None})

    patch.setattr(Hedge, "__init__", init)


def a_run_has_no_budget(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Guard, "_payers", lambda self, _run_budget: self.budget)


def a_hedge_is_joined_by_another(patch: pytest.MonkeyPatch) -> None:
    right = Race._join

    def join(self: Race[Any]) -> None:
        right(self)
        if self._extra is not None and not self._given_up:
            first = self._extra
            right(self)
            other = self._extra
            first.add_done_callback(lambda _: other.cancel())

    patch.setattr(Race, "_join", join)


def a_hedge_does_not_wait(patch: pytest.MonkeyPatch) -> None:
    right = Race.run
    patch.setattr(Race, "run", lambda self, delay: right(self, delay / 2))


def a_loser_has_failed(patch: pytest.MonkeyPatch) -> None:
    right = Attempt.settle

    def settle(self: Attempt[Any]) -> None:
        if self.censored:
            self.censored, self.verdict = False, Verdict.FAILURE
        right(self)

    patch.setattr(Attempt, "settle", settle)


def what_ends_by_itself_is_censored(patch: pytest.MonkeyPatch) -> None:
    right = Attempt.settle

    def settle(self: Attempt[Any]) -> None:
        self.censored = self.censored or self.verdict is Verdict.RELEASED
        right(self)

    patch.setattr(Attempt, "settle", settle)


def a_hit_counts_as_an_execution(patch: pytest.MonkeyPatch) -> None:
    right = ResultCache._hit

    def hit(self: ResultCache[Any], *args: Any) -> Executed[Any]:
        executed = right(self, *args)
        return Executed(outcome=executed.outcome, verdict=Verdict.SUCCESS)

    patch.setattr(ResultCache, "_hit", hit)


def a_hit_is_told_as_an_attempt(patch: pytest.MonkeyPatch) -> None:
    right = ResultCache._hit

    def hit(self: ResultCache[Any], *args: Any) -> Executed[Any]:
        outcome: Any = right(self, *args).outcome
        return Executed(outcome=replace_fields(outcome, attempts=1), verdict=Verdict.RELEASED)

    patch.setattr(ResultCache, "_hit", hit)


def a_hit_asks_all_the_same(patch: pytest.MonkeyPatch) -> None:
    right = Flights._cached

    async def cached(self: Flights, flight: Flight, policy: Any) -> Executed[Any]:
        executed: Executed[Any] = await right(self, flight, policy)
        if isinstance(executed.outcome, Success) and executed.outcome.age is not None:
            await flight.guard.run(flight, flight.retry)
        return executed

    patch.setattr(Flights, "_cached", cached)


def kept_data_never_grows_too_old(patch: pytest.MonkeyPatch) -> None:
    right = Shelf.read

    async def read(self: Shelf[Any], key: str, *, oldest: float, **more: Any) -> Any:
        return await right(self, key, oldest=oldest + 5, **more)

    patch.setattr(Shelf, "read", read)


def what_broke_the_contract_is_kept(patch: pytest.MonkeyPatch) -> None:
    right = ResultCache.settle

    async def settle(self: ResultCache[Any], key: str, executed: Executed[Any], *more: Any) -> Executed[Any]:
        if isinstance(executed.outcome, Failure) and executed.outcome.kind == "content":
            await self._shelf.write(key, (self.source, -1))
        return await right(self, key, executed, *more)

    patch.setattr(ResultCache, "settle", settle)


def a_refresh_is_begun_beside_another(patch: pytest.MonkeyPatch) -> None:
    right = Background.start

    def start(self: Background, name: Hashable, *work: Any, **more: Any) -> bool:
        return right(self, (name, object()), *work, **more)

    patch.setattr(Background, "start", start)


def a_refresh_outlives_its_owner(patch: pytest.MonkeyPatch) -> None:
    async def leave(self: Background, *_: object) -> None:
        self._entered.clear()

    patch.setattr(Background, "__aexit__", leave)


def what_a_refresh_found_is_not_kept(patch: pytest.MonkeyPatch) -> None:
    async def keep_the_rest(_self: Keeper) -> None:
        return

    patch.setattr(Keeper, "keep_the_rest", keep_the_rest)


def whoever_comes_is_told_to_wait_ten_times_as_long(patch: pytest.MonkeyPatch) -> None:
    right = Scope.wait_ahead
    patch.setattr(Scope, "wait_ahead", lambda self: 10 * right(self))


def a_second_call_is_asked_for_whatever_the_first_was_told(patch: pytest.MonkeyPatch) -> None:
    async def after(self: Race[Any], _first: Any) -> Any:
        if self._extra is not None:
            await asyncio.wait((self._extra,))
            return None if self._extra.cancelled() else self._extra.result()
        return None if self._asked or not self._allowed() else await self._second()

    patch.setattr(Race, "_after", after)


def pushback_is_heard_too_late_for_whoever_is_next_in_line(patch: pytest.MonkeyPatch) -> None:
    right = RateLimiter.hold

    def hold(self: RateLimiter, seconds: float) -> None:
        loop, turns = asyncio.get_running_loop(), 4

        def later() -> None:
            nonlocal turns
            turns -= 1
            if turns:
                loop.call_soon(later)
            else:
                right(self, seconds)

        later()

    patch.setattr(RateLimiter, "hold", hold)


def a_sync_never_joins_a_fetch(patch: pytest.MonkeyPatch) -> None:
    right = Flight.takes

    def takes(self: Flight, source: Source[Any], booking: Booking) -> bool:
        fresh = self.booking.afresh or not booking.afresh or source.cache_policy is None
        return fresh and right(self, source, booking)

    patch.setattr(Flight, "takes", takes)


def nothing_stands_beside_a_failure(patch: pytest.MonkeyPatch) -> None:
    async def beside(_self: ResultCache[Any], _key: str, executed: Executed[Any], *_: Any) -> Executed[Any]:
        return executed

    patch.setattr(ResultCache, "_beside", beside)


LIMITS: dict[Break, set[str]] = {
    one_call_more_than_the_limit_is_let_in: {"never_more_calls_at_once_than_allowed"},
    a_cancelled_call_keeps_its_slot: {"the_slots_in_use_are_the_calls_under_way"},
    a_cancelled_waiter_stays_in_line: {"nobody_waits_who_has_left"},
    a_pace_is_twice_as_fast_as_it_is_set: {"the_pace_is_kept"},
    a_passage_that_was_not_used_costs_its_token: {"the_pace_counts_the_calls_that_were_made"},
    changed_limits_begin_anew: {"the_pace_is_kept", "pushback_is_never_broken"},
    pushback_is_kept_for_half_of_its_time: {"pushback_is_never_broken"},
    what_an_upstream_leaves_is_not_believed: {"an_allowance_is_never_overdrawn"},
    the_last_comes_first: {"first_come_first_served"},
    whoever_comes_is_told_to_wait_ten_times_as_long: {"nobody_is_turned_away_who_had_time"},
}
"""Broken limits, and the laws of which one at least must be found broken for it."""

HEDGES: dict[Break, set[str]] = {
    a_hedge_costs_nothing: {"calls_beyond_what_was_asked_are_paid_for"},
    a_hedge_is_made_without_a_word: {"every_extra_call_is_told"},
    a_hedge_is_joined_by_another: {"at_most_one_extra_call_at_a_time"},
    a_hedge_does_not_wait: {"a_hedge_waits_for_its_delay"},
    a_loser_has_failed: {"a_loser_says_nothing"},
}
"""Broken hedging, and the laws of which one at least must be found broken for it."""

CACHES: dict[Break, set[str]] = {
    a_hit_counts_as_an_execution: {"health_counts_no_more_than_was_executed"},
    a_hit_is_told_as_an_attempt: {"a_hit_is_no_execution"},
    a_hit_asks_all_the_same: {"a_fresh_answer_is_served_without_a_call"},
    kept_data_never_grows_too_old: {"nothing_is_served_that_is_too_old"},
    what_broke_the_contract_is_kept: {"what_is_kept_was_accepted"},
    a_sync_never_joins_a_fetch: {"a_source_is_asked_once_at_a_time"},
    a_refresh_is_begun_beside_another: {"a_source_is_asked_once_at_a_time"},
    a_refresh_outlives_its_owner: {"nothing_is_left_when_all_is_closed"},
    nothing_stands_beside_a_failure: {"older_data_stands_beside_a_failure"},
    what_a_refresh_found_is_not_kept: {"what_was_known_is_stored_when_all_is_closed"},
}
"""Broken caches, and the laws of which one at least must be found broken for it."""

EXTRAS: dict[Break, set[str]] = {
    a_retry_comes_when_half_of_its_wait_is_over: {"a_retry_waits_as_long_as_it_was_told"},
    a_run_has_no_budget: {"a_run_pays_for_its_extra_calls"},
    what_ends_by_itself_is_censored: {"only_a_loser_is_censored"},
}
"""Broken extra calls, whatever they are for, and the laws of which one at least must be found broken for it."""

_TOLD_TO_WAIT = Fault(source="*", begins=0, ends=9, does="fail", kind="rate_limited", seconds=0.1, retry_after=10)

MADE_TO_MEASURE: dict[Break, tuple[str, World]] = {
    pushback_is_heard_too_late_for_whoever_is_next_in_line: (
        "pushback_is_never_broken",
        World(
            seed=1,
            sources=tuple(SourcePlan(key=key, host="host-1", max_retries=0) for key in ("ash", "elm", "fir")),
            hosts=(HostPlan(name="host-1", limits=LimitPlan(calls=1)),),
            faults=(_TOLD_TO_WAIT,),
            actions=(Action(at=0, verb="fetch"),),
        ),
    ),
    a_second_call_is_asked_for_whatever_the_first_was_told: (
        "a_retry_waits_as_long_as_it_was_told",
        World(
            seed=1,
            sources=(SourcePlan(key="ash", hedge=HedgePlan(delay=5.0)),),
            faults=(_TOLD_TO_WAIT,),
            actions=(Action(at=0, verb="fetch"),),
        ),
    ),
}
"""What made-up worlds show too seldom, with the law that is broken by it and a world in which it must be."""

EXPECTED = LIMITS | HEDGES | CACHES | EXTRAS


def may_show(fault: Break, world: World) -> bool:
    """Return whether a world has what is broken at all, so that it is worth a play."""
    plans = world.sources
    if fault in LIMITS:
        return bool(world.overall or world.hosts or any(plan.limits for plan in plans))
    if fault in HEDGES:
        return any(plan.hedge for plan in plans)
    return fault not in CACHES or any(plan.cache for plan in plans)
