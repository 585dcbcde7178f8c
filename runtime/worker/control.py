"""The channel between host and arbiter: one JSON object per packet, with file descriptors beside it."""

import array
import json
import os
import socket
from typing import Any

MAX_PACKET = 128 * 1024
MAX_FDS = 4

Message = dict[str, Any]


def send(channel: socket.socket, message: Message, fds: tuple[int, ...] = ()) -> None:
    """Send one packet over a SOCK_SEQPACKET socket; raises OSError when the other side is gone."""
    packet = json.dumps(message, separators=(",", ":")).encode()
    if len(packet) > MAX_PACKET:
        raise ValueError(f"a control message of {len(packet)} bytes is over the limit of {MAX_PACKET}")
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    channel.sendmsg([packet], ancillary)


def receive(channel: socket.socket) -> tuple[Message | None, list[int]]:
    """One message and its descriptors; (None, []) at the end of the stream.

    Raises ValueError for what is not a JSON object, BlockingIOError when nothing is there.
    """
    packet, fds, _, _ = socket.recv_fds(channel, MAX_PACKET, MAX_FDS)
    if not packet:
        return None, []
    try:
        message = json.loads(packet)
        if not isinstance(message, dict):
            raise ValueError("a control message is not an object")  # noqa: TRY004 - it is data, not a call
    except (ValueError, RecursionError) as error:
        for fd in fds:
            os.close(fd)
        raise ValueError(f"a control message cannot be read: {type(error).__name__}") from None
    return message, fds
