"""Waits for a cache's store, which ought to be quick, and no longer than it may; a step that hangs is left to itself.

It must not know what is read or written.
"""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.errors import StoreError

R = TypeVar("R")

PATIENCE = 1.0
"""Seconds that a step is waited for at most, however far off the deadline is."""

SHARE = 0.25
"""The part of the time left that is waited before a call, which shall still have the rest."""

GRACE = 0.25
"""Seconds that are waited after a call even where its time is up: data may stand beside one that has timed out."""

HANGS = "it does not answer"


def before_a_call(deadline: Deadline | None) -> float:
    """Return for how many seconds a store may be waited for before a call is made."""
    return PATIENCE if deadline is None else min(PATIENCE, SHARE * deadline.remaining)


def after_a_call(deadline: Deadline | None) -> float:
    """Return for how many seconds a store may be waited for when a call has ended."""
    return PATIENCE if deadline is None else min(PATIENCE, max(GRACE, deadline.remaining))


class Patience:
    """Waits for one step of a store after another; while one hangs, it waits for no other."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._hanging: asyncio.Task[Any] | None = None

    @property
    def hangs(self) -> bool:
        """Whether something that was left to itself has still not come to an end, on the running event loop."""
        hanging = self._hanging
        return hanging is not None and not hanging.done() and hanging.get_loop() is asyncio.get_running_loop()

    async def wait_for(self, step: Coroutine[Any, Any, R], seconds: float) -> R:
        """Return what the step returns or raise what it raises; raise `StoreError` where it takes more seconds.

        A step that takes too long, or whose caller is cancelled, is cancelled; one that swallows that is waited for no
        longer either.
        """
        if self.hangs:
            step.close()
            raise StoreError(HANGS)
        task = asyncio.create_task(step)
        task.add_done_callback(_hear)
        if await self._ended(task, seconds):
            return _result(task)
        task.cancel()
        self._hanging = task
        raise StoreError(HANGS)

    async def _ended(self, task: asyncio.Task[Any], seconds: float) -> bool:
        """Wait that many seconds for the task's end; a cancelled caller cancels it, and waits as long for its end."""
        alarm: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = self._clock.call_later(seconds, partial(alarm.set_result, None))
        cancelled: asyncio.CancelledError | None = None
        try:
            while not (task.done() or alarm.done()):
                try:
                    await asyncio.wait({task, alarm}, return_when=asyncio.FIRST_COMPLETED)
                except asyncio.CancelledError as error:
                    cancelled = error
                    task.cancel()
        finally:
            timer.cancel()
        if cancelled is not None:
            raise cancelled
        return task.done()


def _hear(task: asyncio.Task[Any]) -> None:
    """Look at what a task raised, so that asyncio does not complain of one that everybody has left."""
    if not task.cancelled():
        task.exception()


def _result(task: asyncio.Task[R]) -> R:
    """Return what the task returned; a cancellation that nobody asked for is its own failure."""
    if task.cancelled():
        raise StoreError("its task was cancelled by somebody else")
    return task.result()
