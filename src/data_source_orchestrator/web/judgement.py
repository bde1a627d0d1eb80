"""What an answer's status and signs mean, by the one table and by what its source adds to that, as a `FetchError`."""

import math
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus

from data_source_orchestrator.core.classification import Classification, Sign, kind_of_status
from data_source_orchestrator.core.classification.signs import sign_in
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.retry_after import allowance_spent, asked_wait
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.web.redaction import shown

COMMON = Classification()
"""What holds for every source alone."""

_TELLING = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


def needs_head(status: int, own: Classification = COMMON) -> bool:
    """Return whether the first bytes of an error's body help to judge this status."""
    if status in _TELLING:
        return True
    return status >= HTTPStatus.BAD_REQUEST and any(sign.body and sign.may_stand_under(status) for sign in own.signs)


def judge(  # noqa: PLR0913 — an answer's parts, and what they are read by
    status: int, headers: Mapping[str, str], head: bytes, *, url: str, now: datetime, own: Classification = COMMON
) -> FetchError | None:
    """Return how an answer has failed, or None where its status and first bytes promise data.

    First come the source's own signs, those of all, and the source's own statuses. Then: rate_limited is 429, and 403
    that names a wait or says that the allowance is spent; timeout 408; server 5xx; client every other 4xx, and what is
    neither 2xx nor an error.
    """
    if sign := sign_in(own.signs, status, headers, head):
        return by_sign(sign, url, asked_wait(headers, now))
    kind = own.kind_of_status(status)
    if kind is None:
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return None
        kind = kind_of_status(status, asked_too_much=asks_too_much(status, headers))
    return _failure(kind, f"{shown(url)} answered {_status(status)}", asked_wait(headers, now))


def by_sign(sign: Sign, url: str, wait: float | None = None) -> FetchError:
    """Return the failure that a sign tells of; a rate limit is waited for as asked, else as long as the sign says."""
    return _failure(sign.kind, f"{shown(url)} {sign.told}", sign.wait if wait is None else wait)


def _failure(kind: FailureKind, told: str, wait: float | None) -> FetchError:
    """Return a failure, with the wait of an upstream that may say when to come back."""
    if kind not in {FailureKind.RATE_LIMITED, FailureKind.SERVER}:
        return FetchError(kind, told)
    return FetchError(kind, f"{told}{_and_wait(wait)}", retry_after=wait)


def asks_too_much(status: int, headers: Mapping[str, str]) -> bool:
    """Return whether an upstream refuses because it is asked too much: 429, or 403 with a sign of that."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return True
    return status == HTTPStatus.FORBIDDEN and ("retry-after" in headers or allowance_spent(headers))


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _and_wait(wait: float | None) -> str:
    if wait is None:
        return ""
    return " and names no time after which to come back" if wait == math.inf else f" and asks to wait {wait:.0f} s"
