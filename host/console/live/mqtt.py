"""The channels `mqtt` (connections), `mqtt-topics` (all topics) and `mqtt-topic:KEY` (messages of one)."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from host.console.live.source import Source
from host.mqtt import MqttPart
from host.web.mqtt_views import Json, show_message, show_topic
from host.web.veil import Veil
from triggers.mqtt.sighting import Sighting

KEY = re.compile(r"[0-9a-f]{24}")
MOST_ROWS = 200
"""Topics that are told at a time; others that have changed have their turn after them."""
MOST_TOLD = 25
"""Messages that are told at a time, the newest."""
MOST_BYTES = 128 * 1024
"""Of payloads that are told at a time."""


class ConnectionsSource(Source):
    """Tells counters each second, and when connections come or go also that they did."""

    name = "mqtt"

    def __init__(self, mqtt: MqttPart) -> None:
        self._mqtt = mqtt

    def tell(self, item: str) -> Any:
        """All of them in brief; `changes` is another number when one has come or gone."""
        told = [
            {
                "broker": each.broker,
                "client_id": each.client_id,
                "connected": each.connected,
                "received": each.received,
                "published": each.published,
                "waiting": each.waiting,
                "unacknowledged": each.unacknowledged,
            }
            for each in self._mqtt.state()
        ]
        connected = sum(each["connected"] is True for each in told)
        return {"changes": f"{self._mqtt.spell_changes()}/{connected}/{len(told)}", "connections": told}


class TopicsSource(Source):
    """Tells the topics on which something passed; what was before is at `/api/mqtt/topics`."""

    name = "mqtt-topics"

    def __init__(self, mqtt: MqttPart, veil: Veil) -> None:
        self._seen = mqtt.seen
        self._veil = veil
        self._told: dict[str, tuple[int, int]] = {}
        self._times = 0

    def opened(self, item: str) -> None:
        """Begin with what comes."""
        self._told = {each.key: (each.count, 0) for each in self._seen}

    def closed(self, item: str) -> None:
        """Remember nothing."""
        self._told = {}

    def begin(self, item: str) -> Any:
        """Nothing yet."""
        return {"now": self._seen.clock(), "topics": [], "gone": [], "total": len(self._seen)}

    def tell(self, item: str) -> Any:
        """Those with messages since the last time, and keys of those that gave way."""
        never = (-1, -1)
        changed = [each for each in self._seen if self._told.get(each.key, never)[0] != each.count]
        # Those that were told longest ago, or never, come first: there may be too many.
        changed.sort(key=lambda each: self._told.get(each.key, never)[1])
        rows = changed[:MOST_ROWS]
        gone = [key for key in self._told if self._seen.find(key) is None]
        for key in gone:
            del self._told[key]
        if not rows and not gone:
            return None
        self._times += 1
        self._told |= {each.key: (each.count, self._times) for each in rows}
        topics = [show_topic(each, self._veil) for each in rows]
        return {"now": self._seen.clock(), "topics": topics, "gone": gone, "total": len(self._seen)}


class MessagesSource(Source):
    """Tells the messages of one topic while somebody looks at it, and has them kept for as long."""

    name = "mqtt-topic"
    items = True
    every = 2

    def __init__(self, mqtt: MqttPart, veil: Veil) -> None:
        self._seen = mqtt.seen
        self._veil = veil
        self._told: dict[str, int] = {}

    def opened(self, item: str) -> None:
        """Have them kept, also of a topic that is still to come; raises KeyError for what is no key."""
        if not KEY.fullmatch(item):
            raise KeyError(item)
        self._seen.watch(item)
        self._told[item] = 0

    def closed(self, item: str) -> None:
        """Keep them no more."""
        del self._told[item]
        self._seen.unwatch(item)

    def begin(self, item: str) -> Any:
        """Those that are kept, the oldest first."""
        return self._show(self._kept(item))

    def tell(self, item: str) -> Any:
        """Those that came since the last time."""
        new = [each for each in self._kept(item) if each.number > self._told[item]]
        if not new:
            return None
        self._told[item] = new[-1].number
        return self._show(new)

    def _kept(self, item: str) -> Iterable[Sighting]:
        topic = self._seen.find(item)
        if topic is None:
            self._told[item] = 0  # it gave way, and will count anew
            return ()
        return topic.messages if topic.messages is not None else (topic.newest,)

    def _show(self, messages: Iterable[Sighting]) -> Json:
        return {"messages": [show_message(each, self._veil) for each in _fitting(messages)][::-1]}


def _fitting(messages: Iterable[Sighting]) -> Iterator[Sighting]:
    """The newest ones that may be told at a time, newest first."""
    size = 0
    for each in reversed(list(messages)[-MOST_TOLD:]):
        if size and size + len(each.payload) > MOST_BYTES:
            return
        size += len(each.payload)
        yield each
