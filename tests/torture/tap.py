"""Notes what passes between host and broker: which event was delivered, sent, acknowledged, cut off."""

import asyncio
import re
from collections import deque
from collections.abc import Iterator
from typing import Protocol

from tests.torture.ledger import Cut, Event, Ledger, Send
from tests.torture.packets import PUBACK, PUBLISH, Packet, Splitter, read_message

NUMBER = re.compile(rb'"number":\s*(\d+)')
# What the socket took may never have been read at its other end when the connection ends so soon after.
GRACE = 1.0


class Watch(Protocol):
    """What passes over one connection."""

    def take_messages(self, data: bytes) -> None:
        """Bytes of the side that publishes."""

    def take_acknowledgements(self, data: bytes) -> None:
        """Bytes of the side that acknowledges."""

    def let_through(self, data: bytes) -> None:
        """Of these bytes, those that the other side has been given."""

    def close(self, *, by_host: bool) -> None:
        """The connection has ended."""


class Tap(Protocol):
    """Watches all connections of a proxy; `inward` says that the broker publishes to the host there."""

    inward: bool

    def watch(self) -> Watch:
        """A new connection."""


class SourceTap:
    """Before the broker that events come from."""

    inward = True

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def watch(self) -> "Connection":
        """A new connection."""
        return SourceConnection(self._ledger)


class TargetTap:
    """Before the broker that results go to."""

    inward = False

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def watch(self) -> "Connection":
        """A new connection."""
        return TargetConnection(self._ledger)


class Connection:
    """The events whose messages passed, until they are acknowledged, and for a moment after."""

    def __init__(self, ledger: Ledger) -> None:
        self.clock = asyncio.get_running_loop().time
        self._began = self.clock()
        self._events = ledger.events
        self._messages = Splitter()
        self._said = Splitter()
        self._through = Splitter()
        self._open: dict[int, Event] = {}
        self._acknowledged: set[int] = set()
        self._recent: deque[tuple[float, Event]] = deque()

    def take_messages(self, data: bytes) -> None:
        """Bytes of the side that publishes."""
        for packet in self._messages.feed(data):
            if packet.kind == PUBLISH and packet.flags & 6:
                self._open_event(packet)

    def take_acknowledgements(self, data: bytes) -> None:
        """Bytes of the side that acknowledges."""
        self._acknowledged.update(_mids(self._said, data))

    def let_through(self, data: bytes) -> None:
        """Of these bytes, those that the other side has been given."""
        for mid in _mids(self._through, data):
            self._close_event(mid)

    def close(self, *, by_host: bool) -> None:
        """The connection has ended."""
        now = self.clock()
        for mid, event in self._open.items():
            self.cut(event, Cut(now, by_host or mid in self._acknowledged))
        for at, event in self._recent:
            if now - at < GRACE:
                self.cut(event, Cut(now, True))

    def begin(self, event: Event, send: Send) -> None:
        """The event's message passed."""

    def end(self, event: Event) -> None:
        """It was acknowledged."""

    def cut(self, event: Event, cut: Cut) -> None:
        """It was perhaps not acknowledged when the connection ended."""

    def _open_event(self, packet: Packet) -> None:
        message = read_message(packet)
        found = NUMBER.search(message.payload)
        event = self._events.get(int(found[1])) if found else None
        if event is not None:
            self._open[message.mid] = event
            self.begin(event, Send(self.clock(), self._began))

    def _close_event(self, mid: int) -> None:
        self._acknowledged.discard(mid)
        event = self._open.pop(mid, None)
        if event is None:
            return
        now = self.clock()
        self._recent.append((now, event))
        while now - self._recent[0][0] > GRACE:
            self._recent.popleft()
        self.end(event)


class SourceConnection(Connection):
    """Deliveries to the host, and its acknowledgements."""

    def end(self, event: Event) -> None:
        """The host has acknowledged the event."""
        event.acked = event.acked or self.clock()

    def cut(self, event: Event, cut: Cut) -> None:
        """The broker will deliver the event again."""
        event.cuts.append(cut)


class TargetConnection(Connection):
    """Results from the host, and the broker's confirmations."""

    def begin(self, event: Event, send: Send) -> None:
        """The host has sent a result."""
        event.sends.append(send)

    def cut(self, event: Event, cut: Cut) -> None:
        """The host will send the result again."""
        event.resends += 1


def _mids(splitter: Splitter, data: bytes) -> Iterator[int]:
    for packet in splitter.feed(data):
        if packet.kind == PUBACK:
            yield int.from_bytes(packet.body[:2], "big")
