import ipaddress

import pytest

from data_source_orchestrator.web import HttpPolicy
from data_source_orchestrator.web.reach import Reach, is_loopback, is_public

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
]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_somebodys_network_is_not_public(address: str):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["185.199.108.133", "1.1.1.1", "2606:50c0:8000::154", "64:ff9b::101:101"])
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
    for host in ("localhost", "LOCALHOST.", "db.localhost", "169.254.169.254", "::1"):
        assert not reach.admits_name(host)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("a.localhost", True), ("127.0.0.2", True), ("::1", True), ("a.example", False)],
)
def test_this_machine_is_known_by_name_and_number(host: str, expected: bool):
    assert is_loopback(host) is expected
