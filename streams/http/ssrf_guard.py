"""Resolves addresses, and refuses machines inside this network."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress

from streams.errors import DataError, Unavailable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

INNER_NAMES = ("localhost", "local", "internal", "lan", "intranet", "home.arpa")
"""Endings of names that lead nowhere but to this machine or this network."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def addresses(host: str, port: int, *, internal: bool = False) -> list[str]:
    """Return the addresses of a host, as its operating system sees them, all of them checked.

    Who connects to one of these, and not to the name, connects to what was checked: a name whose owner
    changes its address in between (DNS rebinding) gains nothing. A number in any spelling (decimal,
    octal, hexadecimal) becomes the address that it means, and is checked as that.

    Args:
        host: a name or a number.
        port: where to connect.
        internal: whether addresses inside this network are allowed.

    Raises:
        DataError: one of them is inside this network.
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
    """Check a host that somebody else will look up: only numbers and telling names can be refused.

    Raises:
        DataError: it is a number inside this network, or a name that only means something there.
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
    """Whether an address is not one of the internet's: this machine, this network, many machines, reserved.

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
    """Return the IPv4 address that an IPv6 address stands for, if it does."""
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    compatible = int(address) >> 32 == 0 and int(address) > 1
    if compatible:  # ::a.b.c.d, long deprecated, and some systems still connect
        return ipaddress.IPv4Address(int(address))
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def _refuse_name(host: str) -> None:
    name = host.rstrip(".").lower()
    if any(name == inner or name.endswith(f".{inner}") for inner in INNER_NAMES):
        raise _refusal(host, "a name of this machine or network")


def _refuse_address(host: str, address: Address) -> None:
    if is_internal(address):
        raise _refusal(
            host, f"the address {address}" if str(address) != host.strip("[]") else "such an address"
        )


def _refusal(host: str, why: str) -> DataError:
    return DataError(
        f"{host[:100]} is inside this machine's network ({why}), and is not read",
        "correct the address; if it is a podcast of your own, set GROUNDSWELL_INTERNAL_ADDRESSES=true",
    )
