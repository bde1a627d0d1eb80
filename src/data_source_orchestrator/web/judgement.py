"""What a status and the signs beside it mean: the one table from an HTTP answer to a failure's kind."""

import re
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus

from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.web.redaction import shown
from data_source_orchestrator.web.retry_after import allowance_spent, asked_wait

HEAD = 4096
"""Bytes of a body in which the signs of a challenge page are looked for."""

_CHALLENGING = frozenset({403, 429, 503})
_CHALLENGE_TITLE = re.compile(rb"<title[^>]*>\s*just a moment", re.IGNORECASE)
_CLOUDFLARE_REFUSAL = re.compile(rb"\s*error code: (?:100[5-9]|1010|1012|1020)\b", re.IGNORECASE)


def needs_head(status: int) -> bool:
    """Return whether the first bytes of a body help to judge this status."""
    return status in _CHALLENGING


def judge(status: int, headers: Mapping[str, str], head: bytes, *, url: str, now: datetime) -> FetchError | None:
    """Return how an answer has failed, or None where its status and first bytes promise data.

    blocked: a challenge, or Cloudflare's refusal. rate_limited: 429, and 403 that names a wait or says that the
    allowance is spent. timeout: 408. client: every other 4xx, and what is neither 2xx nor an error. server: 5xx.
    """
    if is_challenge(status, headers, head):
        return challenge(url)
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    told = f"{shown(url)} answered {_status(status)}"
    wait = asked_wait(headers, now)
    if asks_too_much(status, headers):
        return FetchError(FailureKind.RATE_LIMITED, f"{told}{_and_wait(wait)}", retry_after=wait)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return FetchError(FailureKind.SERVER, f"{told}{_and_wait(wait)}", retry_after=wait)
    kind = FailureKind.TIMEOUT if status == HTTPStatus.REQUEST_TIMEOUT else FailureKind.CLIENT
    return FetchError(kind, told)


def is_challenge(status: int, headers: Mapping[str, str], head: bytes) -> bool:
    """Return whether this is a page that wants a browser to prove itself, or refuses this client for good."""
    if headers.get("cf-mitigated", "").strip().lower() == "challenge":
        return True
    if status in _CHALLENGING:
        return says_just_a_moment(head) or bool(_CLOUDFLARE_REFUSAL.match(head))
    return says_just_a_moment(head) and bool(_CHALLENGE_TITLE.search(head[:HEAD]))


def says_just_a_moment(body: bytes) -> bool:
    """Return whether a body is HTML with the words of Cloudflare's challenge page near its beginning."""
    head = body[:HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(b"<") and b"just a moment" in head.lower()


def challenge(url: str) -> FetchError:
    """Return the failure that a challenge page is."""
    return FetchError(
        FailureKind.BLOCKED,
        f"{shown(url)} answered with a challenge page instead of data:"
        " the site wants a browser there; ask its owner for access",
    )


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
    return " and names no time after which to come back" if wait == float("inf") else f" and asks to wait {wait:.0f} s"
