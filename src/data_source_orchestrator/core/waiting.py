"""Waiting for what must not be left half-done, and no longer than is good for what may never be done."""

import asyncio
import contextlib
from collections.abc import Awaitable, Iterable
from functools import partial
from typing import Any, TypeVar

from data_source_orchestrator.core.clock import Clock

R = TypeVar("R")


async def to_their_end(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Wait until all have ended, cancelled or not; a cancellation that came meanwhile passes when they have."""
    interruption: asyncio.CancelledError | None = None
    pending = [task for task in tasks if not task.done()]
    while pending:
        try:
            await asyncio.wait(pending)
        except asyncio.CancelledError as error:
            interruption = error
        pending = [task for task in pending if not task.done()]
    if interruption is not None:
        raise interruption


async def within(seconds: float, work: Awaitable[R], clock: Clock) -> R:
    """Return what work returns, or raise `TimeoutError` when it has taken so many seconds.

    It is cancelled then, and left to itself. A cancellation passes when the work has ended with it, or with the time.
    """
    task = asyncio.ensure_future(work)
    late: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    timer = clock.call_later(seconds, partial(late.set_result, None))
    try:
        await asyncio.wait((task, late), return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait((task, late), return_when=asyncio.FIRST_COMPLETED)
        raise
    finally:
        timer.cancel()
        if not task.done():
            task.add_done_callback(_unheard)
            with contextlib.suppress(RuntimeError):  # its loop is closed
                task.cancel()
    if not task.done():
        raise TimeoutError(f"no end within {seconds:g} s")
    return task.result()


def _unheard(task: "asyncio.Future[Any]") -> None:
    """Look at what came of it too late, so that asyncio does not complain that nobody did."""
    if not task.cancelled():
        task.exception()
