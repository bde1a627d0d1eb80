"""An execution in a task of its own, for a caller who may be cancelled: only so is it known whom a cancellation means.

A task does not tell who cancels it, and a scope inside a fetcher cancels the task in which it runs.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from data_source_orchestrator.core.waiting import to_their_end

R = TypeVar("R")


class Unwantable(Protocol):
    """What can be made unwanted."""

    unwanted: bool


async def attended(call: Unwantable, execution: Coroutine[Any, Any, R]) -> R:
    """Return what an execution of this call returns; a cancelled caller makes it unwanted, and waits for its end."""
    task = asyncio.create_task(execution)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.done():
            call.unwanted = True
            task.cancel()
            await to_their_end([task])
        raise
