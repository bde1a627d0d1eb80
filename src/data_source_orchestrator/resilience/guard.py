"""One upstream's calls, made safe.

The order, stated once, from the outside in:

    deadline > retry > hedge > limits (pace, calls at once) > breaker permit > attempt timeout > chaos > fetch
    > contract

It must not know who else is asked, nor what health or a store makes of an outcome.
"""

from collections.abc import Awaitable
from typing import Any, TypeVar

from data_source_orchestrator.core.classification import Classification
from data_source_orchestrator.core.clock import Chance, Clock
from data_source_orchestrator.core.events import (
    AttemptFinished,
    AttemptStarted,
    BreakerChanged,
    BudgetRefused,
    CallDelayed,
    CallHedged,
    ChaosInjected,
    Events,
    RetryScheduled,
)
from data_source_orchestrator.core.outcome import Executed, Failure, Skipped, Success
from data_source_orchestrator.core.policies import ChaosPolicy, HedgePolicy, Purpose
from data_source_orchestrator.core.verdicts import SkipReason, Verdict
from data_source_orchestrator.resilience.alarms import Alarms
from data_source_orchestrator.resilience.attempt import Attempt, Attempts, Wanted
from data_source_orchestrator.resilience.breaker import BreakerState, CircuitBreaker
from data_source_orchestrator.resilience.budget import Budget, JointBudget, RetryBudget
from data_source_orchestrator.resilience.chaos import Chaos
from data_source_orchestrator.resilience.classify import Failed
from data_source_orchestrator.resilience.fetch import Calls
from data_source_orchestrator.resilience.hedge import Hedge
from data_source_orchestrator.resilience.hedged import Part
from data_source_orchestrator.resilience.latencies import Latencies
from data_source_orchestrator.resilience.limits import Limits, Passage, Refusal
from data_source_orchestrator.resilience.race import EXTRA, FIRST, Pair
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


class Guard:
    """Everything that one upstream's calls share: breaker, retry budget, and what was abandoned.

    A breaker and a budget that nobody listens to yet tell their changes through `events`. `limits` are passed once for
    each attempt.
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
        self.hedge: Hedge | None = None
        self.calls = Calls(key)
        self._clock = clock
        self._chance = chance
        self._events = events
        self._attempts = Attempts(key, breaker=breaker, clock=clock, alarms=alarms, events=events)
        breaker.on_change = breaker.on_change or self._breaker_changed
        budget.on_refusal = budget.on_refusal or self._budget_refused

    @property
    def abandoned(self) -> int:
        """How many fetchers went on after they had been cancelled, and were left to themselves."""
        return self._attempts.abandoned

    @property
    def pace(self) -> RateLimiter | None:
        """What an upstream's own wait holds, None where nothing does."""
        return self._attempts.pace

    def limit_by(self, limits: Limits | None, pace: RateLimiter | None) -> None:
        """Let the attempts from now on pass these limits, or none; `pace` is that of them which an upstream moves."""
        self.limits = limits
        self._attempts.pace = pace

    def classify_by(self, classification: Classification) -> None:
        """Read errors from now on with what is known of this upstream, before the common table."""
        self._attempts.classification = classification

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
        if wanted.deadline.passed:
            return self._skipped(SkipReason.DEADLINE, NOT_STARTED)
        attempt: Attempt[T] | Skipped = self._admitted_at_once(wanted, 1) or await self._admitted_in_turn(wanted, 1)
        if isinstance(attempt, Skipped):
            return Executed(outcome=attempt, verdict=Verdict.RELEASED)
        rest = self._make(attempt, run_budget)
        if rest is not None:
            attempt = await rest or attempt
        warning = None
        if attempt.failed is not None and not attempt.probe:  # a half-open breaker's probe is one attempt
            attempt, warning = await self._again(wanted, attempt, retry, run_budget)
        if attempt.failed is None:
            self.budget.refund()
            if run_budget is not None:
                run_budget.refund()
        elif wanted.withheld is not None:
            attempt.count_in_doubt(wanted.withheld)
            return self._executed(attempt, warning)
        if attempt.permit is not None:
            self.breaker.finish_execution(attempt.permit, attempt.verdict)
        return self._executed(attempt, warning)

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
        attempt = self._attempts.one(wanted, 1, permit)
        if (rest := attempt.start()) is not None:
            await rest
        if not operator and attempt.failed is None:
            self.budget.refund()
        if operator and attempt.verdict is Verdict.SUCCESS and self.breaker.state is not BreakerState.CLOSED:
            self.breaker.readmit()
        return self._executed(attempt, None)

    async def _again(
        self, wanted: Wanted[T], attempt: Attempt[T], retry: Retry, run_budget: RetryBudget | None
    ) -> tuple[Attempt[T], str | None]:
        """Try again as often as it is worth it; return the last attempt, and why no other followed."""
        retries = retry.begin(self._payers(run_budget), self._chance)
        while attempt.failed is not None and not attempt.probe:
            if attempt.abandoned and not wanted.threaded:
                return attempt, STILL_GOING_ON
            decision = retries.after(attempt.failed, remaining=wanted.deadline.remaining)
            if isinstance(decision, Stop):
                return attempt, decision.warning
            self._retry_scheduled(attempt.number + 1, decision.seconds, attempt.failed)
            await self._clock.sleep(decision.seconds)
            if wanted.deadline.passed:
                return attempt, None  # somebody held up the event loop while we slept
            number = attempt.number + 1
            again = self._admitted_at_once(wanted, number) or await self._admitted_in_turn(wanted, number)
            if isinstance(again, Skipped):
                return attempt, not_again(again)
            attempt, rest = again, self._make(again, run_budget)
            if rest is not None:
                attempt = await rest or attempt
        return attempt, None

    def _admitted(self, wanted: Wanted[T], number: int, passage: Passage | None = None) -> Attempt[T] | Skipped:
        """Return the attempt of that number where the breaker lets it through; what it does not is given back."""
        permit = self.breaker.admit()
        if permit is not None:
            return self._attempts.one(wanted, number, permit, passage)
        if passage is not None and passage.limits is not None:
            passage.limits.leave(passage, used=False)
        return self._refused()

    def _admitted_at_once(self, wanted: Wanted[T], number: int) -> Attempt[T] | Skipped | None:
        """Return the attempt of that number, or why it may not be made; None where it has to wait for its turn."""
        if self.limits is None:
            return self._admitted(wanted, number)
        passage = self.limits.try_enter()
        return None if passage is None else self._admitted(wanted, number, passage)

    async def _admitted_in_turn(self, wanted: Wanted[T], number: int) -> Attempt[T] | Skipped:
        """Return the attempt of that number when its turn has come, or why it may not be made."""
        if self.limits is None:
            return self._admitted(wanted, number)
        began = self._clock.monotonic()
        passage = await self.limits.enter(wanted.deadline)
        if isinstance(passage, Refusal):
            return Skipped(source=self.key, reason=passage.reason, detail=limited(passage.scope, passage.retry_after))
        if self._events.hears(CallDelayed):
            waited = self._clock.monotonic() - began
            self._events.emit(CallDelayed(at=self._clock.now(), source=self.key, seconds=waited))
        return self._admitted(wanted, number, passage)

    def _make(self, attempt: Attempt[T], run_budget: RetryBudget | None) -> Awaitable[Attempt[T] | None] | None:
        """Make an attempt, and return what has to be awaited for that; None where nothing has.

        It is hedged where that is wanted, and another is given where that one counts in its place. A half-open
        breaker's probe is never hedged.
        """
        if self.hedge is None or attempt.probe:
            return self._told(attempt)
        return self._hedged(self.hedge, attempt, run_budget)

    async def _hedged(self, hedge: Hedge, first: Attempt[T], run_budget: RetryBudget | None) -> Attempt[T]:
        """Make an attempt that a second call may join, and return the one that counts."""
        wanted = first.made_for
        calls: dict[int, tuple[Part[T], Attempt[T]]] = {}

        async def call(number: int) -> Attempt[T]:
            attempt: Attempt[T] | Skipped = first
            if number != FIRST:
                attempt = await self._admitted_in_turn(wanted, first.number + 1)
            if isinstance(attempt, Skipped):
                return self._attempts.refused(wanted, first.number + 1)
            attempt.made_for = part = Part(wanted)
            calls[number] = part, attempt
            if (rest := self._told(attempt)) is not None:
                await rest
            return attempt

        def lose(number: int) -> None:
            if number in calls:  # else it still waits to be let through
                part, attempt = calls[number]
                part.lost = attempt.censored = True

        def extra_began(_asked: float) -> float | None:
            return calls[EXTRA][1].began if EXTRA in calls else None

        pair = Pair(unwanted=lambda: wanted.unwanted, extra_began=extra_began)
        payers = self._payers(run_budget)
        return await hedge.run(call, deadline=wanted.deadline, on_lost=lose, budget=payers, pair=pair)

    def _payers(self, run_budget: RetryBudget | None) -> Budget:
        return self.budget if run_budget is None else JointBudget(self.budget, run_budget)

    def _told(self, attempt: Attempt[T]) -> Awaitable[None] | None:
        """Make an attempt, and tell of it where anybody hears."""
        heard = self._events.hears(AttemptFinished) or self._events.hears(AttemptStarted)
        return self._announced(attempt) if heard else attempt.start()

    async def _announced(self, attempt: Attempt[T]) -> None:
        self._events.emit(AttemptStarted(at=self._clock.now(), source=self.key, attempt=attempt.number))
        try:
            if (rest := attempt.start()) is not None:
                await rest
        finally:
            self._attempt_finished(attempt)

    def _attempt_finished(self, attempt: Attempt[Any]) -> None:
        self._events.emit(
            AttemptFinished(
                at=self._clock.now(),
                source=self.key,
                attempt=attempt.number,
                verdict=attempt.verdict,
                duration=attempt.duration,
                kind=attempt.failed.kind if attempt.failed else None,
            )
        )

    def _executed(self, attempt: Attempt[T], warning: str | None) -> Executed[T]:
        warnings = attempt.warnings if warning is None else (*attempt.warnings, warning)
        duration = self._clock.monotonic() - attempt.made_for.started
        outcome: Success[T] | Failure | Skipped
        if attempt.failed is None:
            outcome = Success(
                source=self.key,
                data=attempt.payload,
                attempts=attempt.number,
                duration=duration,
                latency=attempt.latency,
                warnings=warnings,
                set_aside=attempt.judgement.set_aside,
                tally=attempt.judgement.tally,
                shown=attempt.noted.shown,
            )
        elif attempt.failed.skipped is not None:
            outcome = Skipped(
                source=self.key,
                reason=attempt.failed.skipped,
                detail=str(attempt.failed.error),
                attempts=attempt.number,
                duration=duration,
                warnings=warnings,
            )
        else:
            outcome = Failure(
                source=self.key,
                kind=attempt.failed.kind,
                error=attempt.failed.error,
                attempts=attempt.number,
                duration=duration,
                warnings=warnings,
                served=attempt.served,
                shown=attempt.noted.shown,
            )
        return Executed(outcome=outcome, verdict=attempt.verdict, probe=attempt.probe, cut_short=attempt.cut_short)

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
