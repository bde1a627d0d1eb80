"""Plain functions in threads of their own, so that they hold up nobody on the event loop."""

import asyncio
import contextlib
import inspect
import threading
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")

FETCHER_THREAD = "dso-fetcher-"
"""How the names of threads begin that work for a fetcher; the source's key follows, or what is done there."""


@dataclass(frozen=True, slots=True)
class _Returned(Generic[T]):
    value: T


@dataclass(frozen=True, slots=True)
class _Raised:
    error: BaseException


async def in_thread(function: Callable[[], T], *, name: str) -> T:
    """Return what a function returns in a daemon thread of its own, with the caller's context variables.

    A thread cannot be cancelled, so a cancellation only takes effect when it has ended; until then this behaves as a
    fetcher that swallows cancellation, and is abandoned like one.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[_Returned[T] | _Raised] = loop.create_future()
    variables = copy_context()
    threading.Thread(
        target=lambda: _deliver(loop, ended, variables.run(_settle, function)), name=name, daemon=True
    ).start()
    cancelled: asyncio.CancelledError | None = None
    while not ended.done():
        try:
            await asyncio.wait([ended])
        except asyncio.CancelledError as error:
            cancelled = error
    result = ended.result()
    if cancelled is not None:
        _discard(result)
        raise cancelled
    if isinstance(result, _Raised):
        raise result.error
    return result.value


def _settle(function: Callable[[], T]) -> _Returned[T] | _Raised:
    try:
        return _Returned(function())
    except BaseException as error:  # noqa: BLE001 — carried over to the event loop's thread, and raised there again
        return _Raised(error)


def _deliver(
    loop: asyncio.AbstractEventLoop, ended: asyncio.Future[_Returned[T] | _Raised], result: _Returned[T] | _Raised
) -> None:
    try:
        loop.call_soon_threadsafe(ended.set_result, result)
    except RuntimeError:
        _discard(result)  # the loop is closed: nobody is left to hear it


def _discard(result: _Returned[Any] | _Raised) -> None:
    """Close a coroutine that nobody will await, so that Python does not complain of it."""
    if isinstance(result, _Returned) and inspect.iscoroutine(result.value):
        with contextlib.suppress(Exception):
            result.value.close()
