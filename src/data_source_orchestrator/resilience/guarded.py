"""Any function's calls made safe, without sources or an orchestrator: the guard that stands on its own.

Outcomes become values and exceptions here, for whoever asks for that, and nowhere else.
"""

import asyncio
import functools
import inspect
import math
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, ParamSpec, TypeVar, overload

from data_source_orchestrator.core.clock import Chance, Clock, SystemClock, system_chance
from data_source_orchestrator.core.context import Notes
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.durations import Seconds, count, seconds
from data_source_orchestrator.core.errors import ConfigurationError, FetchError, SourceFailedError
from data_source_orchestrator.core.events import Emit, Event, Events, Unheard
from data_source_orchestrator.core.listening import Listener
from data_source_orchestrator.core.outcome import Failure, Outcome, Success
from data_source_orchestrator.core.policies import (
    BreakerPolicy,
    BudgetPolicy,
    ChaosPolicy,
    HedgePolicy,
    LimitPolicy,
    RetryConfig,
)
from data_source_orchestrator.core.threads import FETCHER_THREAD, in_thread
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.resilience.alarms import Alarms
from data_source_orchestrator.resilience.attempt import ProgramExit
from data_source_orchestrator.resilience.breaker import CircuitBreaker
from data_source_orchestrator.resilience.budget import RetryBudget
from data_source_orchestrator.resilience.fetch import in_turn
from data_source_orchestrator.resilience.guard import Guard
from data_source_orchestrator.resilience.limits import Limits, scope_of
from data_source_orchestrator.resilience.retry import Retry
from data_source_orchestrator.resilience.suspects import Withheld

P = ParamSpec("P")
T = TypeVar("T")


def guard(  # noqa: PLR0913 — each is a setting of its own
    name: str = "call",
    *,
    timeout: Seconds = 30.0,
    attempt_timeout: Seconds | None = None,
    max_retries: int = 3,
    retry: RetryConfig = RetryConfig(),
    breaker: BreakerPolicy | CircuitBreaker = BreakerPolicy(),
    budget: BudgetPolicy | RetryBudget = BudgetPolicy(),
    limits: LimitPolicy | None = None,
    hedge: HedgePolicy | None = None,
    chaos: ChaosPolicy | None = None,
    clock: Clock | None = None,
    chance: Chance | None = None,
    on_event: Emit | None = None,
) -> "Guarded":
    """Return what makes calls safe; it is a decorator too.

    The order, from the outside in: deadline (`timeout`, over attempts and waits), retry, hedge, limits, breaker permit,
    attempt timeout, chaos, call. Times are in seconds. A `breaker` or `budget` that is handed in may be shared with
    others. `on_event` hears everything that happens, in a thread of its own: it may raise or take its time. Raises
    `ConfigurationError` for settings that cannot be meant.
    """
    clock = clock or SystemClock()
    chance = chance or system_chance()
    times = _checked(name, timeout, attempt_timeout)
    if isinstance(breaker, BreakerPolicy):
        breaker = CircuitBreaker(breaker, clock=clock, chance=chance)
    listener = None if on_event is None else Listener(on_event)
    made = Guard(
        name,
        breaker=breaker,
        budget=RetryBudget(budget) if isinstance(budget, BudgetPolicy) else budget,
        clock=clock,
        chance=chance,
        alarms=Alarms(clock),
        events=Unheard() if listener is None else _Told(listener),
    )
    if limits is not None:
        scope = scope_of(name, limits, clock)
        made.limit_by(Limits([scope]), scope.rate)
    made.hedge_by(hedge)
    made.stir_by(chaos)
    retries = retry.max_retries if retry.max_retries is not None else count(max_retries, f"{name}.max_retries")
    return Guarded(made, Retry(retry, retries), clock, *times, listener=listener)


class Guarded:
    """Calls that share a breaker and a budget: as outcomes by `call`, as values and exceptions where it decorates.

    An `async def` runs in the caller's task, any other function in a daemon thread. One that swallows its cancellation
    is abandoned a second after its time is up. A cancellation of the caller passes.
    """

    def __init__(  # noqa: PLR0913 — each is another thing that is handed in
        self,
        guard: Guard,
        retry: Retry,
        clock: Clock,
        timeout: float,
        attempt_timeout: float,
        *,
        listener: Listener | None = None,
    ) -> None:
        self.listener = listener
        """What hears `on_event`'s events, and how it fares; None where nobody listens."""
        self._guard = guard
        self._retry = retry
        self._clock = clock
        self._timeout = timeout
        self._attempt_timeout = attempt_timeout

    @property
    def breaker(self) -> CircuitBreaker:
        """The circuit breaker of these calls."""
        return self._guard.breaker

    @property
    def budget(self) -> RetryBudget:
        """What their retries and hedges are paid from."""
        return self._guard.budget

    @property
    def abandoned(self) -> int:
        """How many calls went on after they had been cancelled, and were left to themselves."""
        return self._guard.abandoned

    @overload
    async def call(
        self, function: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Outcome[T]: ...
    @overload
    async def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Outcome[T]: ...
    async def call(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Outcome[Any]:
        """Return how the call ended; it raises only a cancellation, or the wish to end the program."""
        wanted: _FunctionCall[Any] = _FunctionCall(self, function, args, kwargs)
        try:
            executed = await self._guard.run(wanted, self._retry)
        except ProgramExit as ended:
            raise ended.cause from None
        return executed.outcome

    @overload
    def __call__(self, function: Callable[P, Awaitable[T]], /) -> Callable[P, Coroutine[Any, Any, T]]: ...
    @overload
    def __call__(self, function: Callable[P, T], /) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __call__(self, function: Callable[..., Any], /) -> Callable[..., Coroutine[Any, Any, Any]]:
        """Return the function, made safe: it gives its value, or raises its last error.

        Where it was not called at all, as by an open breaker, it raises `SourceFailedError`.
        """

        @functools.wraps(function)
        async def guarded(*args: Any, **kwargs: Any) -> Any:
            return value_of(await self.call(function, *args, **kwargs))

        return guarded


def value_of(outcome: Outcome[T]) -> T:
    """Return an outcome's data, or raise what it failed with."""
    if isinstance(outcome, Success):
        return outcome.data
    if isinstance(outcome, Failure):
        raise outcome.error
    raise SourceFailedError(outcome)


class _FunctionCall(Generic[T]):
    """One execution of a function with its arguments; what it returns is accepted, whatever it is."""

    __slots__ = (
        "_args",
        "_cancellations",
        "_function",
        "_kwargs",
        "_task",
        "attempt_timeout",
        "deadline",
        "started",
        "threaded",
        "timeout",
    )

    withheld: Withheld | None = None

    def __init__(
        self, guarded: Guarded, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self._function = function
        self._args = args
        self._kwargs = kwargs
        clock = guarded._clock  # noqa: SLF001 — this is the guarded call's own other half
        self.started = started = clock.monotonic()
        self.timeout = guarded._timeout  # noqa: SLF001 — the same
        self.attempt_timeout = guarded._attempt_timeout  # noqa: SLF001 — the same
        self.deadline = Deadline(clock, started + self.timeout)
        self.threaded = not _is_async(function)
        self._task = asyncio.current_task() if self.threaded else None
        self._cancellations = 0 if self._task is None else self._task.cancelling()

    @property
    def unwanted(self) -> bool:
        """Whether the caller was cancelled, as far as that can be known: inside a thread there is no other scope."""
        return self._task is not None and self._task.cancelling() > self._cancellations

    def note_failure(self, kind: FailureKind) -> None:
        """Do nothing: a call by itself tells about itself."""

    def begin(self, number: int, notes: Notes) -> Coroutine[Any, Any, T]:  # noqa: ARG002 — a function takes its own arguments only
        """Call the function."""
        if not self.threaded:
            return self._function(*self._args, **self._kwargs)  # type: ignore[no-any-return]
        named = getattr(self._function, "__name__", "call")
        call = functools.partial(self._function, *self._args, **self._kwargs)
        return in_turn(in_thread(call, name=f"{FETCHER_THREAD}{named}"))

    def breach(self, payload: T) -> FetchError | None:  # noqa: ARG002 — whatever it is
        """Accept what the function returned."""
        return None


class _Told(Events):
    """Events that one listener hears."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def emit(self, event: Event) -> None:
        self._listener(event)

    def hears(self, kind: type[Event]) -> bool:  # noqa: ARG002 — all of them
        return True


def _is_async(function: Callable[..., Any]) -> bool:
    """Return whether calling it gives a coroutine; asked for every call, so the plainest case is looked at first."""
    code = getattr(function, "__code__", None)
    if code is not None and code.co_flags & inspect.CO_COROUTINE:
        return True
    called = getattr(type(function), "__call__", None)  # noqa: B004 — is it a coroutine method, not whether there is one
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)


def _checked(name: str, timeout: Seconds, attempt_timeout: Seconds | None) -> tuple[float, float]:
    whole = seconds(timeout, f"{name}.timeout")
    if attempt_timeout is None:
        return whole, math.inf
    one = seconds(attempt_timeout, f"{name}.attempt_timeout")
    if one > whole:
        raise ConfigurationError(
            f"{name}.attempt_timeout is {attempt_timeout!r} and {name}.timeout {timeout!r};"
            " an attempt cannot last longer than all of them together: lower the one or raise the other"
        )
    return whole, one
