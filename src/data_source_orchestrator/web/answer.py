"""An upstream's answer whose body is still on the wire, as the client sees it: without aiohttp."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from data_source_orchestrator.web.courtesy import Courtesy


class Answer(Protocol):
    """What was answered at the end of all redirects."""

    @property
    def url(self) -> str:
        """The address that answered."""
        ...

    @property
    def status(self) -> int:
        """The HTTP status, whatever it is."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The response headers; names are matched whatever their case."""
        ...

    async def more(self) -> bytes:
        """Return the next bytes of the body as they came off the wire, b"" at its end; raises `FetchError`."""
        ...


class Asker(Protocol):
    """Sends requests and keeps their connections."""

    def ask(
        self, url: str, params: Mapping[str, Any] | None, headers: Mapping[str, str] | None, courtesy: Courtesy
    ) -> AbstractAsyncContextManager[Answer]:
        """Send a GET and follow redirects, each as courtesy has it.

        A body not read to its end is cut off when the context ends.
        """
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...
