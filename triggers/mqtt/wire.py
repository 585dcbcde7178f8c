"""Between paho and its socket: what is paid per event goes past paho, in few reads and writes.

paho reads a packet with three calls of the system and writes each with one, with its locks around all of it.
"""

import socket
import ssl
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from paho.mqtt.client import Client

from triggers.mqtt.packets import Cutter, Packet, write_packet

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike

READ_SIZE = 32 * 1024
READS_PER_WAKE = 8
WRITE_SIZE = 256 * 1024
PING_ANSWER = b"\xd0\0"

Chunk = bytes | memoryview

_BUSY = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Wire:
    """What `client` has for its socket from now on; `wake` is called when `flush` should be soon.

    Raises ConnectionError when the client has no socket, RuntimeError when this paho will not have another.
    """

    def __init__(self, client: Client, wake: Callable[[], None]) -> None:
        below = client.socket()
        if below is None:
            raise ConnectionError("the connection was closed at once")
        self.below: SocketLike = below
        self.more = False
        # The event loop tells again of what is left in a plain socket, not of what TLS has decrypted already.
        self._reads = 1 if type(below) is socket.socket else READS_PER_WAKE
        self._client = client
        self._wake = wake
        self._cutter = Cutter()
        self._for_paho = b""
        self._end: OSError | bytes | None = None
        self._heard = False
        self._out: deque[Chunk] = deque()
        # Whether paho is in the middle of a packet, so that nothing may come between.
        self._torn = client.want_write()
        # The one place where we reach into paho; everything else is its public interface.
        client._sock = self
        if client.socket() is not self:
            raise RuntimeError("this version of paho-mqtt keeps its socket elsewhere: install another one")

    @property
    def waits(self) -> bool:
        """Whether something is still to be written."""
        return bool(self._out) or self._client.want_write()

    def read(self) -> list[Packet]:
        """What has come; `more` says whether there may be more that the event loop will not tell of.

        At the end of the stream, or at its failure, paho is told. Raises ValueError for what is no packet.
        """
        packets: list[Packet] = []
        self.more = self._reads > 1
        for _ in range(self._reads):
            data = self._receive()
            if data is None:
                return packets
            packets += self._cutter.feed(data)
        return packets

    def _receive(self) -> bytes | None:
        try:
            data = self.below.recv(READ_SIZE)
        except _BUSY:
            self.more = bool(getattr(self.below, "pending", int)())
            return None
        except OSError as error:
            self._end = error
            return None
        if not data:
            self._end = data
            return None
        self._heard = True
        return data

    def was_reset(self) -> bool:
        """Whether the socket has an error: uvloop tells of it once, whatever is left to read."""
        if not isinstance(self.below, socket.socket) or self.below.fileno() < 0:
            return False
        return bool(self.below.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def pass_on(self, packet: Packet) -> None:
        """Let paho have a packet, and do what it does."""
        first, content = packet
        self._feed(write_packet(first, content))

    def prove_life(self) -> None:
        """Tell paho, if anything came since the last time: it knows of no other packets than its own."""
        if self._heard:
            self._heard = False
            self._feed(PING_ANSWER)

    def tell_end(self) -> None:
        """Let paho find the end of the stream, if it has come."""
        if self._end is not None:
            self._client.loop_read()

    def _feed(self, data: bytes) -> None:
        self._for_paho += data
        while self._for_paho and self._client.socket() is not None:
            self._client.loop_read()

    def write(self, packet: bytes) -> None:
        """Let a packet go with the next `flush`."""
        self._out.append(packet)
        if len(self._out) == 1:
            self._wake()

    def flush(self) -> None:
        """Write what the socket takes: first ours, then what paho has to say."""
        if self._torn:
            self._client.loop_write()
        if self._out and not self._torn:
            self._send_ours()
        if not self._out and self._client.want_write():
            self._client.loop_write()

    def _send_ours(self) -> None:
        while self._out:
            data = self._take_chunk()
            sent = self._send(data)
            if sent < len(data):
                self._out.appendleft(memoryview(data)[sent:])
                return

    def _take_chunk(self) -> Chunk:
        """As many packets as make one good write; each alone would cost as much."""
        size, count = 0, 0
        for packet in self._out:
            size, count = size + len(packet), count + 1
            if size >= WRITE_SIZE:
                break
        taken = [self._out.popleft() for _ in range(count)]
        return taken[0] if count == 1 else b"".join(taken)

    def _send(self, data: Chunk) -> int:
        try:
            # Also a websocket of paho's takes a memoryview.
            return self.below.send(data)  # type: ignore[arg-type]
        except _BUSY:
            return 0
        except OSError as error:
            self._end = error
            return 0

    def recv(self, buffer_size: int) -> bytes:
        """For paho: what was passed on to it."""
        if self._for_paho:
            taken, self._for_paho = self._for_paho[:buffer_size], self._for_paho[buffer_size:]
            return taken
        if isinstance(self._end, OSError):
            raise self._end
        if self._end is not None:
            return self._end
        raise BlockingIOError

    def send(self, buffer: bytes | bytearray) -> int:
        """For paho: write at once, unless something of ours is still to be written."""
        if self._out:
            raise BlockingIOError
        self._torn = True
        sent = self.below.send(buffer)
        self._torn = sent < len(buffer)
        return sent

    def close(self) -> None:
        """For paho: close the socket."""
        self.below.close()

    def fileno(self) -> int:
        """For paho: the socket's descriptor."""
        return self.below.fileno()

    def setblocking(self, flag: bool) -> None:
        """For paho."""
        self.below.setblocking(flag)

    def pending(self) -> int:
        """For paho, which would ask a TLS socket: bytes that no event loop will tell of."""
        return len(self._for_paho)
