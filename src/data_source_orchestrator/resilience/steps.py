"""Drives a fetcher's coroutine step by step: notices a step that holds up the event loop, and can let go of it.

It sees a step only when it has ended. A fetcher that never gives the loop back cannot be cut off from inside it: only
a thread (a plain function as fetcher) or a process of its own can be left behind.
"""

import contextlib
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

from data_source_orchestrator.core.clock import Clock

R = TypeVar("R")

TOO_LONG = 0.5
"""Seconds; a step that takes longer held up everybody else."""


class Steps(Coroutine[Any, Any, R]):
    """A coroutine for a task of its own; `on_blocked` hears the seconds of each step that was too long."""

    def __init__(self, inner: Coroutine[Any, Any, R], clock: Clock, on_blocked: Callable[[float], None]) -> None:
        self._inner = inner
        self._clock = clock
        self._on_blocked = on_blocked
        self._let_go = False

    def let_go(self) -> None:
        """Wait for it no longer: it may go on, but its next cancellation ends it whether it wants or not.

        Without this a fetcher that swallows every cancellation would keep the program from ending.
        """
        self._let_go = True

    def send(self, value: Any, /) -> Any:
        """Make the next step."""
        return self._step(self._inner.send, value)

    def throw(self, error: Any, /, *more: Any) -> Any:
        """Make the next step with an exception raised in it."""
        if self._let_go:
            self.close()
            raise error
        return self._step(self._inner.throw, error, *more)

    def close(self) -> None:
        """End the coroutine where it stands."""
        with contextlib.suppress(Exception):  # a fetcher that refuses even this is left where it stands
            self._inner.close()

    def __await__(self) -> Generator[Any, Any, R]:
        return self._inner.__await__()

    def _step(self, advance: Callable[..., Any], *values: Any) -> Any:
        began = self._clock.monotonic()
        try:
            return advance(*values)
        finally:
            took = self._clock.monotonic() - began
            if took > TOO_LONG:
                self._on_blocked(took)
