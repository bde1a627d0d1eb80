"""The documents that a fetcher shows as it was served them, so that others may see what they are made of."""

import hashlib

from msgspec import Struct


class Shown(Struct, frozen=True, kw_only=True):
    """A parsed document under the name that its fetcher gives it.

    `digest` is that of the body it was read from, in hexadecimal digits, where the fetcher has told that.
    """

    name: str
    document: object
    digest: str | None = None

    def __repr__(self) -> str:
        return f"Shown(name={self.name!r})"


def digest_of(body: bytes) -> str:
    """Return what tells one body from another."""
    return hashlib.sha256(body).hexdigest()
