"""What an upstream says about being asked again, read off a library's error or response."""

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from data_source_orchestrator.core.retry_after import asked_wait

_HEADERS = frozenset({"retry-after", "x-ratelimit-remaining", "x-ratelimit-reset"})


def retry_after(error: BaseException, now: datetime) -> float | None:
    """Return the seconds that the upstream asks to be left alone; None where it says nothing, infinity for never."""
    for holder in (error, getattr(error, "response", None)):
        wait = asked_wait(_headers(getattr(holder, "headers", None)), now)
        if wait is not None:
            return wait
    return None


def _headers(headers: object) -> dict[str, str]:
    """Return what counts, whatever its case; libraries' own mappings and plain dictionaries are both met here."""
    if not hasattr(headers, "items"):
        return {}
    pairs = ((str(name).lower(), value) for name, value in cast("Mapping[object, object]", headers).items())
    return {name: str(value) for name, value in pairs if name in _HEADERS}
