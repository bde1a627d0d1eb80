"""An IPv4 address is as public as it is, however an IPv6 address carries it and however it is spelt."""

import ipaddress
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from data_source_orchestrator.web.reach import Reach, is_public

INNER = ["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "100.64.0.1", "192.0.0.192"]
IPV4 = st.ip_addresses(v=4) | st.sampled_from(INNER).map(ipaddress.IPv4Address)


def _at(prefix: str, shift: int = 0) -> Callable[[int], int]:
    return lambda number: int(ipaddress.IPv6Address(prefix)) | number << shift


FORMS: dict[str, Callable[[int], int]] = {
    "mapped": _at("::ffff:0:0"),
    "compatible": _at("::"),
    "translated": _at("::ffff:0:0:0"),
    "NAT64": _at("64:ff9b::"),
    "6to4": _at("2002::", 80),
    "ISATAP": _at("2606:50c0::5efe:0:0"),
    "Teredo": lambda number: int(ipaddress.IPv6Address("2001::")) | (number ^ 0xFFFFFFFF),
}

SPELLINGS: list[Callable[[ipaddress.IPv4Address], str]] = [
    str,
    lambda address: f"{address}.",
    lambda address: str(int(address)),
    lambda address: hex(int(address)),
    lambda address: f"0{int(address):o}",
    lambda address: ".".join(hex(part) for part in address.packed),
    lambda address: ".".join(f"0{part:o}" for part in address.packed),
    lambda address: f"{address.packed[0]}.{int(address) & 0xFFFFFF}",
]


@given(IPV4, st.sampled_from(sorted(FORMS)))
def test_an_address_that_carries_another_is_as_public_as_that(address: ipaddress.IPv4Address, form: str):
    carrying = ipaddress.IPv6Address(FORMS[form](int(address)))
    assert is_public(carrying) is is_public(address)


@given(IPV4, st.sampled_from(SPELLINGS))
def test_a_proxy_is_asked_for_no_spelling_of_an_inner_address(
    address: ipaddress.IPv4Address, spell: Callable[[ipaddress.IPv4Address], str]
):
    reach = Reach()
    reach.follow_redirect()
    spelt = spell(address)
    assert reach.admits_name(spelt) is is_public(address)


@given(st.ip_addresses(v=6))
def test_no_ipv6_address_outside_of_global_unicast_is_public_by_itself(address: ipaddress.IPv6Address):
    if is_public(address) and address not in ipaddress.IPv6Network("2000::/3"):
        assert is_public(ipaddress.IPv4Address(address.packed[-4:]))
