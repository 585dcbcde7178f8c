"""A sensor and a listener on raw sockets: a load that costs a fraction of what it measures."""

import contextlib
import select
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

PATIENCE = 20.0
WARM_UP = 0.5
PAUSE = 0.001
"""Seconds between looks at the answers under full load: a wake-up for each would take a core from them."""
SHARE = 20
READ_SIZE = 256 * 1024
CONNACK, PUBLISH, PUBACK, SUBACK = 2, 3, 4, 9

_clock = time.monotonic


@dataclass(frozen=True)
class Route:
    """Where the broker listens, and the topics of the events and of their answers."""

    port: int
    source: str
    target: str


@dataclass
class Tally:
    """What came of one shot. Times are in seconds; the answers are taken to be in the order of the events.

    `rate` is of answers per second, without the first `WARM_UP` seconds of a flood.
    """

    sent: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    rate: float = 0.0

    @property
    def unanswered(self) -> int:
        """Events that were sent and have no answer yet."""
        return len(self.sent) - len(self.waited)


class Line:
    """Sends one body again and again at QoS 1, and hears the answers (at QoS 0, which costs it nothing)."""

    def __init__(self, route: Route, body: bytes) -> None:
        self._sensor = _connect(route.port, f"sensor of {route.source}")
        self._listener = _connect(route.port, f"listener to {route.target}")
        self._listener.sendall(_packet(0x82, b"\0\1\0" + _text(route.target) + b"\0"))
        _expect(self._listener, SUBACK)
        self._packets = _Packets(route.source, body)
        self._rest = b""

    def close(self) -> None:
        """Hang up."""
        self._sensor.close()
        self._listener.close()

    def answers(self, patience: float) -> bool:
        """Whether an event is answered within so many seconds."""
        tally = Tally()
        self._send(tally, 1)
        self._drain(tally, patience)
        return not tally.unanswered

    def flood(self, seconds: float, window: int) -> Tally:
        """Keep `window` events unanswered for so many seconds, then wait for the last answer."""
        tally = Tally()
        begun = _clock()
        warm, before = begun + min(WARM_UP, seconds / 2), 0
        while (now := _clock()) < begun + seconds:
            if now < warm:
                before = len(tally.waited)
            if (room := window - tally.unanswered) >= window // SHARE:
                self._send(tally, room)
            time.sleep(PAUSE)
            self._hear(tally, 0.0)
        tally.rate = (len(tally.waited) - before) / (_clock() - warm)
        self._drain(tally)
        return tally

    def pace(self, seconds: float, rate: int) -> Tally:
        """Send `rate` events a second, one at a time, then wait for the last answer."""
        tally = Tally()
        begun = _clock()
        for number in range(int(seconds * rate)):
            while (early := begun + number / rate - _clock()) > 0:
                self._hear(tally, early)
            self._send(tally, 1)
        tally.rate = len(tally.waited) / (_clock() - begun)
        self._drain(tally)
        return tally

    def _send(self, tally: Tally, count: int) -> None:
        tally.sent += [_clock()] * count
        self._sensor.sendall(self._packets.take(count))

    def _drain(self, tally: Tally, patience: float = PATIENCE) -> None:
        end = _clock() + patience
        while tally.unanswered and _clock() < end:
            self._hear(tally, PAUSE)

    def _hear(self, tally: Tally, wait: float) -> None:
        readable, _, _ = select.select([self._sensor, self._listener], [], [], wait)
        if self._sensor in readable:
            # The broker's confirmations; an event that it lost is one without an answer.
            _receive(self._sensor)
        if self._listener in readable:
            data = self._rest + _receive(self._listener)
            heard, used = _count(data)
            self._rest = data[used:]
            now, first = _clock(), len(tally.waited)
            tally.waited += [now - sent for sent in tally.sent[first : first + heard]]


class _Packets:
    """One event as PUBLISH under each packet id, all made before the load begins."""

    def __init__(self, topic: str, body: bytes) -> None:
        one = _packet(0x32, _text(topic) + b"\0\0" + b"\0" + body)
        at = one.index(_text(topic)) + len(_text(topic))
        before, after = one[:at], one[at + 2 :]
        self._bytes = b"".join(before + struct.pack("!H", mid) + after for mid in range(1, 65536))
        self._size = len(one)
        self._next = 0

    def take(self, count: int) -> bytes:
        first, self._next = self._next, (self._next + count) % 65535
        taken = self._bytes[first * self._size : (first + count) * self._size]
        return taken if self._next == first + count else taken + self._bytes[: self._next * self._size]


@contextlib.contextmanager
def open_line(route: Route, body: bytes) -> Iterator[Line]:
    """A line that hangs up at the end."""
    line = Line(route, body)
    try:
        yield line
    finally:
        line.close()


def _connect(port: int, client_id: str) -> socket.socket:
    connected = socket.create_connection(("127.0.0.1", port), PATIENCE)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # MQTT 5, a clean start, no keepalive, no properties.
    connected.sendall(_packet(0x10, _text("MQTT") + b"\5\2\0\0\0" + _text(client_id)))
    _expect(connected, CONNACK)
    return connected


def _expect(connected: socket.socket, kind: int) -> None:
    """Read one answer of the broker, which begins the stream and comes in one piece."""
    told = _receive(connected)
    assert told[0] >> 4 == kind, told


def _receive(connected: socket.socket) -> bytes:
    data = connected.recv(READ_SIZE)
    assert data, "the broker has closed the connection"
    return data


def _count(data: bytes) -> tuple[int, int]:
    """How many PUBLISH packets `data` holds as a whole, and how long the whole packets are together."""
    count = at = 0
    while len(data) - at >= 2:
        length, body, shift = 0, at + 1, 0
        while body < len(data):
            length |= (data[body] & 127) << shift
            shift, body = shift + 7, body + 1
            if data[body - 1] < 128:
                break
        else:
            break
        if body + length > len(data):
            break
        count += data[at] >> 4 == PUBLISH
        at = body + length
    return count, at


def _packet(command: int, content: bytes) -> bytes:
    length, size = len(content), bytearray()
    while length > 127:
        size.append(length & 127 | 128)
        length >>= 7
    size.append(length)
    return bytes((command,)) + bytes(size) + content


def _text(text: str) -> bytes:
    return struct.pack("!H", len(text.encode())) + text.encode()
