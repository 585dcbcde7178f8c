"""One publishing connection: results wait in order, are sent while it is up, and again until confirmed."""

import asyncio
from itertools import count

from paho.mqtt.reasoncodes import ReasonCode

from triggers.mqtt.backlog import Backlog
from triggers.mqtt.connack import Limits
from triggers.mqtt.connection import Connection
from triggers.mqtt.messages import Outgoing
from triggers.mqtt.peer import Peer
from triggers.mqtt.properties import Packed

DROPPED = "dropped: too many results wait for the broker"
HEADER = 16
SUSPICIOUS, MOST_IN_VAIN = 3, 8
"""Connections in a row that ended before anything was confirmed: to send singly, to give up what is sent."""


class Publisher(Peer):
    """Sends what it is given in that order. paho's own queue is never used: it has no bound and no end."""

    def __init__(self) -> None:
        self.published = 0
        self._numbers = count()
        self._waiting: Backlog[Outgoing] = Backlog()
        self._sent: dict[int, Outgoing] = {}
        self._connection: Connection | None = None
        self._heard_at = 0.0
        self._in_vain = 0

    def __len__(self) -> int:
        """Results that wait to be sent or to be confirmed."""
        return len(self._waiting) + len(self._sent)

    def send(self, outgoing: Outgoing) -> None:
        """Publish as soon as may be; `outgoing.done` hears of the end."""
        outgoing.seq = next(self._numbers)
        self._wait(outgoing)
        self._flush()

    def opened(self, connection: Connection, session_present: bool) -> None:
        """Send again what was not confirmed, then what has come since."""
        self._connection = connection
        self._flush()

    def confirmed(self, mid: int, reason: ReasonCode) -> None:
        """The broker took it, or said why it would not."""
        self._heard_at = asyncio.get_running_loop().time()
        self._in_vain = 0
        outgoing = self._sent.pop(mid, None)
        if outgoing is not None:
            self._end(outgoing, f"the broker would not take it: {reason}" if reason.is_failure else None)
        self._flush()

    def ticked(self, now: float) -> None:
        """A broker that confirms nothing for too long gets a new connection; a slow link has its time."""
        oldest = next(iter(self._sent.values()), None)
        if oldest is None or self._connection is None:
            return
        if self._connection.writing:
            self._heard_at = now
        if now - max(oldest.sent_at, self._heard_at) > oldest.timeout:
            self._connection.abort(f"no confirmation of a result within {oldest.timeout:g} s")

    def closed(self) -> None:
        """What was sent and not confirmed goes first next time, under its old number."""
        self._connection = None
        unconfirmed = list(self._sent.values())
        self._sent.clear()
        self._in_vain += bool(unconfirmed)
        if self._in_vain >= MOST_IN_VAIN and len(unconfirmed) == 1:
            self._in_vain = 0
            self._end(unconfirmed.pop(), "the broker ends the connection whenever it is sent")
        for outgoing in unconfirmed:
            self._wait(outgoing)

    def hand_over(self, other: "Publisher") -> None:
        """Give another publisher, in order, what this one has not got confirmed."""
        for outgoing in self._take_all():
            other.send(outgoing)

    def give_up(self, reason: str) -> None:
        """Nobody will ever publish what is left."""
        for outgoing in self._take_all():
            self._end(outgoing, reason)

    def _take_all(self) -> list[Outgoing]:
        unconfirmed = list(self._sent.values())
        self._sent.clear()
        while self._waiting:
            unconfirmed.append(self._waiting.take())
        return unconfirmed

    def _wait(self, outgoing: Outgoing) -> None:
        victim = self._waiting.put(outgoing.seq, outgoing, sure=outgoing.sure)
        if victim is not None:
            victim.done(DROPPED)

    def _flush(self) -> None:
        connection = self._connection
        while connection is not None and connection.alive and self._waiting:
            outgoing = self._waiting.take()
            if not self._fits(outgoing, connection.limits):
                self._end(outgoing, "the result is larger than the broker takes")
                continue
            try:
                taken = self._publish(connection, outgoing)
            except ValueError as error:
                self._end(outgoing, f"it cannot be published: {error}")
                continue
            if not taken:
                self._wait(outgoing)
                return

    def _publish(self, connection: Connection, outgoing: Outgoing) -> bool:
        limits = connection.limits
        # After connections that ended with nothing confirmed, one at a time shows which message does that.
        room = 1 if self._in_vain >= SUSPICIOUS else limits.room(outgoing.qos)
        if len(self._sent) >= room:
            return False
        flags = min(outgoing.qos, limits.qos), outgoing.retain and limits.retain
        properties = Packed(outgoing.properties) if outgoing.properties else None
        mid = connection.publish(outgoing.topic, outgoing.payload, flags, properties)
        if mid is None:
            return False
        outgoing.sent_at = asyncio.get_running_loop().time()
        self._sent[mid] = outgoing
        return True

    def _fits(self, outgoing: Outgoing, limits: Limits) -> bool:
        size = len(outgoing.payload) + 4 * len(outgoing.topic) + len(outgoing.properties) + HEADER
        return size <= limits.packet

    def _end(self, outgoing: Outgoing, error: str | None) -> None:
        self.published += error is None
        outgoing.done(error)
