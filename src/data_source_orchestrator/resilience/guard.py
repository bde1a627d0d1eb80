"""One upstream's calls, made safe.

The order, stated once, from the outside in:

    deadline > retry > hedge > limits (pace, calls at once) > breaker permit > attempt timeout > chaos > fetch
    > contract

It must not know who else is asked, nor what health or a store makes of an outcome.
"""

from collections.abc import Coroutine
from typing import Any, TypeVar

from data_source_orchestrator.core.clock import Chance, Clock
from data_source_orchestrator.core.events import (
    AttemptFinished,
    AttemptStarted,
    BreakerChanged,
    BudgetRefused,
    CallHedged,
    ChaosInjected,
    Events,
    RetryScheduled,
)
from data_source_orchestrator.core.outcome import Executed, Failure, Skipped, Success
from data_source_orchestrator.core.policies import ChaosPolicy, HedgePolicy, Purpose
from data_source_orchestrator.core.verdicts import FailureKind, SkipReason, Verdict
from data_source_orchestrator.resilience.alarms import Alarms
from data_source_orchestrator.resilience.attempt import Attempted, Attempts, Wanted, refused
from data_source_orchestrator.resilience.breaker import BreakerState, CircuitBreaker
from data_source_orchestrator.resilience.budget import Budget, JointBudget, RetryBudget
from data_source_orchestrator.resilience.chaos import Chaos
from data_source_orchestrator.resilience.classify import Failed
from data_source_orchestrator.resilience.fetch import Calls
from data_source_orchestrator.resilience.hedge import Hedge
from data_source_orchestrator.resilience.hedged import Part
from data_source_orchestrator.resilience.latencies import Latencies
from data_source_orchestrator.resilience.limits import Limits, Passage, Refusal
from data_source_orchestrator.resilience.race import FIRST
from data_source_orchestrator.resilience.rate_limiter import RateLimiter
from data_source_orchestrator.resilience.retry import Retry, Stop
from data_source_orchestrator.resilience.wording import (
    CHECK_NOT_PAID,
    NOT_STARTED,
    STILL_GOING_ON,
    circuit_open,
    limited,
    not_again,
)

T = TypeVar("T")

_OVERLOADED = frozenset({FailureKind.TIMEOUT, FailureKind.RATE_LIMITED})
"""Failures by which an upstream says that it is asked too much."""


class Guard:
    """Everything that one upstream's calls share: breaker, retry budget, and what was abandoned.

    A breaker and a budget that nobody listens to yet tell their changes through `events`. `limits` are passed once for
    each attempt; `pace` is that of them which an upstream's own wait holds.
    """

    def __init__(  # noqa: PLR0913 — each is another thing that is handed in
        self,
        key: str,
        *,
        breaker: CircuitBreaker,
        budget: RetryBudget,
        clock: Clock,
        chance: Chance,
        alarms: Alarms,
        events: Events,
    ) -> None:
        self.key = key
        self.breaker = breaker
        self.budget = budget
        self.limits: Limits | None = None
        self.pace: RateLimiter | None = None
        self.hedge: Hedge | None = None
        self.calls = Calls(key)
        self._clock = clock
        self._chance = chance
        self._events = events
        self._attempts = Attempts(key, clock=clock, alarms=alarms, events=events)
        breaker.on_change = breaker.on_change or self._breaker_changed
        budget.on_refusal = budget.on_refusal or self._budget_refused

    @property
    def abandoned(self) -> int:
        """How many fetchers went on after they had been cancelled, and were left to themselves."""
        return self._attempts.abandoned

    @property
    def chaos(self) -> Chaos | None:
        """What makes calls go wrong on purpose, None where nothing does."""
        return self._attempts.chaos

    def hedge_by(self, policy: HedgePolicy | None) -> None:
        """Hedge the attempts from now on, or no longer; what was learnt of latencies stays."""
        if policy is None:
            self.hedge = None
            return
        latencies = self.hedge.latencies if self.hedge is not None else Latencies()
        self.hedge = Hedge(
            policy, budget=self.budget, clock=self._clock, latencies=latencies, on_hedge=self._hedged_after
        )

    def stir_by(self, policy: ChaosPolicy | None) -> None:
        """Make attempts go wrong on purpose from now on, or no longer."""
        self._attempts.chaos = (
            None
            if policy is None
            else Chaos(policy, self.key, clock=self._clock, chance=self._chance, on_injected=self._chaos_injected)
        )

    async def run(self, wanted: Wanted[T], retry: Retry, run_budget: RetryBudget | None = None) -> Executed[T]:
        """Attempt until success, a stop or the deadline; raise `ProgramExit` where what was called asked for that.

        Extra calls are paid for by the source's own budget, and by the run's where there is one.
        """
        if wanted.deadline.at <= wanted.started:
            return self._skipped(SkipReason.DEADLINE, NOT_STARTED)
        admitted: Attempted[T] | Skipped = self._admitted_at_once(1) or await self._admitted_in_turn(wanted, 1)
        if isinstance(admitted, Skipped):
            return Executed(outcome=admitted, verdict=Verdict.RELEASED)
        attempted = await self._attempt(wanted, admitted, run_budget)
        warning = None
        if attempted.failed is not None and not attempted.probe:  # a half-open breaker's probe is one attempt
            attempted, warning = await self._again(wanted, attempted, retry, run_budget)
        if attempted.failed is None:
            self.budget.refund()
            if run_budget is not None:
                run_budget.refund()
        if attempted.permit is not None:
            self.breaker.finish_execution(attempted.permit, attempted.verdict)
        return self._executed(wanted, attempted, warning)

    async def check(self, wanted: Wanted[T], *, operator: bool) -> Executed[T]:
        """Make one attempt, which is no execution.

        An operator's check asks for no permit, and its success re-admits a source whose breaker is not closed; any
        other needs a permit and pays for its call, and decides where that makes it the half-open breaker's probe.
        """
        if wanted.deadline.at <= wanted.started:
            return self._skipped(SkipReason.DEADLINE, NOT_STARTED)
        if not operator and not self.budget.spend_probe():
            return self._skipped(SkipReason.BUDGET, CHECK_NOT_PAID)
        permit = None if operator else self.breaker.admit()
        if permit is None and not operator:
            return Executed(outcome=self._refused(), verdict=Verdict.RELEASED)
        attempted: Attempted[T] = Attempted(1, permit)
        await self._make(wanted, attempted)
        if not operator and attempted.failed is None:
            self.budget.refund()
        if operator and attempted.verdict is Verdict.SUCCESS and self.breaker.state is not BreakerState.CLOSED:
            self.breaker.readmit()
        return self._executed(wanted, attempted, None)

    async def _again(
        self, wanted: Wanted[T], attempted: Attempted[T], retry: Retry, run_budget: RetryBudget | None
    ) -> tuple[Attempted[T], str | None]:
        """Try again as often as it is worth it; return the last attempt, and why no other followed."""
        retries = retry.begin(self._payers(run_budget), self._chance)
        while attempted.failed is not None and not attempted.probe:
            if attempted.abandoned and not wanted.threaded:
                return attempted, STILL_GOING_ON
            decision = retries.after(attempted.failed, remaining=wanted.deadline.remaining)
            if isinstance(decision, Stop):
                return attempted, decision.warning
            self._retry_scheduled(attempted.number + 1, decision.seconds, attempted.failed)
            await self._clock.sleep(decision.seconds)
            if wanted.deadline.passed:
                return attempted, None  # somebody held up the event loop while we slept
            number = attempted.number + 1
            again: Attempted[T] | Skipped = self._admitted_at_once(number) or await self._admitted_in_turn(
                wanted, number
            )
            if isinstance(again, Skipped):
                return attempted, not_again(again)
            attempted = await self._attempt(wanted, again, run_budget)
        return attempted, None

    def _admitted(self, number: int, passage: Passage | None = None) -> Attempted[Any] | Skipped:
        """Return the attempt of that number where the breaker lets it through; what it does not is given back."""
        permit = self.breaker.admit()
        if permit is not None:
            return Attempted(number, permit, passage)
        if passage is not None and passage.limits is not None:
            passage.limits.leave(passage, used=False)
        return self._refused()

    def _admitted_at_once(self, number: int) -> Attempted[Any] | Skipped | None:
        """Return the attempt of that number, or why it may not be made; None where it has to wait for its turn."""
        if self.limits is None:
            return self._admitted(number)
        passage = self.limits.try_enter()
        return None if passage is None else self._admitted(number, passage)

    async def _admitted_in_turn(self, wanted: Wanted[Any], number: int) -> Attempted[Any] | Skipped:
        """Return the attempt of that number when its turn has come, or why it may not be made."""
        if self.limits is None:
            return self._admitted(number)
        passage = await self.limits.enter(wanted.deadline)
        if isinstance(passage, Refusal):
            return Skipped(source=self.key, reason=passage.reason, detail=limited(passage.scope, passage.retry_after))
        return self._admitted(number, passage)

    def _leave(self, passage: Passage, attempted: Attempted[Any]) -> None:
        """Give a passage back, with what the attempt said of its upstream's load; keep a wait that was asked for."""
        failed = attempted.failed
        says_nothing = attempted.verdict in {Verdict.RELEASED, Verdict.CENSORED}
        overloaded = None if says_nothing or (failed and failed.kind not in _OVERLOADED) else failed is not None
        if passage.limits is not None:  # those that gave it; the source may have others by now
            passage.limits.leave(passage, overloaded=overloaded)
        if failed is not None and failed.retry_after is not None and self.pace is not None:
            self.pace.hold(failed.retry_after)

    def _attempt(
        self, wanted: Wanted[T], attempted: Attempted[T], run_budget: RetryBudget | None
    ) -> Coroutine[Any, Any, Attempted[T]]:
        """Make an attempt, hedged where that is wanted; a half-open breaker's probe never is."""
        if self.hedge is None or attempted.probe:
            return self._told(wanted, attempted)
        return self._hedged(self.hedge, wanted, attempted, run_budget)

    async def _hedged(
        self, hedge: Hedge, wanted: Wanted[T], first: Attempted[T], run_budget: RetryBudget | None
    ) -> Attempted[T]:
        """Make an attempt that a second call may join, and return the one that counts."""
        parts: dict[int, Part[T]] = {}

        async def call(number: int) -> Attempted[T]:
            admitted: Attempted[T] | Skipped = first
            if number != FIRST:
                admitted = await self._admitted_in_turn(wanted, first.number + 1)
            if isinstance(admitted, Skipped):
                return refused(first.number + 1)
            parts[number] = part = Part(wanted, admitted)
            return await self._told(part, admitted)

        def lose(number: int) -> None:
            if number in parts:  # else it still waits to be let through
                parts[number].lose()

        return await hedge.run(call, deadline=wanted.deadline, on_lost=lose, budget=self._payers(run_budget))

    def _payers(self, run_budget: RetryBudget | None) -> Budget:
        return self.budget if run_budget is None else JointBudget(self.budget, run_budget)

    def _told(self, wanted: Wanted[T], attempted: Attempted[T]) -> Coroutine[Any, Any, Attempted[T]]:
        """Make an attempt, and tell of it where anybody hears."""
        heard = self._events.hears(AttemptFinished) or self._events.hears(AttemptStarted)
        return self._announced(wanted, attempted) if heard else self._make(wanted, attempted)

    async def _announced(self, wanted: Wanted[T], attempted: Attempted[T]) -> Attempted[T]:
        self._events.emit(AttemptStarted(at=self._clock.now(), source=self.key, attempt=attempted.number))
        try:
            return await self._make(wanted, attempted)
        finally:
            self._attempt_finished(attempted)

    async def _make(self, wanted: Wanted[T], attempted: Attempted[T]) -> Attempted[T]:
        """Make an attempt, and give its permit back however that ends."""
        bounded = self._attempts.begin(wanted, attempted)
        try:
            await bounded
            self._attempts.judge(wanted, attempted, bounded)
        finally:
            self._attempts.take_note(wanted, attempted, bounded)
            if attempted.permit is not None:
                self.breaker.finish(attempted.permit, attempted.verdict, attempted.duration)
            if attempted.passage is not None:
                self._leave(attempted.passage, attempted)
        return attempted

    def _attempt_finished(self, attempted: Attempted[Any]) -> None:
        self._events.emit(
            AttemptFinished(
                at=self._clock.now(),
                source=self.key,
                attempt=attempted.number,
                verdict=attempted.verdict,
                duration=attempted.duration,
                kind=attempted.failed.kind if attempted.failed else None,
            )
        )

    def _executed(self, wanted: Wanted[T], attempted: Attempted[T], warning: str | None) -> Executed[T]:
        warnings = attempted.warnings if warning is None else (*attempted.warnings, warning)
        duration = self._clock.monotonic() - wanted.started
        outcome: Success[T] | Failure
        if attempted.failed is None:
            outcome = Success(
                source=self.key,
                data=attempted.payload,
                attempts=attempted.number,
                duration=duration,
                latency=attempted.duration,
                warnings=warnings,
            )
        else:
            outcome = Failure(
                source=self.key,
                kind=attempted.failed.kind,
                error=attempted.failed.error,
                attempts=attempted.number,
                duration=duration,
                warnings=warnings,
            )
        return Executed(
            outcome=outcome, verdict=attempted.verdict, probe=attempted.probe, cut_short=attempted.cut_short
        )

    def _refused(self) -> Skipped:
        forced = self.breaker.state is BreakerState.FORCED_OPEN
        detail = circuit_open(self.breaker.retry_after, forced=forced)
        return Skipped(source=self.key, reason=SkipReason.CIRCUIT_OPEN, detail=detail)

    def _skipped(self, reason: SkipReason, detail: str) -> Executed[Any]:
        return Executed(outcome=Skipped(source=self.key, reason=reason, detail=detail), verdict=Verdict.RELEASED)

    def _retry_scheduled(self, attempt: int, delay: float, failed: Failed) -> None:
        self._events.emit(
            RetryScheduled(at=self._clock.now(), source=self.key, attempt=attempt, delay=delay, kind=failed.kind)
        )

    def _budget_refused(self, purpose: Purpose) -> None:
        self._events.emit(BudgetRefused(at=self._clock.now(), source=self.key, purpose=purpose))

    def _hedged_after(self, seconds: float) -> None:
        self._events.emit(CallHedged(at=self._clock.now(), source=self.key, after=seconds))

    def _chaos_injected(self, what: str, call: int) -> None:
        self._events.emit(ChaosInjected(at=self._clock.now(), source=self.key, call=call, what=what))

    def _breaker_changed(self, before: str, after: str, retry_after: float | None) -> None:
        self._events.emit(
            BreakerChanged(at=self._clock.now(), source=self.key, before=before, after=after, retry_after=retry_after)
        )
