"""The address that the host listens on."""

import ipaddress
from dataclasses import dataclass


@dataclass(frozen=True)
class Address:
    """Where to listen; port 0 means any that is free."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it; a host name other than localhost counts as reachable."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def network_of(peer: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one, since who has one of these has all; else `peer` as it is.

    >>> network_of("::ffff:10.0.0.1"), network_of("2001:db8::1"), network_of("token:line-1")
    ('10.0.0.1', '2001:db8::/64', 'token:line-1')
    """
    if ":" not in peer:
        return peer
    try:
        address = ipaddress.IPv6Address(peer.partition("%")[0])
    except ValueError:
        return peer
    if address.is_loopback:
        return peer
    return str(address.ipv4_mapped or ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))


def parse_address(text: object) -> Address:
    """The address `HOST:PORT`, an IPv6 host in brackets; raises ValueError for anything else."""
    if isinstance(text, Address):
        return text
    host, colon, port = text.rpartition(":") if isinstance(text, str) else ("", "", "")
    bracketed = host.startswith("[") and host.endswith("]")
    if not (colon and host and port.isascii() and port.isdigit()) or (":" in host and not bracketed):
        raise ValueError(
            f"{text!r} is not HOST:PORT such as 127.0.0.1:5888; 0.0.0.0 as host means every address"
        )
    if int(port) > 65535:
        raise ValueError(f"port {port} is over 65535")
    return Address(host.strip("[]"), int(port))
