"""An event loop whose time jumps to the next timer, so that no test ever waits.

What happens at the same virtual moment keeps asyncio's own order. Real threads and sockets still work: the loop
lets them finish before it jumps.
"""

import asyncio
import selectors
import threading
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

DEAD_WAIT = 20.0
"""Real seconds without a timer or a sign from outside, after which a wait is called dead."""

COURTESY = 0.05
"""Real seconds that a fetcher's thread is given to finish before time jumps past it."""

FETCHER_THREAD = "dso-fetcher"
"""How the names of the threads begin in which plain functions are run."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop that skips every wait; `time()` starts at 0."""

    def __init__(self) -> None:
        self._virtual = 0.0
        self._in_executor = 0
        super().__init__(_JumpingSelector(self))
        # Sums of floats may miss a timer's moment by a few ulps; a wider resolution lets it fire all the same.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Return the virtual seconds since the loop was made."""
        return self._virtual

    def jump(self, seconds: float) -> None:
        """Move on by that many seconds."""
        self._virtual += seconds

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]  # typeshed's TypeVarTuple says no more
        """Run in a thread; time stands still until it has finished."""
        future = super().run_in_executor(executor, func, *args)
        self._in_executor += 1
        future.add_done_callback(self._left_executor)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109 — the base class says so from Python 3.12 on
        """Wait for the executor's threads to end; time stands still meanwhile, so a limit means nothing."""
        self._in_executor += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self._in_executor -= 1

    def _left_executor(self, _future: asyncio.Future[Any]) -> None:
        self._in_executor -= 1

    def patience(self) -> float:
        """Return the real seconds to wait for a sign from outside before time may jump."""
        if self._in_executor:
            return DEAD_WAIT
        busy = any(thread.name.startswith(FETCHER_THREAD) for thread in threading.enumerate())
        return COURTESY if busy else 0.0


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            ready = super().select(DEAD_WAIT)
            if not ready:
                raise RuntimeError(f"a dead wait: no timer is set, and nothing came from outside in {DEAD_WAIT:g} s")
            return ready
        ready = super().select(self._loop.patience())
        if not ready:
            self._loop.jump(max(0.0, timeout))
        return ready


class VirtualClock:
    """The running loop's time as a `Clock`."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start

    def monotonic(self) -> float:
        """Return the running loop's virtual seconds."""
        return asyncio.get_running_loop().time()

    def now(self) -> datetime:
        """Return the start moved on by the running loop's virtual seconds."""
        return self._start + timedelta(seconds=self.monotonic())

    async def sleep(self, seconds: float) -> None:
        """Wait that many virtual seconds."""
        await asyncio.sleep(seconds)


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on a loop of its own, in no real time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
