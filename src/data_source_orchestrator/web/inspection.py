"""An answer as it may be kept for people to look at: nothing in its address or its headers that may be secret."""

from data_source_orchestrator.core.served import Served
from data_source_orchestrator.web.redaction import shown
from data_source_orchestrator.web.response import Response

TOLD_HEADERS = frozenset(
    {
        "age",
        "cache-control",
        "cf-cache-status",
        "cf-ray",
        "content-encoding",
        "content-language",
        "content-length",
        "content-type",
        "date",
        "etag",
        "expires",
        "last-modified",
        "server",
        "vary",
        "via",
        "x-cache",
    }
)
"""The headers that tell where an answer comes from and how it is written; any other may hold something secret."""


def without_secrets(response: Response) -> Served:
    """Return what was served, with an address that may be shown and those headers that hold no secret."""
    return Served(
        url=shown(response.url),
        status=response.status,
        headers={name: value for name, value in response.headers.items() if name.lower() in TOLD_HEADERS},
        body=response.body,
        length=len(response.body),
        from_cache=response.from_cache,
    )
