"""What becomes of a coroutine that swallows its cancellation: it lives on in a task of its own, heard by nobody.

Its next cancellation ends it whether it wants or not; otherwise it would keep the program from ending.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Generator
from typing import Any

_OVER = object()


def live_on(coroutine: Coroutine[Any, Any, Any], waited_for: object, *, name: str) -> None:
    """Go on with a coroutine that has begun elsewhere and waits for something that was handed to its task."""
    asyncio.get_running_loop().create_task(_unheard(_Rest(coroutine, waited_for)), name=name)


async def _unheard(rest: "_Rest") -> None:
    with contextlib.suppress(Exception, GeneratorExit, KeyboardInterrupt, SystemExit):  # nobody waits for it any longer
        await rest


class _Rest:
    """The steps of a coroutine from where it was left."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], waited_for: object) -> None:
        self._coroutine = coroutine
        self._waited_for = waited_for

    def __await__(self) -> Generator[Any, Any, None]:
        waited_for = self._waited_for
        while True:
            try:
                given = yield waited_for
            except BaseException as error:
                if _is_cancelled():
                    self._close()
                    raise
                waited_for = self._step(self._coroutine.throw, error)
            else:
                waited_for = self._step(self._coroutine.send, given)
            if waited_for is _OVER:
                return

    def _step(self, advance: Callable[[Any], Any], given: Any) -> Any:
        try:
            return advance(given)
        except StopIteration:
            return _OVER

    def _close(self) -> None:
        with contextlib.suppress(Exception):  # one that refuses even this is left where it stands
            self._coroutine.close()


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
