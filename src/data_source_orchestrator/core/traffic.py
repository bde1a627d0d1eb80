"""One request as it went over the wire, for whoever counts them."""

from msgspec import Struct


class WireRequest(Struct, frozen=True, kw_only=True, gc=False):
    """A request that was sent, a redirect's and robots.txt's too; known when its answer has been read or left.

    `status` is None where there was no answer, `received` the bytes of its body as they came. `limited` is whether the
    upstream refused it because it was asked too much, and `wait` the seconds for which it then asked to be left alone.
    `robots` is whether it was for robots.txt.
    """

    host: str
    status: int | None
    received: int = 0
    limited: bool = False
    wait: float | None = None
    robots: bool = False
