"""Which addresses one request may reach: the first anywhere, those it is redirected to only where that is safe.

Judged on the address really connected to, so that a name which changes its address (DNS rebinding) does not pass.
"""

import ipaddress
from collections.abc import Sequence

from data_source_orchestrator.web.policy import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_CLOUD_METADATA = frozenset(map(ipaddress.ip_address, ("168.63.129.16", "192.0.0.192")))
"""Metadata services that stand on addresses which count as public: Azure's and Oracle's."""

_CARRYING_IPV4 = tuple(map(ipaddress.IPv6Network, ("::/96", "64:ff9b::/96")))
"""Networks whose last 32 bits are an IPv4 address: IPv4-compatible addresses and NAT64."""


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
        """Return whether a proxy may be asked for this host; names it resolves itself cannot be judged."""
        if _address(host) is not None:
            return self.admits(host)
        return not self._redirected or not is_loopback(host)

    def arrive(self, host: str) -> None:
        """Note the address on which the request's own URL stands: it is trusted from here on."""
        if not self._redirected:
            self._home.add(host)


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, by its own name or number."""
    bare = host.rstrip(".").lower()
    address = _address(bare)
    return bare == "localhost" or bare.endswith(".localhost") if address is None else address.is_loopback


def is_public(address: Address) -> bool:
    """Return whether an address is out on the internet: not loopback, link-local, private, shared or metadata."""
    address = _carried(address)
    return address.is_global and not address.is_multicast and address not in _CLOUD_METADATA


def _carried(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if any(address in network for network in _CARRYING_IPV4):
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1] or address


def _address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
