"""Finds loopback ports that nobody listens on."""

import socket


def is_free(port: int) -> bool:
    """Whether nobody listens on it just now; true for 0, which is any."""
    try:
        _listen(port)
    except OSError:
        return False
    return True


def free_port() -> int:
    """One that is free just now."""
    return _listen(0)


def _listen(port: int) -> int:
    with socket.socket() as probe:
        # Connections of an earlier demo that still linger do not keep a server from listening.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        # With the option above, only listening tells whether somebody else does.
        probe.listen()
        bound: int = probe.getsockname()[1]
        return bound
