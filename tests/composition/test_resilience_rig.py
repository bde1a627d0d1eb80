"""A guard on virtual time and a fetcher that plays a script, for the tests of guarded calls beside it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from data_source_orchestrator.core.clock import Chance, Clock
from data_source_orchestrator.core.context import FetchContext, HttpClient, Warn
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.events import Event
from data_source_orchestrator.core.outcome import Executed, Failure, Skipped, Success
from data_source_orchestrator.core.policies import BreakerPolicy, BudgetPolicy, ChaosPolicy, HedgePolicy, RetryConfig
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.resilience.alarms import Alarms
from data_source_orchestrator.resilience.attended import attended
from data_source_orchestrator.resilience.breaker import CircuitBreaker
from data_source_orchestrator.resilience.budget import RetryBudget
from data_source_orchestrator.resilience.guard import Guard
from data_source_orchestrator.resilience.retry import Retry
from data_source_orchestrator.resilience.wanted import ProbeCall, SourceCall
from data_source_orchestrator.testing import VirtualClock

E = TypeVar("E", bound=Event)

PLAIN = RetryConfig(jitter=False)


class Middle:
    """Chance that always gives 0.5, so that ±25 % comes to nothing."""

    def random(self) -> float:
        return 0.5


class Script:
    """A fetcher that plays one line per call, the last one again and again, and notes when it was called.

    A line is an error to raise, a coroutine function to await (with the context), or a value to return.
    """

    def __init__(self, clock: Clock, *lines: object) -> None:
        self.clock = clock
        self.lines = lines
        self.calls: list[float] = []

    async def __call__(self, ctx: FetchContext) -> object:
        self.calls.append(self.clock.monotonic())
        line = self.lines[min(len(self.calls), len(self.lines)) - 1]
        if isinstance(line, BaseException):
            raise line
        if callable(line):
            return await cast("Callable[[FetchContext], Awaitable[object]]", line)(ctx)
        return line


def lasting(seconds: float, result: object = "data") -> Callable[[FetchContext], Awaitable[object]]:
    async def line(_ctx: FetchContext) -> object:
        await asyncio.sleep(seconds)
        if isinstance(result, BaseException):
            raise result
        return result

    return line


async def swallowing(_ctx: FetchContext) -> object:
    """Go on for 100 s whatever is asked of it."""
    until = asyncio.get_running_loop().time() + 100
    while (left := until - asyncio.get_running_loop().time()) > 0:
        try:
            await asyncio.sleep(left)
        except asyncio.CancelledError:
            continue
    return "too late"


class Heard(list[Event]):
    """Every event, in order."""

    def emit(self, event: Event) -> None:
        self.append(event)

    def hears(self, _kind: type[Event]) -> bool:
        return True


class Rig:
    """A guard with everything that it is handed."""

    def __init__(  # noqa: PLR0913 — each is another thing that a guard is handed
        self,
        clock: Clock | None = None,
        *,
        breaker: BreakerPolicy = BreakerPolicy(),
        budget: BudgetPolicy = BudgetPolicy(),
        chance: Chance | None = None,
        hedge: HedgePolicy | None = None,
        chaos: ChaosPolicy | None = None,
    ) -> None:
        self.clock: Clock = clock or VirtualClock()
        self.began = self.clock.now()
        self.events = Heard()
        chance = chance or Middle()
        self.breaker = CircuitBreaker(breaker, clock=self.clock, chance=chance)
        self.budget = RetryBudget(budget)
        self.guard = Guard(
            "prices",
            breaker=self.breaker,
            budget=self.budget,
            clock=self.clock,
            chance=chance,
            alarms=Alarms(self.clock),
            events=self.events,
        )
        self.guard.hedge_by(hedge)
        if chaos is not None:
            self.guard.stir_by(chaos)

    def script(self, *lines: object) -> Script:
        return Script(self.clock, *lines)

    def context(self, call: SourceCall[Any], attempt: int, warn: Warn) -> FetchContext:
        return FetchContext(
            http=cast("HttpClient", None),
            deadline=call.deadline,
            attempt=attempt,
            clock=self.clock,
            log=logging.getLogger("test"),
            warn=warn,
        )

    def wanted(
        self, fetcher: Any, *, deadline: Deadline | None = None, within: float | None = None, **members: Any
    ) -> SourceCall[Any]:
        source = fetcher if isinstance(fetcher, Source) else Source(key="prices", fetcher=fetcher, **members)
        own = in_seconds(source.timeout)
        until = deadline or Deadline.after(self.clock, own if within is None else min(own, within))
        call = self.guard.calls.of(source.fetcher)
        return SourceCall(source, call, deadline=until, started=self.clock.monotonic(), make_context=self.context)

    async def execute(
        self, fetcher: Any, *, retries: int = 3, retry: RetryConfig = PLAIN, **members: Any
    ) -> Executed[Any]:
        call = self.wanted(fetcher, **members)
        return await attended(call, self.guard.run(call, Retry(retry, retries)))

    async def check(
        self, fetcher: Any, *, operator: bool = False, within: float = 60.0, **members: Any
    ) -> Executed[Any]:
        source = Source(key="prices", fetcher=fetcher, **members)
        deadline = Deadline.after(self.clock, within)
        call = ProbeCall(
            source,
            self.guard.calls.of(source.probe or source.fetcher),
            deadline=deadline,
            started=self.clock.monotonic(),
            make_context=self.context,
        )
        return await self.guard.check(call, operator=operator)

    async def trip(self) -> None:
        """Fail until the breaker opens."""
        while self.breaker.state == "closed":
            await self.execute(self.script(ConnectionError("down")), retries=0)
        self.events.clear()

    def told(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]


def success(executed: Executed[Any]) -> Success[Any]:
    assert isinstance(executed.outcome, Success), executed.outcome
    return executed.outcome


def failure(executed: Executed[Any]) -> Failure:
    assert isinstance(executed.outcome, Failure), executed.outcome
    return executed.outcome


def skipped(executed: Executed[Any]) -> Skipped:
    assert isinstance(executed.outcome, Skipped), executed.outcome
    return executed.outcome


async def test_a_script_plays_its_last_line_again_and_again():
    rig = Rig()
    script = rig.script("a", "b")
    assert [success(await rig.execute(script)).data for _ in range(3)] == ["a", "b", "b"]
