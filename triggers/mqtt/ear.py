"""Hears what passes over a connection, for whoever wants to know what topics there are."""

from triggers.mqtt.packets import Message
from triggers.mqtt.sighting import ROOM, shorten
from triggers.mqtt.topics_seen import TopicSeen, TopicsSeen

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
        topic = self._topics.get(message.name)
        if topic is None:
            topic = self._seen.add(self._broker, message.name)
        topic.received += 1
        if size <= ROOM:
            topic.last = self._clock(), self._client_id, "in", message, None
        else:
            topic.last = self._clock(), self._client_id, "in", *shorten(message, topic.room, size)
        if topic.messages is not None:
            topic.keep()

    def sent(self, topic: str, payload: bytes, flags: tuple[int, bool], head: tuple[int, bytes]) -> None:
        """A message goes out with `flags` (QoS, retain) and `head` (message id, properties)."""
        name = topic.encode()
        found = self._topics.get(name)
        if found is None:
            found = self._seen.add(self._broker, name)
        found.sent += 1
        parts = payload, flags, head
        if len(payload) + len(head[1]) <= ROOM:
            found.last = self._clock(), self._client_id, "out", parts, None
        else:
            found.last = self._clock(), self._client_id, "out", *shorten(parts, found.room)
        if found.messages is not None:
            found.keep()


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
        if topic.received == topic.ruled:  # else a rule has it already
            self._note(topic, message, size)

    def _note(self, topic: TopicSeen, message: Message, size: int) -> None:
        topic.heard += 1
        topic.last = self._clock(), self._client_id, "heard", *shorten(message, topic.room, size)
        if topic.messages is not None:
            topic.keep()
