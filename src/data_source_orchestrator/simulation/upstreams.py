"""Modelled upstreams: each call answers after its latency, or does what the fault in force says.

- `offline` is our own network, which is down: nothing is reached, and the connection breaks off after `seconds`
- `slow` answers after `seconds`; `fail` raises a `FetchError` of a kind then; `raise` an ordinary error of the network
- `hang` never answers; `stubborn` swallows its cancellation and goes on for `seconds`; `tidy` is cancelled, but takes
  `seconds` over tidying up
- `none` returns None; `breach` what no contract accepts; `base` raises a `BaseException`; `cancelled` raises a
  `CancelledError` that nobody asked for; `exit` asks the program to end

One with a quota answers no call beyond it, whatever its faults say.
"""

import asyncio
import errno
from collections.abc import Callable, MutableSequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from data_source_orchestrator.core.allowance import Allowance
from data_source_orchestrator.core.context import FetchContext
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.simulation.draws import Lots
from data_source_orchestrator.simulation.quotas import Quotas, UpstreamQuota
from data_source_orchestrator.simulation.world import EVERYBODY, Fault, SourcePlan, World

ASKED_BY: ContextVar[object] = ContextVar("asked_by", default=None)
"""Who asks, to whom calls that are shared belong as well: a flight keeps the context of whoever wanted it first."""

Observe = Callable[[str, Allowance], None]
"""Hears what a source's upstream says is left, as the engine's own client tells it."""


class RogueError(BaseException):
    """What a badly behaved fetcher raises past every `except Exception`."""


@dataclass(slots=True, eq=False)
class Call:
    """One call of an upstream; `period` is what its source's breaker was at when it began.

    Calls of one execution share what is in `execution`. `beside` are those that were under way at any upstream when it
    began, itself not among them. It `spoke` where it ended as its upstream wanted. `wait` is how long it asked to be
    left alone when it ended, and `overdrawn` whether it was refused although the upstream had told before how many
    calls were left.
    """

    source: str
    number: int
    began: float
    period: object
    check: bool
    upstream: "Upstream"
    task: asyncio.Task[Any] | None
    execution: object = None
    attempt: int = 1
    asked_by: object = None
    beside: "tuple[Call, ...]" = ()
    spoke: bool = False
    wait: float | None = None
    overdrawn: bool = False
    does: str = "answer"
    kind: str = "timeout"
    cancelled_at: float | None = None
    ended: float | None = None
    answered: bool = False

    @property
    def lingers(self) -> bool:
        """Whether it goes on although it was cancelled."""
        return self.ended is None and self.cancelled_at is not None


class Upstream:
    """A source's fetcher, or its `check`; its answer names the source and the call, so that a mix-up shows."""

    def __init__(  # noqa: PLR0913 — each is another thing that is handed in
        self,
        plan: SourcePlan,
        faults: tuple[Fault, ...],
        lots: Lots,
        calls: MutableSequence[Call],
        period: Callable[[], object],
        *,
        check: bool = False,
        quota: UpstreamQuota | None = None,
        observe: Observe | None = None,
    ) -> None:
        self._plan = plan
        self._faults = faults
        self._lots = lots
        self._calls = calls
        self._period = period
        self._check = check
        self._quota = quota
        self._observe = observe

    async def __call__(self, ctx: FetchContext) -> Any:
        """Be asked."""
        loop = asyncio.get_running_loop()
        call = Call(
            source=self._plan.key,
            number=len(self._calls),
            began=loop.time(),
            period=self._period(),
            check=self._check,
            upstream=self,
            task=asyncio.current_task(),
            execution=ctx.deadline,
            attempt=ctx.attempt,
            asked_by=ASKED_BY.get(),
            beside=tuple(other for other in self._calls if other.ended is None),
        )
        self._calls.append(call)
        try:
            return await self._behave(call)
        except asyncio.CancelledError:
            if not call.spoke and call.cancelled_at is None:
                call.cancelled_at = loop.time()
            raise
        finally:
            call.ended = loop.time()

    async def _behave(self, call: Call) -> Any:
        fault = self._fault(call.began)
        arrives = fault is None or fault.does != "offline"
        if arrives and self._quota is not None and not self._quota.count(call.began):
            return await self._refuse(call, self._quota)
        if fault is None or fault.does == "slow":
            return await self._answer(call, self._plan.latency if fault is None else fault.seconds)
        call.does, call.kind = fault.does, fault.kind if fault.does == "fail" else call.kind
        match fault.does:
            case "hang":
                return await asyncio.get_running_loop().create_future()
            case "stubborn":
                return await _stubborn(call, fault.seconds)
            case "tidy":
                return await _tidy(call, fault.seconds)
            case _:
                await asyncio.sleep(fault.seconds)
                call.spoke, call.wait = True, fault.retry_after if fault.does == "fail" else None
                return _broken(fault)

    async def _answer(self, call: Call, after: float) -> Any:
        await asyncio.sleep(after)
        self._tell_rest()
        call.spoke = call.answered = True
        return call.source, call.number

    async def _refuse(self, call: Call, quota: UpstreamQuota) -> Any:
        call.does, call.kind, call.overdrawn = "fail", FailureKind.RATE_LIMITED.value, quota.told_in_window
        await asyncio.sleep(self._plan.latency)
        self._tell_rest()
        refusal = quota.refusal(asyncio.get_running_loop().time())
        call.spoke, call.wait = True, refusal.retry_after
        raise refusal

    def _tell_rest(self) -> None:
        rest = self._quota.rest(asyncio.get_running_loop().time()) if self._quota is not None else None
        if rest is not None and self._observe is not None:
            self._observe(self._plan.key, rest)

    def _fault(self, now: float) -> Fault | None:
        """Return the first fault that is in force and strikes; each draws its own lot."""
        chance = self._lots.at(now)
        in_force = (fault for fault in self._faults if fault.begins <= now < fault.ends)
        return next((fault for fault in in_force if chance.random() < fault.share), None)


def upstreams_of(  # noqa: PLR0913, PLR0917 — each is another thing that is handed in
    world: World, plan: SourcePlan, calls: list[Call], period: Callable[[], object], quotas: Quotas, observe: Observe
) -> tuple[Upstream, Upstream]:
    """Return a source's fetcher and its check, each with lots of its own; a check uses up no quota."""
    ours = tuple(fault for fault in world.faults if fault.source == EVERYBODY)
    faults = (*ours, *(fault for fault in world.faults if fault.source == plan.key))
    number = sum(ord(letter) * 31**place for place, letter in enumerate(plan.key))
    fetcher, check = (Lots(world.seed * 1_000_003 + 2 * number + each) for each in range(2))
    return (
        Upstream(plan, faults, fetcher, calls, period, quota=quotas.of(plan), observe=observe),
        Upstream(plan, faults, check, calls, period, check=True),
    )


def _broken(fault: Fault) -> tuple[()] | None:
    """Raise what a fault says, or return what is no data."""
    match fault.does:
        case "fail":
            raise FetchError(fault.kind, "modelled", retry_after=fault.retry_after)
        case "raise":
            raise ConnectionResetError("modelled")
        case "offline":
            raise OSError(errno.ENETUNREACH, "modelled")
        case "base":
            raise RogueError
        case "cancelled":
            raise asyncio.CancelledError
        case "exit":
            raise SystemExit("modelled")
        case "breach":
            return ()
        case _:
            return None


async def _stubborn(call: Call, seconds: float) -> Any:
    loop = asyncio.get_running_loop()
    try:
        await loop.create_future()
    except asyncio.CancelledError:
        call.cancelled_at = loop.time()
    until = loop.time() + seconds
    while loop.time() < until:
        try:
            await asyncio.sleep(until - loop.time())
        except asyncio.CancelledError:
            continue
    call.answered = True
    return call.source, call.number


async def _tidy(call: Call, seconds: float) -> Any:
    loop = asyncio.get_running_loop()
    try:
        await loop.create_future()
    except asyncio.CancelledError:
        call.cancelled_at = loop.time()
        await asyncio.sleep(seconds)
        raise
