"""What a fetcher is given."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.served import Served


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

    async def check(self, url: str, *, page: bool = False) -> None:
        """Ask, look at the status and the first bytes, and hang up: a light probe."""
        ...


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
        """Keep an answer until it is known whether it is data."""
        ...


def unseen(name: str, document: object, /, *, body: bytes | None = None) -> None:
    """Show a document to nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchContext:
    """Everything a fetcher may use; `attempt` counts from 1.

    `show` costs nothing where nobody keeps what documents are made of, as in a mere fetch.
    """

    http: HttpClient
    deadline: Deadline
    attempt: int
    clock: Clock
    log: logging.Logger
    warn: Warn
    show: Show = unseen
