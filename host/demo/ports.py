"""Chooses loopback ports: the wanted one, or another when it is taken."""

import socket


def choose_port(wanted: int) -> int:
    """`wanted` if nobody listens on it, else one that is free just now (always so for 0)."""
    try:
        return _bind(wanted)
    except OSError:
        return _bind(0)


def _bind(port: int) -> int:
    with socket.socket() as probe:
        # Connections of an earlier demo that still linger do not keep a server from listening.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        # With the option above, only listening tells whether somebody else does.
        probe.listen()
        bound: int = probe.getsockname()[1]
        return bound
