"""How far an upstream is trusted: caps on what it may send, and how we introduce ourselves."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from data_source_orchestrator.core.durations import Seconds, WholeNumber, count, seconds
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.strict_json import MOST_LEVELS, MOST_NODES

KIB = 1024
MIB = 1024 * KIB

DEEPEST_JSON = 500
"""Levels; beyond them Python's own limit on recursion would be near."""

COUNTS: Mapping[str, WholeNumber] = MappingProxyType(
    {
        "max_body": WholeNumber(1),
        "max_wire": WholeNumber(1),
        "max_header": WholeNumber(1),
        "max_redirects": WholeNumber(0),
        "max_json_depth": WholeNumber(1, DEEPEST_JSON),
        "max_json_nodes": WholeNumber(1),
        "max_connections": WholeNumber(1),
        "cache_bytes": WholeNumber(1),
        "cache_entry_bytes": WholeNumber(1),
    }
)
"""What each member that is a whole number accepts."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpPolicy:
    """What one request may cost us, checked when built.

    `max_body` bounds a body after decoding, `max_wire` before it, `max_header` the status line and each header
    line, all in bytes; beyond them the answer is a failure of kind content. `max_redirects` counts redirects of
    one request, `max_json_depth` nested arrays and objects, `max_json_nodes` names and values of one JSON document:
    a small body can hold more of them than fit into memory. `connect_timeout`, in seconds, covers the look-up of the
    name, TCP and TLS; beyond it the failure is of kind timeout. At most `max_connections` requests are on the wire
    at one time in one event loop; the others wait within their own time. `user_agent` None gives the project's name
    and version with `contact`, an address to write to; None tells none. `trusted` lists addresses
    and networks ("127.0.0.1", "10.0.0.0/8") to which a redirect may lead although they are not public; the address on
    which a request's own first URL stands is always trusted.

    With `cache` answers are kept, so that upstream is asked whether they are still good and need not send them again
    (RFC 9111). `cache_bytes` bounds all that are kept, and `cache_entry_bytes` each; a larger one is not kept.
    """

    max_body: int = 32 * MIB
    max_wire: int = 32 * MIB
    max_header: int = 16 * 1024
    max_redirects: int = 5
    max_json_depth: int = MOST_LEVELS
    max_json_nodes: int = MOST_NODES
    max_connections: int = 100
    connect_timeout: Seconds = 5.0
    user_agent: str | None = None
    contact: str | None = None
    trusted: tuple[str, ...] = ()
    cache: bool = False
    cache_bytes: int = 64 * MIB
    cache_entry_bytes: int = 16 * MIB

    def __post_init__(self) -> None:
        for name, accepted in COUNTS.items():
            count(getattr(self, name), f"http.{name}", least=accepted.least, most=accepted.most)
        object.__setattr__(self, "connect_timeout", seconds(self.connect_timeout, "http.connect_timeout"))
        _check_line(self.user_agent, "user_agent", "one line of printable ASCII that says who is asking")
        _check_line(self.contact, "contact", "an address to write to, as 'https://a.example/bot' or 'ops@a.example'")
        if self.user_agent is not None and self.contact is not None:
            raise ConfigurationError(
                "http.user_agent is the whole line, so http.contact would stand nowhere; give only one of them"
            )
        object.__setattr__(self, "trusted", tuple(self.trusted))
        self.trusted_networks()

    def trusted_networks(self) -> tuple[Network, ...]:
        """Return `trusted` as networks, or say which entry is none."""
        return tuple(_network(entry) for entry in self.trusted)


def _network(entry: object) -> Network:
    try:
        return ipaddress.ip_network(str(entry), strict=False)
    except ValueError:
        raise ConfigurationError(
            f"http.trusted holds {entry!r}; give addresses or networks, as '127.0.0.1' or '10.0.0.0/8'"
        ) from None


def _check_line(value: object, name: str, accepted: str) -> None:
    """Refuse what is no line of printable ASCII; a header could hold more than one line else."""
    if value is None:
        return
    if not isinstance(value, str) or not value.strip() or not (value.isascii() and value.isprintable()):
        raise ConfigurationError(f"http.{name} is {value!r}; give {accepted}, or None")
