"""Every error that leaves the house, under one root.

DsoError
├── ConfigurationError        a setting, a registration or an argument that cannot be meant
├── UnknownSourceError        a key that nobody registered (also a KeyError)
├── FetchError                raised by a fetcher to say how it failed
│   └── NotAskedError         an address was not asked for, by our own decision
├── SourceFailedError         a source's data was asked for, and it has none
├── InsufficientSourcesError  fewer sources succeeded than the run demands
├── PermitError               a breaker's permit was given back twice, or to another breaker (also a RuntimeError)
└── StoreError                the store cannot be read or written
"""

import difflib
import math
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

from data_source_orchestrator.core.verdicts import FailureKind, SkipReason

if TYPE_CHECKING:
    from data_source_orchestrator.core.outcome import Failure, Outcome, Skipped
    from data_source_orchestrator.core.result import FetchResult


class DsoError(Exception):
    """The root of all errors of this library."""


class ConfigurationError(DsoError, ValueError):
    """A setting, a registration or an argument is wrong; the sentence says what is accepted."""


class UnknownSourceError(DsoError, KeyError):
    """No source has this key; the sentence names the nearest one that exists."""

    def __init__(self, key: object, known: Iterable[str]) -> None:
        self.key = key
        self.known = tuple(known)
        super().__init__(f"no source is called {key!r}{self._hint()}")

    def _hint(self) -> str:
        near = nearest(str(self.key), self.known)
        if near:
            return f"; did you mean {near!r}?"
        if self.known:
            return f"; there are {', '.join(self.known)}"
        return "; no source is registered"

    def __str__(self) -> str:
        return str(self.args[0])


class FetchError(DsoError):
    """A fetcher failed, and says how.

    `retry_after` is the upstream's own wait in seconds, to be kept exactly; infinity means "do not retry".
    `truncated` marks a content failure whose body ended early, the one kind of bad content worth a retry.
    """

    def __init__(
        self,
        kind: FailureKind | str,
        message: str = "",
        *,
        retry_after: float | None = None,
        truncated: bool = False,
    ) -> None:
        self.kind = FailureKind(kind)
        if retry_after is not None and (math.isnan(retry_after) or retry_after < 0):
            retry_after = math.inf
        self.retry_after = retry_after
        self.truncated = truncated
        super().__init__(message or self.kind.value)


class NotAskedError(FetchError):
    """An address was not asked for, by our own decision; its source's outcome is `Skipped(reason)`.

    It says nothing about the source, and is not retried. Its kind is blocked, for whoever catches it as a `FetchError`.
    """

    def __init__(self, reason: SkipReason, message: str) -> None:
        self.reason = reason
        super().__init__(FailureKind.BLOCKED, message)


class SourceFailedError(DsoError):
    """The data of a source was asked for, and this run has none; `outcome` says why."""

    def __init__(self, outcome: "Failure | Skipped") -> None:
        self.outcome = outcome
        super().__init__(f"no data from {outcome}")


class InsufficientSourcesError(DsoError):
    """Fewer sources succeeded than `min_successful_sources`; the partial result is kept in `result`."""

    def __init__(self, result: "FetchResult", required: int, outcomes: "Iterable[Outcome[object]]") -> None:
        self.result = result
        self.required = required
        self.outcomes = tuple(outcomes)
        told = "; ".join(str(outcome) for outcome in self.outcomes) or "no source was asked"
        count = result.metadata.success_count
        super().__init__(f"{count} of {required} required sources succeeded: {told}")


class StoreFlaw(StrEnum):
    """What keeps a store from being used, as far as somebody can do something about it."""

    FULL = "full"
    READ_ONLY = "read_only"
    LOCKED = "locked"
    DAMAGED = "damaged"
    OTHER = "other"


class PermitError(DsoError, RuntimeError):
    """A circuit breaker was given back a permit that it did not wait for; its state is untouched."""


class StoreError(DsoError):
    """The store cannot be read or written; what it held before is untouched."""

    def __init__(self, message: str, flaw: StoreFlaw = StoreFlaw.OTHER) -> None:
        self.flaw = flaw
        super().__init__(message)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that a person most likely meant, or None."""
    matches = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None
