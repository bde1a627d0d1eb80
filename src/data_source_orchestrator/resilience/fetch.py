"""Calls a fetcher: an `async def` on the event loop, a plain function in a daemon thread of its own.

Whatever it raises becomes a value here, and nowhere else: retries and breaker never see an exception, and no error
of a fetcher that was abandoned can reach the event loop.
"""

import asyncio
import contextlib
import functools
import inspect
import threading
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from data_source_orchestrator.core.context import FetchContext
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.source import Fetcher

T = TypeVar("T")

THREAD_PREFIX = "dso-fetcher-"
"""How the names of fetchers' threads begin; the source's key follows."""

Breach = Callable[[T], FetchError | None]
"""Tells what is wrong with a payload, or None."""

_CONTEXT_NAMES = frozenset({"ctx", "context"})


class ProgramExit(Exception):  # noqa: N818 — it is no error: it carries the wish to end the program
    """A fetcher raised `KeyboardInterrupt` or `SystemExit`, kept in `cause`.

    It travels as an ordinary exception, because the event loop would stop at once where a task raises the real one.
    """

    def __init__(self, cause: KeyboardInterrupt | SystemExit) -> None:
        self.cause = cause
        super().__init__(f"a fetcher asked the program to end: {cause!r}")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a fetcher returned."""

    payload: T


@dataclass(frozen=True, slots=True)
class Raised:
    """What a fetcher raised, or what was found wrong with its answer."""

    error: BaseException


class Call(Generic[T]):
    """A fetcher, and how it wants to be called: decided once, by its signature."""

    def __init__(self, fetcher: Fetcher[T], key: str) -> None:
        self.fetcher = fetcher
        self.threaded = not _is_coroutine_function(fetcher)
        self._thread_name = THREAD_PREFIX + key
        self._takes_context = _takes_context(fetcher)

    async def __call__(self, context: FetchContext) -> T:
        """Return what the fetcher returns, or raise what it raises."""
        function: Callable[[], Any] = (
            functools.partial(self.fetcher, context) if self._takes_context else cast("Callable[[], Any]", self.fetcher)
        )
        given = await _in_thread(function, self._thread_name) if self.threaded else function()
        return cast("T", await given if inspect.isawaitable(given) else given)


async def ask(call: Call[T], context: Callable[[], FetchContext], breach: Breach[T]) -> Answer[T] | Raised:
    """Call the fetcher and check its answer; never raise."""
    try:
        payload = await call(context())
        wrong = breach(payload)
    except BaseException as error:  # noqa: BLE001 — the one place: a fetcher may raise anything, and nothing may escape
        return Raised(error)
    return Answer(payload) if wrong is None else Raised(wrong)


async def _in_thread(function: Callable[[], T], name: str) -> T:
    """Return what a function returns in a thread of its own.

    A thread cannot be cancelled, so a cancellation only takes effect when it has ended; until then this behaves as a
    fetcher that swallows cancellation, and is abandoned like one.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Answer[T] | Raised] = loop.create_future()
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
    if isinstance(result, Raised):
        raise result.error
    return result.payload


def _settle(function: Callable[[], T]) -> Answer[T] | Raised:
    try:
        return Answer(function())
    except BaseException as error:  # noqa: BLE001 — carried over to the event loop's thread, and raised there again
        return Raised(error)


def _deliver(
    loop: asyncio.AbstractEventLoop, ended: asyncio.Future[Answer[T] | Raised], result: Answer[T] | Raised
) -> None:
    try:
        loop.call_soon_threadsafe(ended.set_result, result)
    except RuntimeError:
        _discard(result)  # the loop is closed: nobody is left to hear it


def _discard(result: Answer[Any] | Raised) -> None:
    """Close a coroutine that nobody will await, so that Python does not complain of it."""
    if isinstance(result, Answer) and inspect.iscoroutine(result.payload):
        with contextlib.suppress(Exception):
            result.payload.close()


def _is_coroutine_function(fetcher: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(fetcher) or inspect.iscoroutinefunction(getattr(type(fetcher), "__call__", None))  # noqa: B004 — is it a coroutine method, not whether there is one


def _takes_context(fetcher: Callable[..., Any]) -> bool:
    """Return whether the first argument is one that has to be given, or is plainly meant for the context."""
    try:
        first = next(iter(inspect.signature(fetcher).parameters.values()), None)
    except (ValueError, TypeError):
        return False  # a function of C that tells no signature
    if first is None or first.kind in {first.KEYWORD_ONLY, first.VAR_KEYWORD}:
        return False
    return first.default is first.empty or first.name in _CONTEXT_NAMES
