"""The time of one coroutine that waits inside somebody's task, and the cancellations that reach it there.

A cut is a cancellation of that task by us, taken back when it arrives, as `asyncio.timeout` does it. What else arrives
may be the caller's, or that of a scope inside the coroutine: `asyncio.TaskGroup` and `asyncio.timeout` cancel the task
in which they run, and which of them did so cannot be told from the task. So it is handed on to the coroutine, and only
who asked for it can say that it is not wanted any longer. It must not know what the coroutine does.
"""

import asyncio
import sys
from collections.abc import Callable
from typing import Protocol

from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.resilience.alarms import Alarms

_SCOPES_TIDY_UP = sys.version_info >= (3, 13)

GRACE = 1.0
"""Seconds that a cancelled coroutine is given to end."""


class Watched(Protocol):
    """What somebody waits for."""

    @property
    def deadline(self) -> Deadline:
        """By when it must have ended; it may be put off meanwhile."""
        ...

    @property
    def attempt_timeout(self) -> float:
        """The seconds that it may take by itself; infinity for no limit."""
        ...

    @property
    def unwanted(self) -> bool:
        """Whether nobody waits for it any longer, so that a cancellation of its task is meant to end it."""
        ...


class Watch:
    """Watches one wait: cuts it when its own limit or its deadline has come, gives it up when the grace is over.

    `cut_at` is the moment that it was cut for, None where nobody cut it; `ending_since` when it was cancelled for good.
    Whoever drives it says when it is `stepping`: a cancellation that falls into a step, as where a clock is moved by
    hand there, is then `due` instead of being left on the task.
    """

    __slots__ = (
        "_alarm",
        "_alarms",
        "_cancellations",
        "_limit_at",
        "_monotonic",
        "_ringing",
        "_task",
        "_watched",
        "cut_at",
        "cut_by_deadline",
        "due",
        "ending_since",
        "given_up",
        "stepping",
    )

    def __init__(self, watched: Watched, monotonic: Callable[[], float], alarms: Alarms, *, began: float) -> None:
        self._watched = watched
        self._monotonic = monotonic
        self._alarms = alarms.here()
        self._limit_at = began + watched.attempt_timeout
        self._task = asyncio.current_task()
        self._cancellations = 0 if self._task is None else self._task.cancelling()
        self._ringing = False
        self.cut_at: float | None = None
        self.cut_by_deadline = False
        self.ending_since: float | None = None
        self.given_up = False
        self.stepping = False
        self.due = False
        self._alarm = self._set_alarm()

    def passes_on(self, error: BaseException | None) -> bool:
        """Return whether the caller's cancellation has to pass, when what was watched has ended with this error.

        A coroutine that ends with a cancellation hands it on. One that swallowed it ends in some other way; before
        Python 3.13 that cannot be told from a `TaskGroup` inside it that has failed and left its own request standing.
        """
        if self._watched.unwanted:
            return True
        if self._task is None:
            return False
        if isinstance(error, asyncio.CancelledError):
            return self._task.cancelling() > 0
        return _SCOPES_TIDY_UP and self._task.cancelling() > self._cancellations

    def cancelled(self) -> bool:
        """Take back a cancellation of our own that has arrived, and return whether it was to give the wait up.

        After one by which what is watched has become unwanted, the grace begins.
        """
        if self._ringing and self._task is not None:
            self._ringing = False
            self._task.uncancel()
        if self.ending_since is None and self._watched.unwanted:
            self._alarms.call_off(self._alarm)
            self._begin_ending(self._monotonic())
        return self.given_up

    def end(self) -> None:
        """Watch no longer, and let go of the task, whose end may hold the frames that hold this."""
        self._alarms.call_off(self._alarm)
        self._task = None

    def ring(self) -> None:
        """Cut the wait, unless its deadline was put off meanwhile, or give it up where it is ending already."""
        now = self._monotonic()
        at = min(self._limit_at, self._watched.deadline.at)
        if self.ending_since is not None:
            self.given_up = True
            self._interrupt()
        elif at > now:
            self._alarm = self._set_alarm()
        else:
            self.cut_at, self.cut_by_deadline = at, at < self._limit_at
            self._begin_ending(now)
            self._interrupt()

    def _set_alarm(self) -> int:
        return self._alarms.set(min(self._limit_at, self._watched.deadline.at), self)

    def _begin_ending(self, now: float) -> None:
        self.ending_since = now
        self._alarm = self._alarms.set(now + GRACE, self)

    def _interrupt(self) -> None:
        """Cancel the task; what arrives there next as a cancellation is ours."""
        if self.stepping:
            self.due = True
        elif self._task is not None and not self._ringing:  # two that arrive as one could not both be taken back
            self._ringing = True
            self._task.cancel()
