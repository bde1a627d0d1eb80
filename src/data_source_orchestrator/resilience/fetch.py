"""A fetcher and how it wants to be called: an `async def` on the event loop, a plain function in a daemon thread."""

import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from data_source_orchestrator.core.source import Fetcher
from data_source_orchestrator.core.threads import FETCHER_THREAD, in_thread

T = TypeVar("T")

_CONTEXT_NAMES = frozenset({"ctx", "context"})


class Call(Generic[T]):
    """A fetcher, and how it wants to be called: decided once, by its signature."""

    __slots__ = ("_async", "_fetcher", "_thread_name", "takes_context", "threaded")

    def __init__(self, fetcher: Fetcher[T], key: str) -> None:
        self._fetcher: Callable[..., Any] = fetcher
        self._thread_name = FETCHER_THREAD + key
        self._async = inspect.iscoroutinefunction(fetcher)
        self.threaded = not self._async and not _is_called_as_coroutine(fetcher)
        self.takes_context = _takes_context(fetcher)

    def begin(self, *arguments: object) -> Coroutine[Any, Any, T]:
        """Return the coroutine of one call; of the arguments only one that takes the context may get one."""
        if self._async:
            return self._fetcher(*arguments)  # type: ignore[no-any-return]
        function = functools.partial(self._fetcher, *arguments)
        return in_turn(in_thread(function, name=self._thread_name) if self.threaded else _now(function))


async def _now(function: Callable[[], T]) -> T:
    return function()


async def in_turn(first: Coroutine[Any, Any, Any]) -> Any:
    """Return what a function returned, or what that turns out to be where it has to be awaited."""
    given = await first
    return await given if inspect.isawaitable(given) else given


def _is_called_as_coroutine(fetcher: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(getattr(type(fetcher), "__call__", None))  # noqa: B004 — is it a coroutine method, not whether there is one


def _takes_context(fetcher: Callable[..., Any]) -> bool:
    """Return whether the first argument is one that has to be given, or is plainly meant for the context."""
    try:
        first = next(iter(inspect.signature(fetcher).parameters.values()), None)
    except (ValueError, TypeError):
        return False  # a function of C that tells no signature
    if first is None or first.kind in {first.KEYWORD_ONLY, first.VAR_KEYWORD}:
        return False
    return first.default is first.empty or first.name in _CONTEXT_NAMES


class Calls:
    """Remembers how each of a source's fetchers wants to be called."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._known: dict[int, Call[Any]] = {}  # a call holds its fetcher, so no other can come to have its id

    def of(self, fetcher: Fetcher[T]) -> Call[T]:
        """Return how a fetcher wants to be called."""
        known = self._known.get(id(fetcher))
        if known is None:
            known = self._known[id(fetcher)] = Call(fetcher, self._key)
        return known
