"""Broker addresses: `tcp:// mqtt:// ssl:// mqtts:// ws:// websockets:// wss://` and what they mean."""

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

Transport = Literal["tcp", "websockets"]

# The ports are those registered for MQTT (1883, 8883) and for HTTP.
SCHEMES: dict[str, tuple[Transport, bool, int]] = {
    "tcp": ("tcp", False, 1883),
    "mqtt": ("tcp", False, 1883),
    "ssl": ("tcp", True, 8883),
    "tls": ("tcp", True, 8883),
    "mqtts": ("tcp", True, 8883),
    "ws": ("websockets", False, 80),
    "websockets": ("websockets", False, 80),
    "wss": ("websockets", True, 443),
}


@dataclass(frozen=True)
class Address:
    """Where a broker listens and how to talk to it; `path` is of use to websockets only."""

    host: str
    port: int
    transport: Transport
    tls: bool
    path: str = "/mqtt"
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def shown(self) -> str:
        """As people write it, without credentials."""
        kind = (
            ("wss" if self.tls else "ws") if self.transport == "websockets" else "ssl" if self.tls else "tcp"
        )
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{kind}://{host}:{self.port}"

    @property
    def place(self) -> tuple[str, int]:
        """What tells one broker from another."""
        return self.host.lower(), self.port


def parse_url(text: str) -> Address:
    """`tcp://192.168.241.1:1883` as an Address. Raises ValueError that never contains the password."""
    parts = urlsplit(text.strip())
    if parts.scheme.lower() not in SCHEMES:
        raise ValueError(f"a broker's address begins with one of {', '.join(SCHEMES)}, then ://")
    if not parts.hostname:
        raise ValueError("a broker's address names a host: tcp://HOST:PORT")
    transport, tls, port = SCHEMES[parts.scheme.lower()]
    return Address(
        host=parts.hostname,
        port=_port(parts) or port,
        transport=transport,
        tls=tls,
        path=parts.path if parts.path not in ("", "/") else "/mqtt",
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        # The original message quotes what may be the rest of a password with a slash in it.
        raise ValueError("a broker's port is a number from 1 to 65535") from None
