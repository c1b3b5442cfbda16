"""Which addresses the broker may connect to."""

from ipaddress import ip_address, ip_network

import pytest

from webhooks.addresses import is_allowed

PUBLIC = [
    "93.184.216.34",
    "1.1.1.1",
    "2606:2800:220:1:248:1893:25c8:1946",
    "::ffff:1.1.1.1",
    "64:ff9b::1.1.1.1",
]
REFUSED = {
    "loopback": ["127.0.0.1", "127.8.9.1", "::1"],
    "unspecified": ["0.0.0.0", "0.1.2.3", "::"],  # noqa: S104  # no binding
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12:3456::1"],
    "link-local": ["169.254.0.1", "fe80::1", "fe80::1%1"],
    "shared": ["100.64.0.1", "100.127.255.255"],
    "metadata": ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"],
    "reserved": ["192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "240.0.0.1"],
    "broadcast and multicast": ["255.255.255.255", "224.0.0.1", "239.1.2.3", "ff02::1"],
    "IPv4 in IPv6": ["::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::10.0.0.1", "::127.0.0.1"],
    "tunnels and relays": ["2002:7f00:1::", "2001:0:7f00:1::1", "192.88.99.1"],
    "documentation and old site-local": ["2001:db8::1", "3fff::1", "fec0::1", "100::1"],
}


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_allowed(text):
    assert is_allowed(ip_address(text), ())


def test_all_others_are_refused(subtests):
    for text in (text for texts in REFUSED.values() for text in texts):
        with subtests.test(text):
            assert not is_allowed(ip_address(text), ())


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.1.2.3", "10.1.0.0/16"),
        ("::ffff:10.1.2.3", "10.1.0.0/16"),
        ("64:ff9b::10.1.2.3", "10.1.0.0/16"),
        ("fd00:1::5", "fd00:1::/64"),
        ("127.0.0.1", "127.0.0.1/32"),
    ],
)
def test_an_address_in_a_named_network_is_allowed(text, network):
    assert is_allowed(ip_address(text), (ip_network(network),))


@pytest.mark.parametrize("text", ["10.2.0.1", "fd00:2::1", "127.0.0.2", "::ffff:10.2.0.1"])
def test_a_named_network_allows_no_other(text):
    networks = [ip_network(name) for name in ("10.1.0.0/16", "fd00:1::/64", "127.0.0.1/32")]
    assert not is_allowed(ip_address(text), networks)
