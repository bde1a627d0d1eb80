"""A hedge on virtual time and calls that play a script, for the tests of hedged calls beside it."""

import asyncio
from dataclasses import dataclass

from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.policies import BudgetPolicy, HedgePolicy
from data_source_orchestrator.core.verdicts import FailureKind, Verdict
from data_source_orchestrator.resilience.budget import RetryBudget
from data_source_orchestrator.resilience.classify import Failed
from data_source_orchestrator.resilience.hedge import Hedge
from data_source_orchestrator.resilience.latencies import Latencies
from data_source_orchestrator.testing import VirtualClock


@dataclass(frozen=True)
class Answer:
    """What a call answered."""

    payload: object


Result = Answer | Failed


@dataclass(frozen=True)
class Ended:
    """How a call ended."""

    number: int
    result: Result
    verdict: Verdict
    duration: float

    @property
    def failed(self) -> Failed | None:
        return self.result if isinstance(self.result, Failed) else None


def failed(kind: str, *, retryable: bool = True, retry_after: float | None = None) -> Failed:
    return Failed(kind=FailureKind(kind), error=FetchError(kind), retryable=retryable, retry_after=retry_after)


SUCCESS = Answer("data")
TRANSIENT = failed("server")
FATAL = failed("client", retryable=False)
PUSHED_BACK = failed("rate_limited", retry_after=7.0)
TIMED_OUT = failed("timeout")


@dataclass(frozen=True)
class Line:
    """A call that takes so many seconds, or is stubborn and takes that many more when it is cancelled."""

    seconds: float
    result: Result | BaseException = SUCCESS
    verdict: Verdict | None = None
    stubborn: float = 0.0
    late: Result | None = None


class Rig:
    """A hedge with all that it is handed, and two calls with their script."""

    def __init__(self, *lines: Line, policy: HedgePolicy | None = None, tokens: int = 500) -> None:
        self.clock = VirtualClock()
        self.lines = lines
        self.budget = RetryBudget(BudgetPolicy(tokens=tokens))
        self.latencies = Latencies()
        self.hedged: list[float] = []
        self.hedge = Hedge(
            policy or HedgePolicy(delay=1),
            budget=self.budget,
            clock=self.clock,
            latencies=self.latencies,
            on_hedge=self.hedged.append,
        )
        self.calls: list[tuple[int, float]] = []
        self.lost: list[int] = []
        self.cancelled: list[int] = []
        self.running = 0

    async def run(self, within: float = 100.0) -> Ended:
        deadline = Deadline.after(self.clock, within)
        return await self.hedge.run(self.call, deadline=deadline, on_lost=self.lost.append)

    async def call(self, number: int) -> Ended:
        self.calls.append((number, self.clock.monotonic()))
        line = self.lines[number - 1]
        began = self.clock.monotonic()
        self.running += 1
        try:
            result = await self._play(line, number)
        finally:
            self.running -= 1
        verdict = line.verdict or (Verdict.FAILURE if isinstance(result, Failed) else Verdict.SUCCESS)
        return Ended(number, result, verdict, self.clock.monotonic() - began)

    async def _play(self, line: Line, number: int) -> Result:
        try:
            await asyncio.sleep(line.seconds)
        except asyncio.CancelledError:
            self.cancelled.append(number)
            if line.stubborn:
                await asyncio.sleep(line.stubborn)
            if line.late is None:
                raise
            return line.late
        if isinstance(line.result, BaseException):
            raise line.result
        return line.result

    @property
    def now(self) -> float:
        return self.clock.monotonic()


def others() -> set[asyncio.Task[object]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


def nothing_is_left(rig: Rig) -> bool:
    """Return whether no call, task, timer or cancellation outlived the hedged call."""
    loop = asyncio.get_running_loop()
    timers = [timer for timer in loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
    task = asyncio.current_task()
    return not rig.running and not others() and not timers and task is not None and not task.cancelling()


async def test_a_rigs_calls_take_their_time_and_end_as_written():
    rig = Rig(Line(3), Line(2, TRANSIENT))
    assert (await rig.call(1)).duration == 3
    assert (await rig.call(2)).verdict is Verdict.FAILURE
    assert rig.now == 5
