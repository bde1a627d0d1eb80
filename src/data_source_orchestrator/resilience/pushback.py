"""What an upstream says about being asked again: its `Retry-After`, read off a library's error or response."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import cast

NEVER = math.inf
"""A wait that means: do not retry."""

_SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)


def retry_after(error: BaseException, now: datetime) -> float | None:
    """Return the seconds that the upstream asks to be left alone; None where it says nothing."""
    for holder in (error, getattr(error, "response", None)):
        value = _header(getattr(holder, "headers", None))
        if value is not None:
            return wait_of(value, now)
    return None


def wait_of(value: str, now: datetime) -> float:
    """Return a `Retry-After` value in seconds: a number or an HTTP date, and `NEVER` for anything else."""
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return NEVER
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)  # "-0000" is UTC without saying whose
    return max(0.0, (moment - now).total_seconds())


def _header(headers: object) -> str | None:
    """Return the header whatever its case; libraries' own mappings and plain dictionaries are both met here."""
    if not hasattr(headers, "items"):
        return None
    for name, value in cast("Mapping[object, object]", headers).items():
        if str(name).lower() == "retry-after":
            return str(value)
    return None
