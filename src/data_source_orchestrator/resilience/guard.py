"""One source's calls, made safe.

The order, stated once, from the outside in: deadline > retry > breaker permit > attempt timeout > fetch > contract.
It must not know who else is asked, nor what health or a store makes of an outcome.
"""

from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

from data_source_orchestrator.core.clock import Chance, Clock
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.events import AttemptFinished, AttemptStarted, BreakerChanged, Emit, RetryScheduled
from data_source_orchestrator.core.outcome import Executed, Failure, Skipped, Success
from data_source_orchestrator.core.policies import RetryConfig
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.core.verdicts import FailureKind, SkipReason, Verdict
from data_source_orchestrator.resilience.attempt import Attempted, Attempts
from data_source_orchestrator.resilience.breaker import BreakerState, CircuitBreaker, Permit
from data_source_orchestrator.resilience.budget import RetryBudget
from data_source_orchestrator.resilience.classify import Failed
from data_source_orchestrator.resilience.retry import Retry
from data_source_orchestrator.resilience.wanted import ContextOf, Wanted, Wants
from data_source_orchestrator.resilience.wording import NOT_STARTED, circuit_open

T = TypeVar("T")


class Guard:
    """Everything that one source's calls share from run to run: breaker, retry budget, and what was abandoned.

    A breaker that nobody listens to yet tells its changes through `emit`.
    """

    def __init__(  # noqa: PLR0913 — each is another thing that is handed in
        self, key: str, *, breaker: CircuitBreaker, budget: RetryBudget, clock: Clock, chance: Chance, emit: Emit
    ) -> None:
        self.key = key
        self.breaker = breaker
        self.budget = budget
        self._clock = clock
        self._emit = emit
        self._wants = Wants(key)
        self._attempts = Attempts(key, clock=clock, emit=emit)
        self._retry = Retry(budget=budget, clock=clock, chance=chance, on_wait=self._retry_scheduled)
        breaker.on_change = breaker.on_change or self._breaker_changed

    @property
    def abandoned(self) -> int:
        """How many fetchers went on after they had been cancelled, and were left to themselves."""
        return self._attempts.abandoned

    async def execute(
        self, source: Source[T], *, retry: RetryConfig, max_retries: int, deadline: Deadline, context: ContextOf
    ) -> Executed[T]:
        """Attempt until success, a stop or the deadline; raise `ProgramExit` where the fetcher asked for that."""
        if deadline.passed:
            return self._skipped(SkipReason.DEADLINE, NOT_STARTED)
        started = self._clock.monotonic()
        once = partial(self._let_through, self._wants.execution(source, context, deadline, started))
        tried = await self._retry.run(once, config=retry, max_retries=max_retries, deadline=deadline)
        if tried.last is None:
            return self._refused()
        permit, attempted = tried.last
        self.breaker.finish_execution(permit, attempted.verdict)
        return self._executed(attempted, started, probe=permit.probe, warning=tried.warning)

    async def check(
        self, source: Source[Any], *, deadline: Deadline, context: ContextOf, operator: bool
    ) -> Executed[Any]:
        """Make one attempt at the source's probe, or else its fetcher, within the source's own timeout.

        It is no execution. An operator's check asks for no permit, and its success re-admits a source whose breaker
        is not closed; any other needs a permit, and decides where that makes it the half-open breaker's probe.
        """
        if deadline.passed:
            return self._skipped(SkipReason.DEADLINE, NOT_STARTED)
        started = self._clock.monotonic()
        wanted = self._wants.check(source, context, deadline, started)
        if operator:
            attempted = await self._attempts.make(wanted, 1)
            if attempted.verdict is Verdict.SUCCESS and self.breaker.state is not BreakerState.CLOSED:
                self.breaker.readmit()
            return self._executed(attempted, started)
        permit = self.breaker.admit()
        if permit is None:
            return self._refused()
        attempted = await self._held(permit, self._attempts.make(wanted, 1))
        return self._executed(attempted, started, probe=permit.probe)

    async def _let_through(self, wanted: Wanted[T], number: int) -> tuple[Permit, Attempted[T]] | None:
        """Make one attempt of an execution where the breaker lets it, and tell of it."""
        permit = self.breaker.admit()
        if permit is None:
            return None
        return permit, await self._held(permit, self._announced(wanted, number))

    async def _held(self, permit: Permit, making: Coroutine[Any, Any, Attempted[T]]) -> Attempted[T]:
        """Make one attempt, and give its permit back however that ends."""
        verdict, duration = Verdict.RELEASED, 0.0
        try:
            attempted = await making
            verdict, duration = attempted.verdict, attempted.duration
        finally:
            self.breaker.finish(permit, verdict, duration)
        return attempted

    async def _announced(self, wanted: Wanted[T], number: int) -> Attempted[T]:
        """Make one attempt, and tell of its beginning and its end."""
        began = self._clock.monotonic()
        self._emit(AttemptStarted(at=self._clock.now(), source=self.key, attempt=number))
        verdict, kind = Verdict.RELEASED, None
        try:
            attempted = await self._attempts.make(wanted, number)
            verdict = attempted.verdict
            kind = attempted.result.kind if isinstance(attempted.result, Failed) else None
        finally:
            self._emit(
                AttemptFinished(
                    at=self._clock.now(),
                    source=self.key,
                    attempt=number,
                    verdict=verdict,
                    duration=self._clock.monotonic() - began,
                    kind=kind,
                )
            )
        return attempted

    def _executed(
        self, attempted: Attempted[T], started: float, *, probe: bool = False, warning: str | None = None
    ) -> Executed[T]:
        warnings = attempted.warnings if warning is None else (*attempted.warnings, warning)
        duration = self._clock.monotonic() - started
        outcome: Success[T] | Failure
        if isinstance(attempted.result, Failed):
            outcome = Failure(
                source=self.key,
                kind=attempted.result.kind,
                error=attempted.result.error,
                attempts=attempted.number,
                duration=duration,
                warnings=warnings,
            )
        else:
            outcome = Success(
                source=self.key,
                data=attempted.result.payload,
                attempts=attempted.number,
                duration=duration,
                latency=attempted.duration,
                warnings=warnings,
            )
        return Executed(outcome=outcome, verdict=attempted.verdict, probe=probe, cut_short=attempted.cut_short)

    def _refused(self) -> Executed[Any]:
        return self._skipped(SkipReason.CIRCUIT_OPEN, circuit_open(self.breaker.retry_after))

    def _skipped(self, reason: SkipReason, detail: str) -> Executed[Any]:
        return Executed(outcome=Skipped(source=self.key, reason=reason, detail=detail), verdict=Verdict.RELEASED)

    def _retry_scheduled(self, attempt: int, delay: float, kind: FailureKind) -> None:
        self._emit(RetryScheduled(at=self._clock.now(), source=self.key, attempt=attempt, delay=delay, kind=kind))

    def _breaker_changed(self, before: str, after: str, retry_after: float | None) -> None:
        self._emit(
            BreakerChanged(at=self._clock.now(), source=self.key, before=before, after=after, retry_after=retry_after)
        )
