"""What an upstream's headers say is left of our allowance.

Read are `RateLimit` (draft-ietf-httpapi-ratelimit-headers, from -08 on, and the form of -07), the older triple
`RateLimit-Remaining`, `-Reset`, and the same with `X-`, as GitHub sends it.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from data_source_orchestrator.core.allowance import Allowance

LONGEST_RESET = 86_400.0
"""Seconds; a reset further off is read as this, after which the upstream is asked again what is left."""

_MOST_REMAINING = 10**9
_LONGEST_FIELD = 2_000
_PAIRS = (
    ("ratelimit-remaining", "ratelimit-reset"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("x-rate-limit-remaining", "x-rate-limit-reset"),
)
_TELLING = ("ratelimit", *(remaining for remaining, _ in _PAIRS))
"""Without one of these headers nothing is told."""

_WHOLE = re.compile(r"[0-9]{1,15}")
_SECONDS = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_LONGEST_DELTA = 366 * 86_400
_EPOCH = range(10**9, 10**11)
_EPOCH_MS = range(10**12, 10**14)


def parse_allowance(headers: Mapping[str, str], now: datetime) -> Allowance | None:
    """Return the tightest allowance that a response tells of, None where it tells none that can be believed.

    The tightest is the one with the fewest calls left; of several such, that with the latest reset.
    """
    if not any(name in headers for name in _TELLING):  # most upstreams, at every request
        return None
    told = [*_fields(headers), *_pairs(headers, now)]
    return min(told, key=lambda allowance: (allowance.remaining, -allowance.reset_after), default=None)


def _pairs(headers: Mapping[str, str], now: datetime) -> Iterator[Allowance]:
    for remaining, reset in _PAIRS:
        left = _whole(headers.get(remaining, ""))
        after = _until(headers.get(reset, ""), now)
        if left is not None and after is not None:
            yield _allowance(left, after)


def _fields(headers: Mapping[str, str]) -> Iterator[Allowance]:
    """Yield what the `RateLimit` field lists: `"default";r=50;t=30`, or in -07 `limit=100, remaining=50, reset=30`."""
    members = _members(headers.get("ratelimit", ""))
    uncounted = _uncounted(headers.get("ratelimit-policy", ""))
    told = [_parameters(member) for member in members if _name(member) not in uncounted]
    dictionary = _parameters(";".join(members))
    pairs = [(each.get("r"), each.get("t")) for each in told] + [(dictionary.get("remaining"), dictionary.get("reset"))]
    for remaining, reset in pairs:
        left, after = _whole(remaining or ""), _whole(reset or "")
        if left is not None and after is not None:
            yield _allowance(left, float(after))


def _uncounted(field: str) -> frozenset[str]:
    """Return the names of the policies that count something else than requests."""
    members = _members(field)
    return frozenset(
        member.partition(";")[0].strip()
        for member in members
        if _parameters(member).get("qu", "requests") != "requests"
    )


def _members(field: str) -> list[str]:
    """Return the members of a structured list, the text of strings put where no mark inside them misleads."""
    if len(field) > _LONGEST_FIELD:
        return []
    return _STRING.sub(lambda found: re.sub(r"[,;=\s\"\\]", "_", found[1]), field).split(",")


def _name(member: str) -> str:
    return member.partition(";")[0].strip()


def _parameters(member: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in member.split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _whole(text: str) -> int | None:
    return int(text) if _WHOLE.fullmatch(text.strip()) else None


def _until(text: str, now: datetime) -> float | None:
    """Return seconds from now, given as such or as a moment since 1970 in seconds or milliseconds."""
    if not _SECONDS.fullmatch(text.strip()):
        return None
    value = float(text)
    if value <= _LONGEST_DELTA:
        return value
    if int(value) in _EPOCH:
        return max(0.0, value - now.timestamp())
    return max(0.0, value / 1000 - now.timestamp()) if int(value) in _EPOCH_MS else None


def _allowance(remaining: int, reset_after: float) -> Allowance:
    return Allowance(remaining=min(remaining, _MOST_REMAINING), reset_after=min(reset_after, LONGEST_RESET))
