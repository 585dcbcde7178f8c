"""The first words of an instance, which the kernel signs with the process that sent them (unix(7))."""

import socket
import struct

SCM_CREDENTIALS = 2
CREDENTIALS = struct.Struct("iII")
HELLO_SIZE = 4096


def await_greeting(ours: socket.socket) -> None:
    """Have the kernel say who sends on the other end of a pair of sockets."""
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    ours.setblocking(False)


def receive_greeting(ours: socket.socket) -> tuple[bytes, int]:
    """What came first and the pid that sent it; nothing and 0 where the other end was closed.

    Raises BlockingIOError when nothing is there.
    """
    try:
        data, ancillary, _, _ = ours.recvmsg(HELLO_SIZE, socket.CMSG_SPACE(CREDENTIALS.size))
    except BlockingIOError:
        raise
    except OSError:
        return b"", 0
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)
    signed = (
        told for level, kind, told in ancillary if (level, kind) == (socket.SOL_SOCKET, SCM_CREDENTIALS)
    )
    return data, next(map(_pid, signed), 0)


def _pid(credentials: bytes) -> int:
    return int(CREDENTIALS.unpack(credentials[: CREDENTIALS.size])[0])
