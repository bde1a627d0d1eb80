"""Modelled upstreams: each call answers after its latency, or does what the fault in force says.

- `offline` is our own network, which is down: nothing is reached, and the connection breaks off after `seconds`
- `slow` answers after `seconds`; `fail` raises a `FetchError` of a kind then; `raise` an ordinary error of the network
- `hang` never answers; `stubborn` swallows its cancellation and goes on for `seconds`; `tidy` is cancelled, but takes
  `seconds` over tidying up
- `none` returns None; `base` raises a `BaseException`; `cancelled` raises a `CancelledError` that nobody asked for;
  `exit` asks the program to end
"""

import asyncio
import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from data_source_orchestrator.core.clock import Chance, system_chance
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.simulation.world import EVERYBODY, Fault, SourcePlan, World


class RogueError(BaseException):
    """What a badly behaved fetcher raises past every `except Exception`."""


@dataclass(slots=True, eq=False)
class Call:
    """One call of an upstream; `period` is what its source's breaker was at when it began."""

    source: str
    number: int
    began: float
    period: object
    check: bool
    upstream: "Upstream"
    task: asyncio.Task[Any] | None
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
        chance: Chance,
        calls: list[Call],
        period: Callable[[], object],
        *,
        check: bool = False,
    ) -> None:
        self._plan = plan
        self._faults = faults
        self._chance = chance
        self._calls = calls
        self._period = period
        self._check = check

    async def __call__(self) -> Any:
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
        )
        self._calls.append(call)
        try:
            return await self._behave(call)
        except asyncio.CancelledError:
            call.cancelled_at = loop.time() if call.cancelled_at is None else call.cancelled_at
            raise
        finally:
            call.ended = loop.time()

    async def _behave(self, call: Call) -> Any:
        fault = self._fault(call.began)
        if fault is None:
            return await self._answer(call, self._plan.latency)
        call.does, call.kind = fault.does, fault.kind if fault.does == "fail" else call.kind
        match fault.does:
            case "slow":
                return await self._answer(call, fault.seconds)
            case "hang":
                return await asyncio.get_running_loop().create_future()
            case "stubborn":
                return await _stubborn(call, fault.seconds)
            case "tidy":
                return await _tidy(call, fault.seconds)
            case _:
                await asyncio.sleep(fault.seconds)
                return _broken(fault)

    async def _answer(self, call: Call, after: float) -> Any:
        await asyncio.sleep(after)
        call.answered = True
        return call.source, call.number

    def _fault(self, now: float) -> Fault | None:
        """Return the first fault that is in force and strikes; each draws its own lot."""
        in_force = (fault for fault in self._faults if fault.begins <= now < fault.ends)
        return next((fault for fault in in_force if self._chance.random() < fault.share), None)


def upstreams_of(
    world: World, plan: SourcePlan, calls: list[Call], period: Callable[[], object]
) -> tuple[Upstream, Upstream]:
    """Return a source's fetcher and its check, each with a chance of its own that no other source shares."""
    ours = tuple(fault for fault in world.faults if fault.source == EVERYBODY)
    faults = (*ours, *(fault for fault in world.faults if fault.source == plan.key))
    number = sum(ord(letter) * 31**place for place, letter in enumerate(plan.key))
    fetcher, check = (system_chance(world.seed * 1_000_003 + 2 * number + each) for each in range(2))
    return (
        Upstream(plan, faults, fetcher, calls, period),
        Upstream(plan, faults, check, calls, period, check=True),
    )


def _broken(fault: Fault) -> None:
    """Raise what a fault says; `none` is what is left."""
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
        case _:
            return


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
