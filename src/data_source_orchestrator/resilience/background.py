"""Work that nobody waits for, and that all the same never outlives its owner (design decision 7).

It must not know what is done.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Hashable
from types import TracebackType
from typing import Any, Self

from data_source_orchestrator.core.waiting import to_their_end

_LOG = logging.getLogger("data_source_orchestrator")


def _tell(error: BaseException) -> None:
    _LOG.error("work in the background failed", exc_info=error)


class Background:
    """An async context manager; only inside of one is anything begun, and leaving the last one ends everything.

    It belongs to the event loop on which it was entered, and may be entered on several. `on_error` hears what a task
    raised; by default that is told in the log.
    """

    def __init__(self, *, on_error: Callable[[BaseException], None] = _tell) -> None:
        self._on_error = on_error
        self._entered: Counter[asyncio.AbstractEventLoop] = Counter()
        self._tasks: dict[tuple[asyncio.AbstractEventLoop, Hashable], asyncio.Task[Any]] = {}

    async def __aenter__(self) -> Self:
        self._entered[asyncio.get_running_loop()] += 1
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        loop = asyncio.get_running_loop()
        self._entered[loop] -= 1
        if self._entered[loop]:
            return
        del self._entered[loop]
        tasks = [task for (its_loop, _), task in self._tasks.items() if its_loop is loop]
        for task in tasks:
            task.cancel()
        await to_their_end(tasks)

    @property
    def open(self) -> bool:
        """Whether somebody is inside its context on the running event loop."""
        return asyncio.get_running_loop() in self._entered

    def start(
        self,
        name: Hashable,
        work: Callable[[], Coroutine[Any, Any, object]],
        *,
        may_begin: Callable[[], bool] = lambda: True,
    ) -> bool:
        """Begin work, unless some of that name is under way, and return whether it is under way now.

        None is begun where it is not open, nor where `may_begin`, which is asked only then, says so.
        """
        if not self.open:
            return False
        place = (asyncio.get_running_loop(), name)
        known = self._tasks.get(place)
        if known is not None and not known.done() and not known.cancelling():
            return True
        if not may_begin():
            return False
        task = self._tasks[place] = asyncio.create_task(work())
        task.add_done_callback(lambda ended: self._ended(place, ended))
        return True

    async def finish(self) -> bool:
        """Wait for what is under way on the running event loop, and return whether anything was.

        A caller who is cancelled waits no longer; the work goes on.
        """
        loop = asyncio.get_running_loop()
        tasks = [task for (its_loop, _), task in self._tasks.items() if its_loop is loop]
        if tasks:
            await asyncio.wait(tasks)
        return bool(tasks)

    def _ended(self, place: tuple[asyncio.AbstractEventLoop, Hashable], task: asyncio.Task[Any]) -> None:
        if self._tasks.get(place) is task:
            del self._tasks[place]
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, KeyboardInterrupt | SystemExit):  # these end the program
            self._on_error(error)
