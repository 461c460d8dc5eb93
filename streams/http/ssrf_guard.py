"""SSRF guard: resolves host names, and refuses addresses inside this network."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress

from streams.errors import DataError, Unavailable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

INNER_NAMES = ("localhost", "local", "internal", "lan", "intranet", "home.arpa")
"""Suffixes of names that only resolve to this machine or this network."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def addresses(host: str, port: int, *, internal: bool = False) -> list[str]:
    """Resolve a host with the operating system and return its addresses, all of them checked.

    The caller must connect to one of these addresses and not to the name; then an owner who changes the
    name's address in between (DNS rebinding) gains nothing. A numeric address in any spelling (decimal,
    octal, hexadecimal) is normalized before the check.

    Args:
        host: a name or a numeric address.
        port: the port to connect to.
        internal: whether addresses inside this network are allowed.

    Raises:
        DataError: an address is inside this network.
        Unavailable: the name has no address, or no name server answers.
    """
    if not internal:
        _refuse_name(host)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable(
            f"the name {host[:100]} has no address ({error})",
            "check its spelling, and this machine's network and name server",
        ) from error
    numbers = list(dict.fromkeys(str(each[4][0]) for each in found))
    if not internal:
        for number in numbers:
            _refuse_address(host, ipaddress.ip_address(number.partition("%")[0]))
    return numbers


def refuse_literal(host: str) -> None:
    """Check a host that a proxy will resolve: only numeric addresses and telling names can be refused.

    Raises:
        DataError: it is a numeric address inside this network, or a name that only resolves there.
    """
    _refuse_name(host)
    bare = host.strip("[]").partition("%")[0]
    with suppress(ValueError):
        _refuse_address(host, ipaddress.ip_address(bare))
        return
    with suppress(OSError):
        _refuse_address(host, ipaddress.IPv4Address(socket.inet_aton(bare)))
        return
    if "." not in host.rstrip("."):
        raise _refusal(host, "a name without a domain")


def is_internal(address: Address) -> bool:
    """Return whether an address is not public: loopback, private, link-local, multicast or reserved.

    Example:
        >>> [is_internal(ipaddress.ip_address(each)) for each in ("::ffff:10.0.0.1", "64:ff9b::a00:1")]
        [True, True]
    """
    inner = _inside(address)
    if inner is not None:
        return is_internal(inner)
    site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return not address.is_global or address.is_multicast or address.is_reserved or site_local


def _inside(address: Address) -> Address | None:
    """Return the IPv4 address that is embedded in an IPv6 address, or None."""
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    compatible = int(address) >> 32 == 0 and int(address) > 1
    if compatible:  # ::a.b.c.d: deprecated long ago, but some systems still connect
        return ipaddress.IPv4Address(int(address))
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def _refuse_name(host: str) -> None:
    name = host.rstrip(".").lower()
    if any(name == inner or name.endswith(f".{inner}") for inner in INNER_NAMES):
        raise _refusal(host, "a name of this machine or network")


def _refuse_address(host: str, address: Address) -> None:
    if is_internal(address):
        raise _refusal(
            host, f"the address {address}" if str(address) != host.strip("[]") else "an internal address"
        )


def _refusal(host: str, why: str) -> DataError:
    return DataError(
        f"{host[:100]} is inside this machine's network ({why}), so it is not read",
        "correct the address; if the podcast is your own, set GROUNDSWELL_INTERNAL_ADDRESSES=true",
    )
