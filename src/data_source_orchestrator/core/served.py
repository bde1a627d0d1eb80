"""What an upstream served in one attempt, kept for a while: where it is no data, somebody will look at it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

MOST_BYTES = 2 * 1024 * 1024
"""Bytes of one body that are kept for inspection."""

MOST_IN_ALL = 8 * 1024 * 1024
"""Bytes of all bodies of one attempt together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One accepted answer: its address and headers without secrets, and its decoded body, or the beginning of it.

    `length` is how many bytes the body had in all. One that is `from_cache` was kept from an earlier answer, and sent
    by nobody now.
    """

    url: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    length: int
    from_cache: bool = False


def with_room(kept: tuple[Served, ...], answer: Served) -> tuple[Served, ...]:
    """Return the answers that are kept with one more; of what there is no room for only the beginning, or nothing."""
    room = min(MOST_BYTES, MOST_IN_ALL - sum(len(one.body) for one in kept))
    return (*kept, replace(answer, body=answer.body[:room])) if room > 0 else kept
