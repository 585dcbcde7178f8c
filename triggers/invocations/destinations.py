"""Judges where results may be posted: not to this machine or its link, unless the config lists the place."""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from conf.places import name_place

PORTS = {"http": 80, "https": 443}
MOST_TRIED = 4
"""Addresses of one name that are tried, one after the other."""


class CallbackError(Exception):
    """A callback that was not taken; `final` when the same one will not be."""

    def __init__(self, message: str, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


class ForbiddenPlaceError(Exception):
    """This machine or its link, and the config does not list it."""


@dataclass(frozen=True)
class Destination:
    """What a URL leads to; the host is in small letters, without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return name_place(self.host, self.port)

    def is_listed(self, listed: frozenset[str]) -> bool:
        """Whether `callback_hosts` has the host, or just this port of it."""
        return not listed.isdisjoint({name_place(self.host), str(self)})


def read_destination(url: str) -> Destination:
    """Where an http or https URL leads; raises ValueError for anything else."""
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname or parts.port == 0:
        raise ValueError("is not an http or https address")
    return Destination(parts.hostname, parts.port or PORTS[parts.scheme])


def check_literal(place: Destination, listed: frozenset[str]) -> None:
    """Judge what needs no look-up: an address, however it is spelt, and `localhost`.

    Raises ForbiddenPlaceError, and ValueError for what can be no host's name.
    """
    if place.is_listed(listed):
        return
    if place.host.rstrip(".").rpartition(".")[2] == "localhost":
        raise _forbidden(place, "localhost")
    try:
        found = socket.getaddrinfo(place.host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return
    _allowed(place, [str(each[4][0]) for each in found])


async def resolve(place: Destination, listed: frozenset[str]) -> list[str]:
    """The addresses to connect to, and to no other: a name may lead elsewhere when it is looked up again.

    Raises ForbiddenPlaceError; OSError while the name is not found, ValueError when it can be no name.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    return (addresses if place.is_listed(listed) else _allowed(place, addresses))[:MOST_TRIED]


def _allowed(place: Destination, addresses: list[str]) -> list[str]:
    allowed = [each for each in addresses if not _is_near(each)]
    if not allowed:
        raise _forbidden(place, ", ".join(addresses))
    return allowed


def _forbidden(place: Destination, address: str) -> ForbiddenPlaceError:
    return ForbiddenPlaceError(
        f"leads to this machine or its link ({address}), where results are posted only if the config lists "
        f'it: callback_hosts: ["{place}"]'
    )


def _is_near(text: str) -> bool:
    """Whether only this machine or its link knows the address by this name."""
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    near = address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast
    return near or _is_own(address)


def _is_own(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether this machine has the address, on which the host itself may listen: only such can be bound."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True
