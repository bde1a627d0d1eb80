"""Waiting for what must not be left half-done."""

import asyncio
from collections.abc import Iterable
from typing import Any


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
