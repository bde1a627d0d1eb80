import ipaddress

import pytest

from data_source_orchestrator.web import HttpPolicy
from data_source_orchestrator.web.reach import Reach, is_loopback, is_public

INNER_NAMES = [
    "localhost",
    "LOCALHOST.",
    "db.localhost",
    "169.254.169.254",
    "169.254.169.254.",
    "::1",
    "127.1",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "2130706433",
    "2852039166",
    "127%2e0.0.1",
    "127.0.0.1%00.a.example",
    "127.0.0.1 a.example",
    "a b.example",
    "redis",
    "metadata",
    "metadata.google.internal",
    "printer.local",
    "router.home.arpa",
    "localhost.localdomain",
]
"""What a proxy would find inside its own network."""

INSIDE = [
    "127.0.0.1",
    "127.8.8.8",
    "::1",
    "0.0.0.0",  # noqa: S104 — an address to refuse, not to listen on
    "::",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "fe80::1",
    "fd00:ec2::254",
    "224.0.0.1",
    "ff02::1",
    "168.63.129.16",
    "192.0.0.192",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "255.255.255.255",
    "192.0.0.8",
    "192.0.0.170",
    "192.88.99.1",
    "198.18.0.1",
    "203.0.113.7",
    "240.0.0.1",
    "fec0::1",
    "2001:db8::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "64:ff9b:1::7f00:1",
    "64:ff9b:1::101:101",
    "::ffff:0:7f00:1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "2606:50c0::5efe:10.0.0.1",
    "2606:50c0::200:5efe:127.0.0.1",
]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_somebodys_network_is_not_public(address: str):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["185.199.108.133", "1.1.1.1", "2606:50c0:8000::154", "64:ff9b::101:101", "2002:101:101::", "::ffff:1.1.1.1"],
)
def test_an_address_of_the_internet_is_public(address: str):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", [*INSIDE, "1.1.1.1"])
def test_the_first_request_may_go_wherever_the_operator_says(address: str):
    assert Reach().admits(address)


def test_a_redirect_may_lead_to_a_public_address_or_back_home_only():
    reach = Reach()
    reach.arrive("10.0.0.5")
    reach.follow_redirect()
    assert reach.admits("1.1.1.1")
    assert reach.admits("10.0.0.5")
    assert not reach.admits("10.0.0.6")
    assert not reach.admits("127.1")
    assert not reach.admits("fe80::1%eth0")


def test_where_a_redirect_leads_never_becomes_home():
    reach = Reach()
    reach.arrive("1.1.1.1")
    reach.follow_redirect()
    reach.arrive("10.0.0.6")
    assert not reach.admits("10.0.0.6")


def test_what_the_operator_trusts_may_be_redirected_to():
    reach = Reach(HttpPolicy(trusted=("10.0.0.0/8", "::1")).trusted_networks())
    reach.follow_redirect()
    assert reach.admits("10.9.9.9")
    assert reach.admits("::1")
    assert not reach.admits("127.0.0.1")


def test_a_proxy_is_not_asked_for_an_inner_host_on_an_upstreams_word():
    reach = Reach()
    reach.follow_redirect()
    assert reach.admits_name("a.example")
    for host in INNER_NAMES:
        assert not reach.admits_name(host), host
    for host in ("a.example", "a.example.", "xn--bcher-kva.example", "1.1.1.1", "1.1.1.1.", "2606:50c0:8000::154"):
        assert reach.admits_name(host), host


def test_a_proxy_is_asked_again_for_the_operators_own_inner_host():
    reach = Reach()
    reach.arrive("wiki.internal")
    reach.follow_redirect()
    assert reach.admits_name("wiki.internal")
    assert not reach.admits_name("vault.internal")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("a.localhost", True),
        ("127.0.0.2", True),
        ("127.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("a.example", False),
        ("10.0.0.1", False),
    ],
)
def test_this_machine_is_known_by_name_and_number(host: str, expected: bool):
    assert is_loopback(host) is expected
