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

from data_source_orchestrator.core.threads import FETCHER_THREAD
from data_source_orchestrator.testing.waiting import told_waits

T = TypeVar("T")

DEAD_WAIT = 20.0
"""Real seconds without a timer or a sign from outside, after which a wait for a thread or a socket is called dead."""

COURTESY = 0.05
"""Real seconds that a fetcher's thread is given to finish before time jumps past it."""

IDLE_THREAD = "asyncio_"
"""How the names of the executor's threads begin, which stay when their work is done."""


class DeadWaitError(RuntimeError):
    """Somebody waits for what can never come: no timer is set, and nothing outside the loop could wake it."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop that skips every wait; `time()` starts at 0.

    Raises `DeadWaitError`, naming who waits and where, as soon as nothing can ever wake it. `on_quiet` is called each
    time before time moves on, when all that could happen at one moment has happened; it must not raise.
    """

    _scheduled: list[asyncio.TimerHandle]  # asyncio's own

    def __init__(self) -> None:
        self.on_quiet: Callable[[], None] | None = None
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
        if self.on_quiet is not None:
            self.on_quiet()
        self._virtual += seconds

    def timers(self) -> int:
        """Return how many timers are set and not cancelled."""
        return sum(not timer.cancelled() for timer in self._scheduled)

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

    def may_be_woken(self) -> bool:
        """Return whether a thread or the executor could still wake the loop without a timer."""
        others = (thread for thread in threading.enumerate() if thread is not threading.current_thread())
        return bool(self._in_executor) or any(not thread.name.startswith(IDLE_THREAD) for thread in others)


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            # A thread may have answered and ended since the look above: only what it sent before that is still to come.
            ready = super().select(DEAD_WAIT if self._sockets or self._loop.may_be_woken() else 0)
            if not ready:
                raise DeadWaitError(
                    f"a dead wait: no timer is set, and nothing comes from outside; {told_waits(self._loop)}"
                )
            return ready
        ready = super().select(self._loop.patience())
        if not ready:
            self._loop.jump(max(0.0, timeout))
        return ready

    @property
    def _sockets(self) -> bool:
        """Whether anything is listened to beside the pipe by which threads wake the loop."""
        return len(self.get_map()) > 1


class VirtualClock:
    """The running loop's time as a `Clock`."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._loop: asyncio.AbstractEventLoop | None = None

    def monotonic(self) -> float:
        """Return the running loop's virtual seconds; in a thread, those of the loop that has asked last."""
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            if self._loop is None:
                raise
        return self._loop.time()

    def now(self) -> datetime:
        """Return the start moved on by the running loop's virtual seconds."""
        return self._start + timedelta(seconds=self.monotonic())

    async def sleep(self, seconds: float) -> None:
        """Wait that many virtual seconds."""
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        """Call after that many virtual seconds."""
        return asyncio.get_running_loop().call_later(seconds, call)


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on a loop of its own, in no real time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
