"""Signs that an answer is not what its status says: challenge pages under any status, rate limits under a 403."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from data_source_orchestrator.core.durations import seconds
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.verdicts import FailureKind

HEAD = 4096
"""Bytes of a body in which signs are looked for."""

_BEFORE = b"\xef\xbb\xbf \t\r\n"
"""A byte order mark and blanks, before which no body begins."""

_CHALLENGING = frozenset({403, 429, 503})
_LIMITING = frozenset({403, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One sign: a `header` with its value, or a `body` whose first 4096 bytes match; case does not matter to either.

    With `statuses` only those answers are looked at, else all, good ones included. `kind` is what it means, `told` what
    an upstream that shows it has done, as "answered with a challenge page". `wait` is the seconds to stay away where
    the answer names none.
    """

    kind: FailureKind
    told: str
    header: tuple[str, str] | None = None
    body: bytes | None = None
    statuses: frozenset[int] = frozenset()
    wait: float | None = None
    _pattern: re.Pattern[bytes] | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", FailureKind(self.kind))
        object.__setattr__(self, "statuses", frozenset(self.statuses))
        if (self.header is None) == (self.body is None):
            raise ConfigurationError(f"the sign {self.told!r} has to name a header or a body, and not both")
        if self.wait is not None:
            seconds(self.wait, "sign.wait")
        if self.body is not None:
            object.__setattr__(self, "_pattern", _compiled(self.body))

    def may_stand_under(self, status: int) -> bool:
        """Return whether an answer of this status is looked at."""
        return not self.statuses or status in self.statuses

    def is_shown(self, status: int, headers: Mapping[str, str], head: bytes) -> bool:
        """Return whether an answer shows it; `head` is what its body begins with."""
        if not self.may_stand_under(status):
            return False
        if self.header is not None:
            name, value = self.header
            return headers.get(name, "").strip().lower() == value.lower()
        return self.is_in(head)

    def is_in(self, head: bytes) -> bool:
        """Return whether a body begins with it, whatever the answer's status."""
        return self._pattern is not None and self._pattern.match(head[:HEAD].lstrip(_BEFORE)) is not None


def _compiled(body: object) -> re.Pattern[bytes]:
    """Return the pattern as it is matched from a body's beginning, after its byte order mark and blanks."""
    if not isinstance(body, bytes):
        raise ConfigurationError(f"the sign's body is {body!r}; give a pattern of bytes, as rb'<.*?be right back'")
    try:
        return re.compile(body, re.IGNORECASE | re.DOTALL)
    except re.error as error:
        raise ConfigurationError(f"the sign's body {body!r} is no pattern: {error}") from None


CHALLENGE = "answered with a challenge page instead of data: the site wants a browser there; ask its owner for access"
LIMIT = "says in its body that it was asked too much"

CHALLENGE_PAGE = Sign(kind=FailureKind.BLOCKED, told=CHALLENGE, body=rb"<.*?just a moment", statuses=_CHALLENGING)
"""A page instead of data: under an error's status, and wherever no page was asked for, its words are enough."""

SIGNS: tuple[Sign, ...] = (
    Sign(kind=FailureKind.BLOCKED, told=CHALLENGE, header=("cf-mitigated", "challenge")),
    CHALLENGE_PAGE,
    Sign(kind=FailureKind.BLOCKED, told=CHALLENGE, body=rb"<.*?<title[^>]{0,200}>\s*just a moment"),
    Sign(
        kind=FailureKind.BLOCKED,
        told=CHALLENGE,
        body=rb"error code: (?:100[5-9]|1010|1012|1020)\b",  # 1015 is Cloudflare's own rate limit
        statuses=_CHALLENGING,
    ),
    Sign(
        kind=FailureKind.RATE_LIMITED,
        told=LIMIT,
        body=rb".*?(?:secondary rate limit|abuse detection mechanism|api rate limit exceeded)",
        statuses=_LIMITING,
        wait=60.0,  # GitHub: "wait for at least one minute"
    ),
    Sign(
        kind=FailureKind.RATE_LIMITED,
        told=LIMIT,
        body=rb"<.*?<title[^>]{0,200}>\s*rate limit\b[^<]{0,80}github",
        statuses=_LIMITING,
        wait=60.0,
    ),
)
"""What every source's answers are looked through for, in this order."""

_SIGNS_OF_DATA = tuple(sign for sign in SIGNS if not sign.statuses)
"""Those of them that can stand under a good status, which most answers have."""


def sign_in(own: tuple[Sign, ...], status: int, headers: Mapping[str, str], head: bytes) -> Sign | None:
    """Return the first sign that an answer shows: one of its source's own, or of those of all."""
    common = _SIGNS_OF_DATA if status < HTTPStatus.MULTIPLE_CHOICES else SIGNS
    for sign in (*own, *common) if own else common:
        if sign.is_shown(status, headers, head):
            return sign
    return None
