"""One call under way for each key, shared by everybody who wants it at that moment (after Go's singleflight).

It ends with its last waiter, whose cancellation cancels the call and waits for its end. It must not know what is
called, nor keep any result.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.core.waiting import to_their_end
from data_source_orchestrator.resilience.wording import UNASKED_CANCELLATION

R = TypeVar("R")

Place = tuple[asyncio.AbstractEventLoop, Hashable]
"""Where at most one call is under way: an event loop, and a key."""


class _Shared(Generic[R]):
    """A call under way, and how many wait for it."""

    __slots__ = ("place", "task", "waiters")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.waiters = 0
        self.task: asyncio.Task[R]


class SingleFlight(Generic[R]):
    """Shares calls among those who wait for the same key on the same event loop."""

    def __init__(self) -> None:
        self._under_way: dict[Place, _Shared[R]] = {}

    async def run(self, key: Hashable, call: Callable[[], Awaitable[R]]) -> R:
        """Wait for the call of this key, beginning it if there is none; what it raises is raised for all who wait."""
        shared = self._join(key, call)
        try:
            await asyncio.wait([shared.task])
        except asyncio.CancelledError:
            if self._leave(shared):
                await to_their_end([shared.task])
            raise
        except GeneratorExit:  # the caller itself was thrown away, and can wait for nothing
            with contextlib.suppress(RuntimeError):  # its loop is closed
                self._leave(shared)
            raise
        self._leave(shared)
        return _result(shared.task)

    def _join(self, key: Hashable, call: Callable[[], Awaitable[R]]) -> _Shared[R]:
        place = (asyncio.get_running_loop(), key)
        shared = self._under_way.get(place)
        if shared is None or shared.task.done():
            shared = self._under_way[place] = _Shared(place)
            shared.task = asyncio.create_task(_made(call))
            shared.task.add_done_callback(lambda task: self._landed(shared, task))
        shared.waiters += 1
        return shared

    def _leave(self, shared: _Shared[R]) -> bool:
        """Wait no longer; return whether that cancelled the call, because nobody else does."""
        shared.waiters -= 1
        if shared.waiters or shared.task.done():
            return False
        self._forget(shared)  # at once, so that nobody joins a call that is ending
        shared.task.cancel()
        return True

    def _landed(self, shared: _Shared[R], task: asyncio.Task[R]) -> None:
        self._forget(shared)
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio does not complain of one that everybody has left

    def _forget(self, shared: _Shared[R]) -> None:
        if self._under_way.get(shared.place) is shared:
            del self._under_way[shared.place]


async def _made(call: Callable[[], Awaitable[R]]) -> R:
    return await call()


def _result(task: asyncio.Task[R]) -> R:
    """Return what the call returned; a cancellation that no waiter asked for is its own mistake."""
    if task.cancelled():
        raise FetchError(FailureKind.BUG, UNASKED_CANCELLATION)
    return task.result()
