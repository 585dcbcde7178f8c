"""An instance of a plain function: one event at a time, each answer sent as soon as it is there."""

import socket
from collections.abc import Callable

from .frames import Decoder, Head
from .invocation import Runner
from .loader import Function

# Beyond 128 KiB malloc would map and unmap memory for each call.
READ_SIZE = 64 * 1024

Reply = Callable[[Head], bytes | None]


class SyncLoop:
    """Reads events from the slot's socket until the host closes its side."""

    def __init__(self, channel: socket.socket, decoder: Decoder, reply: Reply) -> None:
        self._channel = channel
        self._decoder = decoder
        self._reply = reply

    def run(self, function: Function, runner: Runner) -> None:
        """Returns at the end of the stream, when all that came before it is answered."""
        while data := self._channel.recv(READ_SIZE):
            for head, body in self._decoder.feed(data):
                frame = runner.run(function, head, body) if "n" in head else self._reply(head)
                if frame:
                    self._channel.sendall(frame)
