"""What a fetcher is given."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.served import Served
from data_source_orchestrator.core.threads import FETCHER_THREAD, in_thread

T = TypeVar("T")


class HttpResponse(Protocol):
    """An upstream's accepted answer, wholly read."""

    @property
    def url(self) -> str:
        """The address that answered, after redirects."""
        ...

    @property
    def status(self) -> int:
        """The HTTP status, always 2xx."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The response headers; names are matched whatever their case."""
        ...

    @property
    def body(self) -> bytes:
        """The decoded body."""
        ...

    @property
    def digest(self) -> str:
        """The body's SHA-256 in hexadecimal."""
        ...

    @property
    def from_cache(self) -> bool:
        """Whether the body is one that was kept from an earlier answer."""
        ...

    @property
    def revalidated(self) -> bool:
        """Whether upstream, asked under conditions, has just confirmed the kept body."""
        ...

    @property
    def age(self) -> float:
        """Seconds since its origin gave or confirmed a kept body; 0 for one that was not kept."""
        ...

    @property
    def instead_of(self) -> FetchError | None:
        """What upstream failed with, where its own headers let the kept body stand in; None elsewhere."""
        ...

    def text(self) -> str:
        """Return the body as text, or raise `FetchError(content)`."""
        ...

    def json(self) -> Any:
        """Return the body as strict JSON, or raise `FetchError(content)`."""
        ...


class HttpClient(Protocol):
    """The client given to fetchers; it never sleeps and never retries, and raises `FetchError`."""

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        max_body: int | None = None,
        page: bool = False,
    ) -> HttpResponse:
        """Return the answer to a GET, or raise `FetchError` with the kind of what went wrong.

        `max_body` lowers the cap on the decoded body, in bytes, to what this address may need. `page` says that it is
        a page made for people: it is asked for only as its site's robots.txt allows, else `NotAskedError` is raised.
        """
        ...

    async def get_json(
        self,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        max_body: int | None = None,
    ) -> Any:
        """Return the JSON value served there."""
        ...

    async def get_text(
        self,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        max_body: int | None = None,
        page: bool = False,
    ) -> str:
        """Return the text served there."""
        ...

    async def forget(self, answer: HttpResponse) -> None:
        """Let the HTTP cache go of an answer that turned out to be no data, so that it is not just confirmed again."""
        ...

    async def check(self, url: str, *, page: bool = False) -> None:
        """Ask, look at the status and the first bytes, and hang up: a light probe."""
        ...


class Parsed(Protocol):
    """Gives what was made of answers before, where each has the very body that it had then."""

    async def __call__(self, what: str, answers: Sequence[HttpResponse], parse: Callable[[], T], /) -> T:
        """Return what `parse` made of the same bodies before, or what it makes of them now, in a daemon thread.

        `what` tells apart what one fetcher parses; of each the last is remembered. It is shared by all who are given
        it, and not to be changed. Where `parse` raises, the HTTP cache lets go of the answers.
        """
        ...


async def parse_anew(what: str, _answers: Sequence[HttpResponse], parse: Callable[[], T], /) -> T:
    """Return what `parse` makes of answers, and remember nothing."""
    return await in_thread(parse, name=FETCHER_THREAD + what)


class Warn(Protocol):
    """Notes something worth telling about data that is still good."""

    def __call__(self, message: str, /) -> None:
        """Add a warning to this attempt's outcome."""
        ...


class Show(Protocol):
    """Notes a document as it was served, so that a change of its structure is told."""

    def __call__(self, name: str, document: object, /, *, body: bytes | None = None) -> None:
        """Note a parsed document under a name that stays the same, as `weapons.json`; leave it unchanged.

        `body` is what it was read from: one that is the same as last time is not looked at again.
        """
        ...


class Notes(Warn, Protocol):
    """Takes what is noted during one attempt: warnings, documents, and what was served."""

    def show(self, name: str, document: object, /, *, body: bytes | None = None) -> None:
        """Note a document; `Show` says what that is for."""
        ...

    def note_served(self, answer: Served, /) -> None:
        """Count an answer to the attempt's own HTTP client, and keep it until it is known whether it is data."""
        ...


def unseen(name: str, document: object, /, *, body: bytes | None = None) -> None:
    """Show a document to nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchContext:
    """Everything a fetcher may use; `attempt` counts from 1.

    `show` costs nothing where nobody keeps what documents are made of, as in a mere fetch. `parsed` spares it the
    parsing of a body that it is served again.
    """

    http: HttpClient
    deadline: Deadline
    attempt: int
    clock: Clock
    log: logging.Logger
    warn: Warn
    show: Show = unseen
    parsed: Parsed = parse_anew
