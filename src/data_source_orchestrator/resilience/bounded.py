"""One attempt, bounded by time: cut at its limit or at the deadline, given a grace to end, then abandoned.

It must not know what a source is, nor what an answer means.
"""

import asyncio
import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.resilience.fetch import Answer, Raised
from data_source_orchestrator.resilience.steps import Steps

T = TypeVar("T")

GRACE = 1.0
"""Seconds that a cancelled fetcher is given to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut(Generic[T]):
    """Time was up at that moment of the clock; `late` is what still came of it, None where it was abandoned."""

    at: float
    by_deadline: bool
    late: Answer[T] | Raised | None = None


class BoundedAttempt(Generic[T]):
    """A fetch in a task of its own, for at most `limit` seconds and never past a deadline, which may be put off.

    `on_abandoned` hears the seconds that were waited in vain for its end.
    """

    def __init__(
        self,
        steps: Steps[Answer[T] | Raised],
        *,
        clock: Clock,
        deadline: Deadline,
        limit: float | None,
        on_abandoned: Callable[[float], None],
    ) -> None:
        self._steps = steps
        self._clock = clock
        self._deadline = deadline
        self._limit_at = math.inf if limit is None else clock.monotonic() + limit
        self._on_abandoned = on_abandoned
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[Cut[T] | None] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None

    async def run(self) -> Answer[T] | Raised | Cut[T]:
        """Return what came of it; where the caller is cancelled, the fetch is ended before that passes on."""
        task = self._loop.create_task(self._steps)
        try:
            cut = await self._over_or_cut(task)
        except asyncio.CancelledError:
            await self._end(task)
            raise
        except GeneratorExit:  # the caller itself was thrown away, and can wait for nothing
            with contextlib.suppress(RuntimeError):  # its loop is closed
                task.cancel()
            raise
        if cut is None or task.done():
            return _result(task)
        interrupted = await self._end(task)
        if interrupted is not None:
            raise interrupted
        return Cut(at=cut.at, by_deadline=cut.by_deadline, late=_result(task) if task.done() else None)

    async def _over_or_cut(self, task: asyncio.Task[Any]) -> Cut[T] | None:
        """Wait for the task's end or for the time, whichever comes first."""
        task.add_done_callback(self._ended)
        unwatch = self._deadline.watch(self._set_timer)
        self._set_timer(self._deadline.at)
        try:
            return await self._over
        finally:
            unwatch()
            if self._timer is not None:
                self._timer.cancel()

    def _set_timer(self, deadline_at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        at = min(self._limit_at, deadline_at)
        cut: Cut[T] = Cut(at=at, by_deadline=at < self._limit_at)
        self._timer = self._loop.call_later(max(0.0, at - self._clock.monotonic()), self._settle, cut)

    def _ended(self, _task: asyncio.Task[Any]) -> None:
        self._settle(None)

    def _settle(self, cut: Cut[T] | None) -> None:
        if not self._over.done():
            self._over.set_result(cut)

    async def _end(self, task: asyncio.Task[Any]) -> asyncio.CancelledError | None:
        """Cancel the task and wait for its end, at most the grace; return a cancellation that came meanwhile."""
        interrupted = None
        began = self._loop.time()
        task.cancel()
        while not task.done() and (left := began + GRACE - self._loop.time()) > 0:
            try:
                await asyncio.wait([task], timeout=left)
            except asyncio.CancelledError as error:
                interrupted = error  # it gets its way when the grace is over, at the latest
        if not task.done():
            self._steps.let_go()
            self._on_abandoned(self._loop.time() - began)
        return interrupted


def _result(task: asyncio.Task[Answer[T] | Raised]) -> Answer[T] | Raised:
    """Return what a finished task ended with; one cancelled before its first step raised nothing of its own."""
    return Raised(asyncio.CancelledError()) if task.cancelled() else task.result()
