"""A coroutine awaited for a limited time, inside the task that awaits it: no task, timer or future of its own.

Only one that suspends is watched. One that outlasts its cancellation by the grace is left to a task of its own. It
must not know what a source is, nor what an answer means.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any, Generic, TypeVar, cast

from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.resilience.abandoned import live_on
from data_source_orchestrator.resilience.alarms import Alarms
from data_source_orchestrator.resilience.watch import Watch, Watched

T = TypeVar("T")

TOO_LONG = 0.5
"""Seconds; a step that takes longer held up everybody else on the event loop."""

_OVER = object()
"""Waited for by a coroutine that has ended."""


class Bounds:
    """What the calls of one guard have in common: the clock, the alarms, and who hears of what should not be.

    `on_blocked` hears the seconds for which a step held up the event loop. `name` is that of the task in which an
    abandoned coroutine lives on.
    """

    __slots__ = ("alarms", "clock", "name", "on_blocked")

    def __init__(self, clock: Clock, alarms: Alarms, *, name: str, on_blocked: Callable[[float], None]) -> None:
        self.clock = clock
        self.alarms = alarms
        self.name = name
        self.on_blocked = on_blocked


class Bounded(Generic[T]):
    """A coroutine that is awaited within the time of what it is made for.

    After `await`, it has a `payload`, or holds the `error` that was raised, or its `watch` tells that it was cut, with
    whatever still came of it: nothing where it was abandoned, after so many seconds of waiting for its end. It
    lasted from `began` to `ended`, in seconds of the clock; `blocked` are the seconds of each step that held up the
    event loop.

    A cancellation of the caller reaches the coroutine, and passes on when that has ended with it. Where what it is made
    for is unwanted by then, it passes on however the coroutine ends, and at the latest when the grace is over.
    """

    __slots__ = (
        "_bounds",
        "_coroutine",
        "_made_for",
        "abandoned_after",
        "began",
        "blocked",
        "ended",
        "error",
        "payload",
        "watch",
    )

    payload: T

    def __init__(self, coroutine: Coroutine[Any, Any, T], bounds: Bounds, made_for: Watched) -> None:
        self._coroutine = coroutine
        self._bounds = bounds
        self._made_for = made_for
        self.began = self.ended = bounds.clock.monotonic()
        self.blocked: tuple[float, ...] = ()
        self.error: BaseException | None = None
        self.abandoned_after: float | None = None
        self.watch: Watch | None = None

    def __await__(self) -> Generator[Any, Any, None]:
        """Make the first step; only a coroutine that then waits for something has to be watched."""
        waited_for = self._step(self._coroutine.send, None, self.began)
        return _nothing_more() if waited_for is _OVER else self._watched(waited_for)

    def stepped(self, since: float) -> None:
        """Take note that a step has ended; one that took too long held up the event loop."""
        self.ended = now = self._bounds.clock.monotonic()
        if now - since > TOO_LONG:
            self.blocked += (now - since,)
            self._bounds.on_blocked(now - since)

    def _step(self, advance: Callable[[Any], Any], given: Any, began: float) -> Any:
        """Make a step; return what is waited for then, or that it is over."""
        if self.watch is not None:
            self.watch.stepping = True
        try:
            return advance(given)
        except StopIteration as end:
            self.payload = end.value
        except BaseException as error:  # noqa: BLE001 — the one place: a fetcher may raise anything
            self.error = _without_our_frame(error)
        finally:
            if self.watch is not None:
                self.watch.stepping = False
            self.stepped(began)
        return _OVER

    def _watched(self, waited_for: Any) -> Generator[Any, Any, None]:
        """Drive the coroutine on, handing to the event loop whatever it waits for, until it ends or is given up."""
        coroutine, clock = self._coroutine, self._bounds.clock
        self.watch = watch = Watch(self._made_for, clock, self._bounds.alarms, began=self.began)
        try:
            while waited_for is not _OVER and not watch.given_up:
                if watch.due:
                    watch.due = False
                    waited_for = self._step(coroutine.throw, asyncio.CancelledError(), clock.monotonic())
                    continue
                try:
                    if _ends_if_cancelled(waited_for):
                        yield waited_for
                    else:
                        yield from _past(waited_for, watch)
                except GeneratorExit:  # the caller itself was thrown away, and can wait for nothing
                    self._close()
                    raise
                except BaseException as error:  # noqa: BLE001 — what it waited for failed, or somebody cancels
                    if isinstance(error, asyncio.CancelledError) and watch.cancelled() and not _has_ended(waited_for):
                        break
                    waited_for = self._step(coroutine.throw, error, clock.monotonic())
                else:
                    waited_for = self._step(coroutine.send, None, clock.monotonic())
        finally:
            watch.end()
        if waited_for is not _OVER:
            self._leave_to_itself(waited_for, watch)
        if watch.passes_on(self.error):
            raise asyncio.CancelledError

    def _leave_to_itself(self, waited_for: object, watch: Watch) -> None:
        self.ended = self._bounds.clock.monotonic()
        self.abandoned_after = self.ended - (watch.ending_since or self.ended)
        live_on(self._coroutine, waited_for, name=self._bounds.name)

    def _close(self) -> None:
        with contextlib.suppress(Exception):  # one that refuses even this is left where it stands
            self._coroutine.close()


def _nothing_more() -> Generator[Any, Any, None]:
    """Return what a coroutine that has ended leaves to wait for."""
    return cast("Generator[Any, Any, None]", iter(()))


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
