"""What passes over the host's connections: each topic with its counts, and the last messages of some."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from hashlib import blake2b

from triggers.mqtt.sighting import ROOM, WATCHED_ROOM, Noted, Sighting, tell

MOST_TOPICS = 2000
AT_ONCE = MOST_TOPICS // 10
"""Topics that are forgotten at a time, so that newcomers cost little however many there are."""
LONGEST_NAME = 1024
"""Bytes; what has a longer name is counted, and not listed."""
MOST_MESSAGES, MOST_WATCHED = 50, 16
"""Messages that are kept of a topic where somebody looks, and how many such topics there may be."""


class TopicSeen:
    """One topic: `received` and `sent` by rules, `heard` by who listens; `key` tells it after a restart, too.

    `last` is the newest message, of which `room` bytes are kept; `messages` are the last ones, while somebody
    looks. `ruled` is what `received` was when the rules became others.
    """

    __slots__ = ("broker", "heard", "key", "last", "messages", "name", "received", "room", "ruled", "sent")

    def __init__(self, broker: str, name: bytes) -> None:
        self.broker = broker
        self.name = name
        self.key = key_of(broker, name)
        self.received = self.sent = self.heard = self.ruled = 0
        self.room = ROOM
        self.last: Noted | None = None
        self.messages: deque[Sighting] | None = None

    @property
    def count(self) -> int:
        """All that was seen of it."""
        return self.received + self.sent + self.heard

    @property
    def newest(self) -> Sighting:
        """The last message."""
        assert self.last is not None, "it is listed because a message came"
        return tell(self.count, self.last)

    def keep(self) -> None:
        """Put the last message to those that are kept."""
        if self.messages is not None:
            self.messages.append(self.newest)


def key_of(broker: str, name: bytes) -> str:
    """What a topic of a broker is called where its name might be anything."""
    return blake2b(broker.encode() + b"\0" + name, digest_size=12).hexdigest()


class TopicsSeen:
    """The topics of all brokers, of which those least recently seen give way, first those only heard."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.forgotten = 0
        self.overlong = TopicSeen("", b"")
        self._brokers: dict[str, dict[bytes, TopicSeen]] = {}
        self._by_key: dict[str, TopicSeen] = {}
        self._watched: dict[str, int] = {}

    def __iter__(self) -> Iterator[TopicSeen]:
        return iter(list(self._by_key.values()))

    def __len__(self) -> int:
        return len(self._by_key)

    def find(self, key: str) -> TopicSeen | None:
        """The topic of this key, if it was seen."""
        return self._by_key.get(key)

    def of_broker(self, broker: str) -> dict[bytes, TopicSeen]:
        """Topics by their name's bytes; the very mapping that is added to."""
        return self._brokers.setdefault(broker, {})

    def add(self, broker: str, name: bytes) -> TopicSeen:
        """One that was not seen yet."""
        if len(name) > LONGEST_NAME:
            return self.overlong
        if len(self._by_key) >= MOST_TOPICS:
            self._forget()
        topic = TopicSeen(broker, name)
        self._brokers[broker][name] = self._by_key[topic.key] = topic
        if topic.key in self._watched:
            self._open(topic)
        return topic

    def change_rules(self) -> None:
        """Other rules are in force: what those before received may be left to who listens."""
        for topic in self._by_key.values():
            topic.ruled = topic.received

    def watch(self, key: str) -> None:
        """Somebody looks at this topic, which may not have been seen yet; `unwatch` undoes it."""
        self._watched[key] = self._watched.get(key, 0) + 1
        if (topic := self._by_key.get(key)) is not None:
            self._open(topic)

    def unwatch(self, key: str) -> None:
        """One who looked has gone."""
        left = self._watched.pop(key) - 1
        if left:
            self._watched[key] = left
        elif (topic := self._by_key.get(key)) is not None:
            topic.messages, topic.room = None, ROOM
            self._open_next()

    def _forget(self) -> None:
        idle = [each for each in self._by_key.values() if each.messages is None]
        idle.sort(key=lambda each: (each.received + each.sent > 0, each.last[0] if each.last else 0.0))
        for topic in idle[:AT_ONCE]:
            del self._brokers[topic.broker][topic.name], self._by_key[topic.key]
        self.forgotten += len(idle[:AT_ONCE])

    def _open_next(self) -> None:
        """Where somebody looks at more topics than may be kept, one has room now."""
        watched = (self._by_key.get(key) for key in self._watched)
        waiting = next((each for each in watched if each is not None and each.messages is None), None)
        if waiting is not None:
            self._open(waiting)

    def _open(self, topic: TopicSeen) -> None:
        kept = sum(each.messages is not None for each in self._by_key.values())
        if topic.messages is None and kept < MOST_WATCHED:
            topic.room = WATCHED_ROOM
            topic.messages = deque([topic.newest] if topic.last is not None else [], MOST_MESSAGES)
