"""A caller that minds no rules: bytes as they are, and what comes back."""

import contextlib
import socket
from urllib.parse import urlsplit

PATIENCE = 120.0
LAST = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
"""A request after which the host hangs up, if it takes it for one."""


def connect(url: str) -> socket.socket:
    """A connection to the host at `url`; reading from it has a deadline."""
    place = urlsplit(url)
    wire = socket.create_connection((place.hostname or "", place.port or 0), timeout=PATIENCE)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return wire


def ask(url: str, request: bytes) -> bytes:
    """All that is answered to these bytes, which should have the host hang up in the end."""
    with connect(url) as wire:
        with contextlib.suppress(OSError):
            wire.sendall(request)
        return read_rest(wire)


def read_rest(wire: socket.socket) -> bytes:
    """All until the host hangs up; raises TimeoutError when it does not."""
    parts = []
    with contextlib.suppress(ConnectionError):
        while part := wire.recv(65536):
            parts.append(part)
    return b"".join(parts)


def statuses(answer: bytes) -> list[int]:
    """Those of all answers in what came back."""
    pieces = answer.split(b"HTTP/1.1 ")[1:]
    return [int(piece[:3]) for piece in pieces]


def is_over(wire: socket.socket) -> bool:
    """Whether the host has hung up; what it said before is thrown away."""
    wire.setblocking(False)
    try:
        while True:
            if not wire.recv(65536):
                return True
    except BlockingIOError:
        return False
    except OSError:
        return True


def drip(wires: list[socket.socket], data: bytes) -> list[socket.socket]:
    """Send each host's end a little; returns the connections that are still open."""
    still = []
    for wire in wires:
        if is_over(wire):
            wire.close()
            continue
        with contextlib.suppress(OSError):
            wire.send(data)
        still.append(wire)
    return still
