"""What went wrong, decided once: the kind that retry, breaker, health and metrics all read.

It must not import any library whose errors it knows.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from data_source_orchestrator.core.errors import ConfigurationError, FetchError, NotAskedError
from data_source_orchestrator.core.verdicts import FailureKind, SkipReason
from data_source_orchestrator.resilience.foreign import is_garbled, kind_of_status, sign_of, status_of
from data_source_orchestrator.resilience.pushback import NEVER, retry_after
from data_source_orchestrator.resilience.wording import UNASKED_CANCELLATION

_RETRIED = frozenset(
    {
        FailureKind.TIMEOUT,
        FailureKind.CONNECTION,
        FailureKind.SERVER,
        FailureKind.RATE_LIMITED,
        FailureKind.UNKNOWN,
    }
)

_BUILT_IN: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], FailureKind], ...] = (
    (OSError, FailureKind.CONNECTION),
    ((LookupError, UnicodeError, RecursionError), FailureKind.CONTENT),  # deep nesting exhausts a decoder's stack
    (
        (
            TypeError,
            AttributeError,
            NameError,
            ImportError,
            AssertionError,
            ZeroDivisionError,
            ConfigurationError,  # a package that is not installed, a request made where there is no session
        ),
        FailureKind.BUG,
    ),
    (Exception, FailureKind.UNKNOWN),
    (BaseException, FailureKind.BUG),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """An error with what it means; `retry_after` is the upstream's own wait in seconds.

    `skipped` is why the upstream was not asked, where that was our own decision: then it failed at nothing.
    """

    kind: FailureKind
    error: BaseException
    retryable: bool
    retry_after: float | None = None
    skipped: SkipReason | None = None


def classify(error: BaseException, now: datetime) -> Failed:
    """Return what an error means; a group means what its first leaf means that is no cancellation."""
    leaf = next((leaf for leaf in leaves(error) if not isinstance(leaf, asyncio.CancelledError)), None)
    if leaf is None:
        leaf = FetchError(FailureKind.BUG, UNASKED_CANCELLATION)
        leaf.__cause__ = error
    if isinstance(leaf, NotAskedError):
        return Failed(kind=leaf.kind, error=leaf, retryable=False, skipped=leaf.reason)
    if isinstance(leaf, FetchError):
        return _failed(leaf, leaf.kind, truncated=leaf.truncated, wait=leaf.retry_after)
    if isinstance(leaf, TimeoutError):
        return _failed(leaf, FailureKind.TIMEOUT)
    return _foreign(leaf, now) or _built_in(leaf)


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors inside nested groups, first to last; an error that is no group is its own leaf."""
    if not isinstance(error, BaseExceptionGroup):
        yield error
        return
    for inner in error.exceptions:
        yield from leaves(inner)


def _foreign(error: BaseException, now: datetime) -> Failed | None:
    match sign_of(error):
        case None:
            return None
        case "status" if is_garbled(error):
            return _failed(error, FailureKind.CONNECTION)
        case "status":
            wait = retry_after(error, now)
            return _failed(error, kind_of_status(status_of(error), asked_to_wait=wait is not None), wait=wait)
        case "truncated":
            return _failed(error, FailureKind.CONTENT, truncated=True)
        case "reason":
            timed_out = isinstance(getattr(error, "reason", None), TimeoutError)
            return _failed(error, FailureKind.TIMEOUT if timed_out else FailureKind.CONNECTION)
        case kind:
            return _failed(error, kind)


def _built_in(error: BaseException) -> Failed:
    if isinstance(error, EOFError):
        return _failed(error, FailureKind.CONTENT, truncated=True)
    return _failed(error, next(kind for classes, kind in _BUILT_IN if isinstance(error, classes)))


def _failed(error: BaseException, kind: FailureKind, *, truncated: bool = False, wait: float | None = None) -> Failed:
    worth_it = kind in _RETRIED or (kind is FailureKind.CONTENT and truncated)
    return Failed(kind=kind, error=error, retryable=worth_it and wait != NEVER, retry_after=wait)
