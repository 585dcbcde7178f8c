"""The subscribing side of a rule: its session with the broker, and the acknowledgements it owes."""

import asyncio
import logging
from functools import lru_cache, partial

from paho.mqtt.client import MQTTMessage
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from conf.topics import matches
from triggers.mqtt.broker import RECEIVE_MAXIMUM, Broker
from triggers.mqtt.connection import Connection
from triggers.mqtt.earlier import Earlier, Rows
from triggers.mqtt.flow import Flow
from triggers.mqtt.ladder import Retry
from triggers.mqtt.messages import Delivery
from triggers.mqtt.peer import Peer
from triggers.mqtt.received import delivery_of
from triggers.mqtt.rule import Rule, RuleParts
from triggers.mqtt.sharing import SELFTEST
from triggers.mqtt.window import Slot, Window
from triggers.store.changes import ForgetSources

logger = logging.getLogger(__name__)

# MQTT 5 §3.8.3.1: send retained messages if the subscription is new, or never.
RETAINED_IF_NEW = 1
RETAINED_NEVER = 2


class Subscriber(Peer):
    """Hands messages to its rule. It never asks for QoS 2, which loses a message at a crash after PUBREC."""

    def __init__(self, rule: Rule, broker: Broker, parts: RuleParts, earlier: Earlier) -> None:
        self.rule = rule
        self._broker = broker
        self._store = parts.store
        self._failpoints = parts.failpoints
        self._loop = asyncio.get_running_loop()
        self.session = rule.plan.session
        self._earlier = earlier
        self._flow = Flow()
        self._qos = min(broker.plan.qos, 1)
        self._covers = lru_cache(4096)(partial(_covers, rule.plan.sub_topic))
        self._connection: Connection | None = None
        self._window: Window | None = None
        self._open: dict[int, Delivery] = {}
        self._unanswered: dict[int, Delivery] = {}
        self._taking = True
        self._known = False
        self._flooded = False
        self.subscribed_now = False
        broker.say_downgrade()

    @property
    def unacknowledged(self) -> int:
        """Messages that the broker has sent and that are not acknowledged to it."""
        return len(self._window) if self._window is not None else 0

    def waited(self, now: float) -> float:
        """For how many seconds the first of them has been here."""
        return now - next((delivery.born for delivery in self._open.values()), now)

    def stop_taking(self) -> None:
        """Leave what comes from now on to the broker, and what was not dispatched yet, too."""
        self._taking = False
        for lane in self.rule.lanes:
            lane.forget_sure()

    def leave(self) -> None:
        """End the subscription, so that the broker keeps no events for a rule that is gone."""
        if self._connection is not None:
            self._connection.unsubscribe(self.rule.plan.topic_filter)

    def ready(self) -> bool:
        """After a flood, whether half of what it left here is done: the broker sends the rest again."""
        if self._flooded:
            running = sum(not delivery.done for delivery in self._unanswered.values())
            self._flooded = running >= RECEIVE_MAXIMUM // 2
        return not self._flooded

    def opened(self, connection: Connection, session_present: bool) -> None:
        """A new epoch: a new window, and the subscription again, since a session may lack or outdate it."""
        self._connection = connection
        self._window = Window(self._acknowledge, self._mark)
        if not session_present:
            self._unanswered.clear()
            self._earlier.forget()
            self._say_lost()
        self._known = True
        plan = self.rule.plan
        if session_present and plan.topic_filter != plan.sub_topic:
            # From before the rule had a group; with both, each event would come twice.
            connection.unsubscribe(plan.sub_topic)
        connection.subscribe(plan.topic_filter, self._options())

    def subscribed(self, reasons: list[ReasonCode]) -> None:
        """A refused subscription is tried again over the next connection: rights may be granted later."""
        refused = [reason for reason in reasons if reason.is_failure]
        self.subscribed_now = not refused
        if refused and self._connection is not None:
            what = f"subscription to {self.rule.plan.topic_filter} refused: {refused[0]}"
            self._connection.abort(f"{what}; give this client its rights at the broker", Retry.SLOW)

    def received(self, message: MQTTMessage) -> None:
        """Take a message, unless it is one that is still being worked."""
        if not self._taking or self._window is None:
            return
        if not _has_topic(message):
            self._ignore(message)
            return
        if message.qos == 0:
            self._take(message, None)
            return
        if not self._broker.speaks_5 and len(self._window) >= RECEIVE_MAXIMUM and self._window.is_stuck:
            self._flee(len(self._window))
            return
        slot = self._window.admit(message.mid)
        if not message.dup:
            # What the broker has not sent again by now it never will: packet ids mean others from here on.
            self._unanswered.clear()
        known = self._unanswered.pop(message.mid, None)
        if known is not None and _same(known, message):
            self._open[message.mid] = known
            self.rule.counters.repeated += 1
            known.attach(slot)
        else:
            self._take(message, slot)

    def _flee(self, unacknowledged: int) -> None:
        """MQTT 3.1.1 has no receive maximum: only a closed connection stops the broker."""
        if self._connection is not None:
            self._flooded = True
            self.rule.take_over()
            self._connection.leave(
                f"{unacknowledged:,} events are unacknowledged, and MQTT 3.1.1 has no other way to make the "
                "broker wait; coming back when half of them are done (the broker keeps the session)"
            )

    def _ignore(self, message: MQTTMessage) -> None:
        self.rule.counters.ignored += 1
        if message.qos and self._window is not None:
            self._window.admit(message.mid).settle()

    def closed(self) -> None:
        """What is unacknowledged will come again under the same ids, if the session lasts."""
        if self._window is not None:
            self._window.void()
        self._window = None
        self._connection = None
        self.subscribed_now = False
        self._unanswered.update(self._open)
        self._open = {}

    def _take(self, message: MQTTMessage, slot: Slot | None) -> None:
        if self._is_ignored(message):
            self.rule.counters.ignored += 1
            if slot is not None:
                slot.settle()
            return
        self._failpoints.reach("event.received")
        delivery = delivery_of(message, slot)
        delivery.born = self._loop.time()
        if slot is None:
            self.rule.take(delivery, {})
            return
        delivery.session, delivery.mid = self.session, slot.mid
        slot.rows = delivery.rows
        self._open[slot.mid] = delivery
        self._flow.received(delivery.born, len(self._open))
        self.rule.take(delivery, self._known_rows(message))

    def _known_rows(self, message: MQTTMessage) -> Rows:
        if not self._earlier:
            return {}
        if message.dup:
            return self._earlier.take(message.mid, message.topic, bytes(message.payload))
        self._earlier.forget()
        return {}

    def tick(self, now: float) -> None:
        """Several times a second: make room when the broker holds messages back."""
        oldest = next(iter(self._open.values()), None)
        if oldest is not None and self._flow.is_held_back(now, oldest.born, len(self._open)):
            self.rule.take_over()
        self.rule.tick()

    def _is_ignored(self, message: MQTTMessage) -> bool:
        if message.retain and not self.rule.plan.retained:
            return True
        # A persistent session keeps subscriptions of an older config, too.
        return not self._covers(message.topic)

    def _acknowledge(self, mid: int) -> None:
        self._open.pop(mid, None)
        if self._connection is not None:
            self._failpoints.reach("ack.before")
            self._connection.acknowledge(mid)
            self._failpoints.reach("ack.after")

    def _mark(self, rows: tuple[int, ...]) -> "asyncio.Future[None]":
        marked = self._store.submit(ForgetSources(rows), durable=False)
        marked.add_done_callback(lambda _: self._failpoints.reach("inbox.marked"))
        return marked

    def _options(self) -> SubscribeOptions | int:
        if self._broker.version != MQTTProtocolVersion.MQTTv5:
            return self._qos
        handling = RETAINED_IF_NEW if self.rule.plan.retained else RETAINED_NEVER
        return SubscribeOptions(qos=self._qos, retainHandling=handling)

    def _say_lost(self) -> None:
        if self._known:
            self.rule.counters.sessions_lost += 1
            fields = {"event": "session.lost", "rule": (name := self.rule.plan.name)}
            logger.warning("mqtt rule %s: the broker has lost the session", name, extra=fields)


def _covers(topic_filter: str, topic: str) -> bool:
    """Whether the rule asked for `topic`; the host's own tests of the broker are no events."""
    return matches(topic_filter, topic) and not topic.startswith(SELFTEST)


def _has_topic(message: MQTTMessage) -> bool:
    """Whether the topic is UTF-8: some brokers pass others on, and paho raises when it is read."""
    try:
        return bool(message.topic)
    except UnicodeDecodeError:
        return False


def _same(delivery: Delivery, message: MQTTMessage) -> bool:
    return delivery.topic == message.topic and delivery.payload == message.payload
