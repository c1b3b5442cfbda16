"""Which addresses the broker may connect to. Pure.

An administrator names the host of an endpoint, but whoever runs its DNS decides to which address the name resolves. So
only addresses of the public Internet are allowed, and addresses in networks that the operator has named.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

# This prefix of NAT64 represents all IPv4 addresses for hosts that have only IPv6.
_NAT64 = IPv6Network("64:ff9b::/96")
# The part of IPv6 that is assigned to the public Internet.
_PUBLIC_V6 = IPv6Network("2000::/3")
_SPECIAL = tuple(
    ip_network(text)
    for text in (
        "168.63.129.16/32",  # Azure's metadata service; its address looks like a public one.
        "192.0.0.0/24",  # Reserved for protocols; clouds have metadata services here. `is_global` covers only parts.
        "192.88.99.0/24",  # Relays of 6to4.
        "2001::/23",  # Teredo and others: it contains another address.
        "2002::/16",  # 6to4: it contains another address.
        "3fff::/20",  # Documentation.
    )
)


def is_allowed(address: Address, networks: Iterable[Network]) -> bool:
    """Whether `address`, or the IPv4 address that it contains, is public or in one of `networks`."""
    address = _meant(address)
    return any(address in network for network in networks) or _is_public(address)


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 address contains, if it is mapped or translated by NAT64; else the address."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address


def _is_public(address: Address) -> bool:
    # `is_global` is false for the private, loopback, link-local, shared (carrier-grade NAT) and reserved ranges.
    if not address.is_global or address.is_multicast or any(address in network for network in _SPECIAL):
        return False
    return isinstance(address, IPv4Address) or address in _PUBLIC_V6
