"""The closed lists of words for how things end: failure kinds, skip reasons, verdicts."""

from enum import StrEnum


class FailureKind(StrEnum):
    """Why a source failed; retry, breaker, health and metrics all read the same kind."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    SERVER = "server"
    RATE_LIMITED = "rate_limited"
    BLOCKED = "blocked"
    CLIENT = "client"
    CONTENT = "content"
    EMPTY = "empty"
    BUG = "bug"
    UNKNOWN = "unknown"


class SkipReason(StrEnum):
    """Why a source was not asked, or not asked to the end, by our own decision."""

    DISABLED = "disabled"
    CIRCUIT_OPEN = "circuit_open"
    RATE_LIMIT = "rate_limit"
    BUDGET = "budget"
    FAIL_FAST = "fail_fast"
    DEADLINE = "deadline"
    RETRY_NOT_FEASIBLE = "retry_not_feasible"
    CANCELLED = "cancelled"
    OFFLINE = "offline"
    ROBOTS = "robots"


class Verdict(StrEnum):
    """What one attempt or one execution says about its source.

    `released` says nothing: it was our own refusal, or the caller cancelled, or the run's deadline cut it
    before its own time was up. `censored` is a hedge's loser: known only to have lasted that long.
    """

    SUCCESS = "success"
    FAILURE = "failure"
    RELEASED = "released"
    CENSORED = "censored"
