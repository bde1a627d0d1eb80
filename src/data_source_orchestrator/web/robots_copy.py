"""What an origin's robots.txt said when it was read, and how that is kept from one process to the next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.web.reach import is_loopback

FRESH = timedelta(hours=12)
"""How long a copy is believed without asking."""

USABLE = timedelta(hours=24)
"""How long it still counts where the file cannot be read anew (RFC 9309, section 2.4)."""

PARSED = 512 * 1024
"""Bytes of a robots.txt that are read; RFC 9309 wants 500 KiB at least. What follows is as if it were not there."""

SCHEMA = "dso.robots/1"
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsCopy:
    """An origin's robots.txt; `text` is None where it has none. It has said the same `since`."""

    read_at: datetime
    since: datetime
    text: str | None

    def is_within(self, age: timedelta, now: datetime) -> bool:
        """Return whether it was read no longer ago than that; one from the future is not believed."""
        return timedelta(0) <= now - self.read_at <= age

    def read_again(self, text: str | None, now: datetime) -> "RobotsCopy":
        """Return the copy that takes its place."""
        return RobotsCopy(read_at=now, since=self.since if text == self.text else now, text=text)

    @property
    def document(self) -> Json:
        """What is stored of it."""
        return {
            "schema": SCHEMA,
            "read_at": self.read_at.isoformat(),
            "since": self.since.isoformat(),
            "text": self.text,
        }


def copy_of(document: Json) -> RobotsCopy | None:
    """Return a stored copy, or None where the document is not one of ours."""
    match document:
        case {"schema": "dso.robots/1", "read_at": str(read_at), "since": str(since), "text": str() | None as text}:
            try:
                return RobotsCopy(read_at=_moment(read_at), since=_moment(since), text=text)
            except ValueError:
                return None
        case _:
            return None


def origin_of(url: str) -> str:
    """Return the origin whose robots.txt speaks for this address."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].lower().removesuffix(_DEFAULT_PORTS.get(parts.scheme, ""))
    return f"{parts.scheme}://{host}"


def worth_keeping(copies: Mapping[str, RobotsCopy]) -> dict[str, RobotsCopy]:
    """Return the copies that spare somebody a request: this machine is asked anew, on ports that change."""
    return {origin: copy for origin, copy in copies.items() if not is_loopback(urlsplit(origin).hostname or "")}


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC")
    return moment
