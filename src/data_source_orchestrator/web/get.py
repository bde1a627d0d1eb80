"""One GET as a fetcher asked for it."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace


class Get(Struct, frozen=True):
    """The address, what is added to its query, its own headers, and the most bytes of its decoded body.

    A `page` is made for people, and is asked for as its site's robots.txt allows.
    """

    url: str
    params: Mapping[str, Any] | None = None
    headers: Mapping[str, str] | None = None
    max_body: int | None = None
    page: bool = False

    def under(self, conditions: Mapping[str, str]) -> "Get":
        """Return the same request under conditions, which are headers too."""
        return replace(self, headers={**(self.headers or {}), **conditions}) if conditions else self
