"""Which addresses one request may reach: the first anywhere, those it is redirected to only where that is safe.

Judged on the address really connected to, so that a name which changes its address (DNS rebinding) does not pass.
"""

import ipaddress
import re
import socket
from collections.abc import Sequence

from data_source_orchestrator.web.policy import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NOT_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        (
            "168.63.129.16/32",  # Azure's metadata service
            "192.0.0.0/24",  # IETF protocol assignments, Oracle's metadata service among them
            "192.88.99.0/24",  # relays of 6to4
            "3fff::/20",  # documentation
        ),
    )
)
"""What Python's own list, or that of its older versions, counts as public and is not."""

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""Out of which alone public IPv6 addresses are given (RFC 4291, section 2.4)."""

_CARRYING_IPV4 = tuple(map(ipaddress.IPv6Network, ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96")))
"""Networks whose last 32 bits are an IPv4 address: IPv4-compatible, IPv4-translated, and NAT64's own."""

_ISATAP = re.compile(rb"[\x00\x02]\x00\x5e\xfe")
"""How the last 64 bits of an address begin that leads into an IPv4 network (RFC 5214); the IPv4 address follows."""

_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+", re.IGNORECASE)
"""A name that somebody out there may have; one of a single part is looked up among one's own."""

_INNER_NAMES = re.compile(r"(?:.*\.)?(?:localhost|localdomain|local|internal|home\.arpa)", re.IGNORECASE)
"""Names that are given inside networks, metadata services' among them."""


class Reach:
    """The addresses that one request may reach, hop by hop."""

    __slots__ = ("_home", "_redirected", "_trusted")

    def __init__(self, trusted: Sequence[Network] = ()) -> None:
        self._trusted = trusted
        self._home: set[str] = set()
        self._redirected = False

    def follow_redirect(self) -> None:
        """Note that what follows was chosen by an upstream, not by us."""
        self._redirected = True

    def admits(self, host: str) -> bool:
        """Return whether a connection to this numeric address may be used."""
        if not self._redirected:
            return True
        address = _address(host)
        if address is None:
            return False
        return host in self._home or any(address in network for network in self._trusted) or is_public(address)

    def admits_name(self, host: str) -> bool:
        """Return whether a proxy may be asked for this host; names it looks up itself are judged as they are spelt."""
        if not self._redirected or host in self._home:
            return True
        bare = host.rstrip(".")
        address = _spelt(bare)
        if address is not None:
            return self.admits(str(address))
        return _NAME.fullmatch(bare) is not None and _INNER_NAMES.fullmatch(bare) is None

    def arrive(self, host: str) -> None:
        """Note the address on which the request's own URL stands: it is trusted from here on."""
        if not self._redirected:
            self._home.add(host)


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, by its own name or number."""
    bare = host.rstrip(".").lower()
    address = _spelt(bare)
    if address is None:
        return bare == "localhost" or bare.endswith(".localhost")
    return address.is_loopback or _carried(address).is_loopback


def is_public(address: Address) -> bool:
    """Return whether an address is out on the internet: not loopback, link-local, private, shared or metadata."""
    address = _carried(address)
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _NOT_PUBLIC)


def _carried(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if any(address in network for network in _CARRYING_IPV4) or _ISATAP.match(address.packed[8:]):
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1] or address


def _address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _spelt(host: str) -> Address | None:
    """Return the address that a host is spelt as, in any way that systems read: 127.1, 0x7f000001, 2130706433, …."""
    try:
        return _address(host) or ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return None
