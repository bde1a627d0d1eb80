"""Runs a command's coroutine; Ctrl-C and SIGTERM cancel it once, so that what is finished can still be stored.

A second signal ends it wherever it stands.
"""

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from data_source_orchestrator.cli.failures import Terminated


def run(work: Coroutine[Any, Any, int]) -> int:
    """Return what the work returns; raise `KeyboardInterrupt` or `Terminated` where a signal ended it."""
    ending = _Ending()
    try:
        return asyncio.run(ending.attended(work))
    except (asyncio.CancelledError, KeyboardInterrupt):
        if ending.asked:
            raise Terminated from None
        raise


class _Ending:
    """Makes of SIGTERM what asyncio makes of Ctrl-C."""

    def __init__(self) -> None:
        self.asked = False

    async def attended(self, work: Coroutine[Any, Any, int]) -> int:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()

        def heard(_number: int, _frame: FrameType | None) -> None:
            if self.asked:
                raise KeyboardInterrupt
            self.asked = True
            if task is not None:
                loop.call_soon_threadsafe(task.cancel)

        with _handling(signal.SIGTERM, heard):
            return await work


@contextmanager
def _handling(number: signal.Signals, handler: Any) -> Iterator[None]:
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)
