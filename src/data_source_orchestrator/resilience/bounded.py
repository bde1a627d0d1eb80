"""A coroutine awaited for a limited time, inside the task that awaits it: no task, timer or future of its own.

Only one that suspends is watched. One that outlasts its cancellation by the grace is left to a task of its own. It
must not know what a source is, nor what an answer means.
"""

import asyncio
import contextlib
from abc import abstractmethod
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any, Generic, Self, TypeVar

from msgspec import Struct

from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.resilience.abandoned import live_on
from data_source_orchestrator.resilience.alarms import Alarms
from data_source_orchestrator.resilience.watch import Watch, Watched

TOO_LONG = 0.5
"""Seconds; a step that takes longer held up everybody else on the event loop."""

_OVER = object()
"""Waited for by a coroutine that has ended."""


class Bounds:
    """What many calls have in common: the clock, the alarms, and who hears of what should not be.

    `name` is that of the task in which an abandoned coroutine lives on.
    """

    def __init__(self, clock: Clock, alarms: Alarms, *, name: str) -> None:
        self.monotonic = clock.monotonic
        self.alarms = alarms
        self.name = name

    @abstractmethod
    def on_blocked(self, seconds: float) -> None:
        """Hear for how long a step held up the event loop."""


B = TypeVar("B", bound=Bounds)
W = TypeVar("W", bound=Watched)


class Bounded(Struct, Generic[B, W], eq=False, kw_only=True):
    """A coroutine that is awaited within the time of what it is made for.

    `start` makes the first step; only one that then waits for something has to be awaited, and watched meanwhile. When
    it is over, it has a `payload`, or holds the `error` that was raised, or its `watch` tells that it was cut, with
    whatever still came of it: nothing where it was abandoned, after so many seconds of waiting for its end. It
    lasted from `began` to `ended`, in seconds of the clock; `blocked` are the seconds of each step that held up the
    event loop.

    A cancellation of the caller reaches the coroutine, and passes on when that has ended with it. Where what it is made
    for is unwanted by then, it passes on however the coroutine ends, and at the latest when the grace is over.
    """

    made_by: B
    made_for: W
    coroutine: Any = None  # a Coroutine, from `start` on
    waited_for: Any = None
    payload: Any = None
    error: BaseException | None = None
    watch: Watch | None = None
    began: float = 0.0
    ended: float = 0.0
    blocked: tuple[float, ...] = ()
    abandoned_after: float | None = None

    @abstractmethod
    def begin(self) -> Coroutine[Any, Any, Any]:
        """Return the coroutine; called once, just before its first step."""

    @abstractmethod
    def judge(self) -> None:
        """Say what the end means, unless the caller's cancellation passes; it may raise."""

    @abstractmethod
    def settle(self) -> None:
        """Do what has to be done however it has ended; the last that is called."""

    def start(self) -> Self | None:
        """Make the first step, and return what has to be awaited then; None where that was all."""
        self.began = began = self.made_by.monotonic()
        self.coroutine = coroutine = self.begin()
        self.waited_for = self._step(coroutine.send, None)
        if self.waited_for is not _OVER:
            self._stepped(began)
            return self
        try:
            self.judge()
        finally:
            self._stepped(began)
            self.settle()
        return None

    def _stepped(self, since: float) -> None:
        """Take note that a step has ended; one that took too long held up the event loop."""
        self.ended = now = self.made_by.monotonic()
        if now - since > TOO_LONG:
            self.blocked += (now - since,)
            self.made_by.on_blocked(now - since)

    def _step(self, advance: Callable[[Any], Any], given: Any) -> Any:
        """Make a step; return what is waited for then, or that it is over."""
        try:
            return advance(given)
        except StopIteration as end:
            self.payload = end.value
        except BaseException as error:  # noqa: BLE001 — the one place: a fetcher may raise anything
            self.error = _without_our_frame(error)
        return _OVER

    def _watched_step(self, watch: Watch, advance: Callable[[Any], Any], given: Any) -> Any:
        """Make a later step, in which the watch must not interrupt the task."""
        since = self.made_by.monotonic()
        watch.stepping = True
        waited_for = self._step(advance, given)
        watch.stepping = False
        self._stepped(since)
        return waited_for

    def __await__(self) -> Generator[Any, Any, None]:
        """Drive the coroutine on, handing to the event loop whatever it waits for, until it ends or is given up."""
        bounds, coroutine, waited_for = self.made_by, self.coroutine, self.waited_for
        self.waited_for = None
        self.watch = watch = Watch(self.made_for, bounds.monotonic, bounds.alarms, began=self.began)
        try:
            while waited_for is not _OVER and not watch.given_up:
                if watch.due:
                    watch.due = False
                    waited_for = self._watched_step(watch, coroutine.throw, asyncio.CancelledError())
                    continue
                try:
                    if _ends_if_cancelled(waited_for):
                        yield waited_for
                    else:
                        yield from _past(waited_for, watch)
                except GeneratorExit:  # the caller itself was thrown away, and can wait for nothing
                    _close(coroutine)
                    raise
                except BaseException as error:  # noqa: BLE001 — what it waited for failed, or somebody cancels
                    if isinstance(error, asyncio.CancelledError) and watch.cancelled() and not _has_ended(waited_for):
                        break
                    waited_for = self._watched_step(watch, coroutine.throw, error)
                else:
                    waited_for = self._watched_step(watch, coroutine.send, None)
            passes_on = watch.passes_on(self.error)
            watch.end()
            if waited_for is not _OVER:
                self._leave_to_itself(coroutine, waited_for, watch)
            if passes_on:
                raise asyncio.CancelledError
            since = self.ended
            self.judge()
            self._stepped(since)
        finally:
            watch.end()  # again, where the caller was thrown away
            self.settle()

    def _leave_to_itself(self, coroutine: Coroutine[Any, Any, Any], waited_for: object, watch: Watch) -> None:
        self.ended = self.made_by.monotonic()
        self.abandoned_after = self.ended - (watch.ending_since or self.ended)
        live_on(coroutine, waited_for, name=self.made_by.name)


def _close(coroutine: Coroutine[Any, Any, Any]) -> None:
    with contextlib.suppress(Exception):  # one that refuses even this is left where it stands
        coroutine.close()


def _past(future: "asyncio.Future[Any]", watch: Watch) -> Generator[Any, Any, None]:
    """Wait for what may outlast its cancellation, as a task does, so that the wait itself can be left."""
    while not future.done():
        waiter = future.get_loop().create_future()
        wake = partial(_wake, waiter)
        future.add_done_callback(wake)
        try:
            yield from waiter
        except asyncio.CancelledError:
            if watch.cancelled() or not future.cancel():
                raise
        finally:
            future.remove_done_callback(wake)


def _ends_if_cancelled(waited_for: object) -> bool:
    """Return whether a cancellation ends this wait at once: a plain future does, a task or a gathering may not."""
    return waited_for is None or type(waited_for) is asyncio.Future or not asyncio.isfuture(waited_for)


def _has_ended(waited_for: object) -> bool:
    return not asyncio.isfuture(waited_for) or waited_for.done()


def _wake(waiter: "asyncio.Future[None]", _future: object) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _without_our_frame(error: BaseException) -> BaseException:
    """Return an error whose traceback begins where the coroutine does, and holds nothing of ours alive."""
    trace = error.__traceback__
    return error.with_traceback(trace.tb_next if trace else None)
