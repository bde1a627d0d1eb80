"""What went wrong, decided once: the kind that retry, breaker, health and metrics all read.

It must not import any library whose errors it knows.
"""

import asyncio
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from data_source_orchestrator.core.classification import (
    RETRIED,
    Classification,
    kind_of_status,
    meaning_of_class,
)
from data_source_orchestrator.core.errors import FetchError, NotAskedError
from data_source_orchestrator.core.verdicts import FailureKind, SkipReason
from data_source_orchestrator.resilience.foreign import is_garbled, status_of
from data_source_orchestrator.resilience.pushback import retry_after
from data_source_orchestrator.resilience.wording import UNASKED_CANCELLATION

COMMON = Classification()
"""What holds for every caller alone."""


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


def classify(error: BaseException, now: datetime, own: Classification = COMMON) -> Failed:
    """Return what an error means; a group means what its first leaf means that is no cancellation.

    A `FetchError` says its kind itself; then comes the caller's `own` word, and then the table of all.
    """
    leaf = next((leaf for leaf in leaves(error) if not isinstance(leaf, asyncio.CancelledError)), None)
    if leaf is None:
        leaf = FetchError(FailureKind.BUG, UNASKED_CANCELLATION)
        leaf.__cause__ = error
    if isinstance(leaf, NotAskedError):
        return Failed(kind=leaf.kind, error=leaf, retryable=False, skipped=leaf.reason)
    if isinstance(leaf, FetchError):
        return _failed(leaf, leaf.kind, truncated=leaf.truncated, wait=leaf.retry_after)
    kind = own.kind_of(leaf)
    return _by_table(leaf, now, own) if kind is None else _failed(leaf, kind, wait=retry_after(leaf, now))


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors inside nested groups, first to last; an error that is no group is its own leaf."""
    if not isinstance(error, BaseExceptionGroup):
        yield error
        return
    for inner in error.exceptions:
        yield from leaves(inner)


def _by_table(error: BaseException, now: datetime, own: Classification) -> Failed:
    match meaning_of_class(error):
        case "status" if is_garbled(error):
            return _failed(error, FailureKind.CONNECTION)
        case "status":
            return _by_status(error, now, own)
        case "truncated":
            return _failed(error, FailureKind.CONTENT, truncated=True)
        case "reason":
            timed_out = isinstance(getattr(error, "reason", None), TimeoutError)
            return _failed(error, FailureKind.TIMEOUT if timed_out else FailureKind.CONNECTION)
        case kind:
            return _failed(error, kind)


def _by_status(error: BaseException, now: datetime, own: Classification) -> Failed:
    status, wait = status_of(error), retry_after(error, now)
    kind = own.kind_of_status(status)
    if kind is None:
        kind = kind_of_status(status, asked_too_much=wait is not None)
    return _failed(error, kind, wait=wait)


def _failed(error: BaseException, kind: FailureKind, *, truncated: bool = False, wait: float | None = None) -> Failed:
    worth_it = kind in RETRIED or (kind is FailureKind.CONTENT and truncated)
    return Failed(kind=kind, error=error, retryable=worth_it and wait != math.inf, retry_after=wait)
