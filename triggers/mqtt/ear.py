"""Hears what passes over a connection, for whoever wants to know what topics there are."""

from triggers.mqtt.packets import Message
from triggers.mqtt.topics_seen import LONGEST_HEAD, TopicSeen, TopicsSeen, Way

MOST_A_SECOND = 500
"""Messages that are noted for who listens; more are counted only."""


class Ear:
    """Notes the messages of one connection; it is paid for each of them, so it does little."""

    def __init__(self, seen: TopicsSeen, broker: str, client_id: str) -> None:
        self._seen = seen
        self._broker = broker
        self._client_id = client_id
        self._clock = seen.clock
        self._topics = seen.of_broker(broker)

    def received(self, message: Message, size: int) -> None:
        """A message came in a packet of `size` bytes."""
        topic = self._topics.get(message.name) or self._seen.add(self._broker, message.name)
        topic.received += 1
        self._note(topic, "in", message, size)

    def sent(self, topic: str, payload: bytes, flags: tuple[int, bool], head: tuple[int, bytes]) -> None:
        """A message goes out with `flags` (QoS, retain) and `head` (message id, properties)."""
        name, length = topic.encode(), len(payload)
        found = self._topics.get(name) or self._seen.add(self._broker, name)
        found.sent += 1
        kept = payload if length <= found.room else payload[: found.room]
        (qos, retain), (mid, properties) = flags, head
        told = properties if 1 < len(properties) <= LONGEST_HEAD else None
        when = found.count, self._clock(), self._client_id
        found.add((*when, "out", (qos, retain, False), mid if qos else 0, length, kept, told))

    def _note(self, topic: TopicSeen, way: Way, message: Message, size: int) -> None:
        payload = bytes(message.payload)
        length = len(payload)
        kept = payload if length <= topic.room else payload[: topic.room]
        properties = message.properties if size - length <= LONGEST_HEAD else None
        when = topic.count, self._clock(), self._client_id
        flags = message.qos, message.retain, message.dup
        topic.add((*when, way, flags, message.mid, length, kept, properties))


class ListeningEar(Ear):
    """The ear of a connection that is there for somebody who listens: so many messages a second.

    `heard` counts all, `left_out` those that were not noted; `busiest` is the most in one second.
    """

    def __init__(self, seen: TopicsSeen, broker: str, client_id: str) -> None:
        super().__init__(seen, broker, client_id)
        self.heard = self.left_out = self.busiest = 0
        self._second, self._in_it = 0, 0

    def received(self, message: Message, size: int) -> None:
        """Note it, unless there are too many."""
        second = int(self._clock())
        if second != self._second:
            self._second, self._in_it = second, 0
        self.heard += 1
        self._in_it += 1
        self.busiest = max(self.busiest, self._in_it)
        if self._in_it > MOST_A_SECOND:
            self.left_out += 1
            return
        topic = self._topics.get(message.name) or self._seen.add(self._broker, message.name)
        if topic.received:
            return  # a rule has it already
        topic.heard += 1
        self._note(topic, "heard", message, size)
