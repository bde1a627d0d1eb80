"""How long an upstream asks us to wait, read from its headers: RFC 9110 section 10.2.3, then GitHub's order."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

GITHUB_LEAST = 60.0
"""Seconds that GitHub asks for where neither Retry-After nor a usable reset is given."""

_SECONDS = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_DATES = tuple(
    re.compile(form, re.ASCII | re.IGNORECASE)
    for form in (
        rf"[a-z]{{3}}, (?P<day>\d\d?) (?P<month>[a-z]{{3}}) (?P<year>\d{{4}}) {_CLOCK} (?:GMT|UTC)",
        rf"[a-z]{{6,9}}, (?P<day>\d\d)-(?P<month>[a-z]{{3}})-(?P<year>\d\d) {_CLOCK} (?:GMT|UTC)",
        rf"[a-z]{{3}} (?P<month>[a-z]{{3}}) (?P<day>[ \d]\d) {_CLOCK} (?P<year>\d{{4}})",
    )
)


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds to wait from `now`, None where nothing was asked.

    A date gone by is 0. What is negative or cannot be read is infinity: do not retry.
    """
    if value is None:
        return None
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    moment = http_date(text, now) or _mail_date(text)
    return math.inf if moment is None else max(0.0, (moment - now).total_seconds())


def asked_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that a refusal asks for, in GitHub's documented order, None where it names none.

    Names of headers are matched as they are, so give them in small letters or in a mapping that does not care.

    Retry-After if present; else, with x-ratelimit-remaining 0, until x-ratelimit-reset (UTC epoch seconds), and
    at least a minute where that moment is absent, unreadable or past.
    """
    asked = parse_retry_after(headers.get("retry-after"), now)
    if asked is not None or not allowance_spent(headers):
        return asked
    reset = headers.get("x-ratelimit-reset", "").strip()
    if not _SECONDS.fullmatch(reset):
        return GITHUB_LEAST
    left = float(reset) - now.timestamp()
    return left if left > 0 else GITHUB_LEAST


def allowance_spent(headers: Mapping[str, str]) -> bool:
    """Return whether the upstream says that no request is left in this window."""
    return headers.get("x-ratelimit-remaining", "").strip() == "0"


def http_date(text: str, now: datetime) -> datetime | None:
    """Return the moment that one of HTTP's three date forms names (RFC 9110 section 5.6.7), or None."""
    for form in _DATES:
        if found := form.fullmatch(text):
            return _moment(found, now)
    return None


def _mail_date(text: str) -> datetime | None:
    """Return the moment of a date that names another offset from UTC, as some servers write it."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)  # "-0000" is UTC without saying whose


def _moment(found: re.Match[str], now: datetime) -> datetime | None:
    try:
        return datetime(
            _full_year(found["year"], now),
            _MONTHS.index(found["month"].lower()) + 1,
            int(found["day"]),
            int(found["hour"]),
            int(found["minute"]),
            min(int(found["second"]), 59),  # a leap second is written 60
            tzinfo=UTC,
        )
    except ValueError:
        return None


def _full_year(digits: str, now: datetime) -> int:
    """Read two digits as the year that is at most 50 years ahead."""
    if len(digits) > 2:  # noqa: PLR2004 — RFC 850 dates have two digits
        return int(digits)
    year = now.year - now.year % 100 + int(digits)
    return year - 100 if year > now.year + 50 else year
