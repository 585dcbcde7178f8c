"""Events as MQTT messages on a rule's topic, and their answers on a response topic of the load's own."""

import asyncio
import struct
import time
from collections import deque
from dataclasses import dataclass, field

from paho.mqtt import MQTTException
from paho.mqtt.client import MQTTMessage
from paho.mqtt.reasoncodes import ReasonCode

from host.load.sender import MARK, Done, SenderError
from triggers.mqtt.broker import Broker
from triggers.mqtt.connack import RefusedError
from triggers.mqtt.connection import Connection
from triggers.mqtt.faults import fault_of
from triggers.mqtt.peer import Peer
from triggers.mqtt.plan import BrokerPlan
from triggers.mqtt.properties import CORRELATION_DATA, Packed, pack

RESPONSE_TOPIC = 0x08
LOST = "connection lost"
REFUSED = "refused by the broker"
CONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class Line:
    """A broker's address (with credentials), a rule's source topic and the topic where answers are heard."""

    url: str = field(repr=False)
    topic: str
    answers: str
    function: str

    @property
    def plan(self) -> BrokerPlan:
        """The broker as the host would know it; MQTT 3.1.1 has no response topic."""
        return BrokerPlan("bench", self.url, qos=1, version="5")


class MqttSender(Peer):
    """One connection that publishes events (QoS 1) and hears answers (QoS 0, which costs the broker least).

    The response topic of MQTT 5 wins over the rule's target topic: whoever listens there hears nothing of the
    load, and the load hears nothing but answers to its own events.
    """

    def __init__(self, line: Line, event: tuple[bytes, str | None]) -> None:
        self._line = line
        self._body, content_type = event
        topic = line.answers.encode()
        self._told = pack(content_type or "", ((MARK, "1"),), None) + struct.pack(
            f"!BH{len(topic)}sBH", RESPONSE_TOPIC, len(topic), topic, CORRELATION_DATA, 8
        )
        self._connection: Connection | None = None
        self._granted: asyncio.Future[bool] | None = None
        self._number = 0
        self._pending: dict[int, Done] = {}
        self._waiting: deque[int] = deque()
        self._unconfirmed: dict[int, int] = {}

    async def open(self) -> None:
        """Connect and subscribe; raises SenderError."""
        try:
            broker = Broker(self._line.plan)
            client = await asyncio.to_thread(broker.connect, "", persistent=False)
            self._connection = Connection(client, self)
            await self._connection.open()
            self._granted = asyncio.get_running_loop().create_future()
            self._connection.subscribe(self._line.answers, 0)
            async with asyncio.timeout(CONNECT_SECONDS):
                granted = await self._granted
        except (OSError, ValueError, IndexError, MQTTException) as error:
            raise SenderError(self._unable(error)) from None
        if not granted:
            raise SenderError(
                f"the broker does not let this user subscribe to {self._line.answers}; choose another topic"
                " with --answers, or another user"
            )

    def _unable(self, error: Exception) -> str:
        if isinstance(error, RefusedError) and error.unsupported_version:
            return "the broker does not speak MQTT 5, by which the answers are told from others"
        return f"no connection to the broker: {fault_of(error, self._line.plan).text}"

    async def close(self) -> None:
        """Say goodbye."""
        if self._connection is not None:
            await self._connection.close()

    def send(self, done: Done) -> None:
        """As of Sender; a broker limits how many events it has not confirmed yet."""
        self._number += 1
        self._pending[self._number] = done
        self._waiting.append(self._number)
        self._publish()

    def _publish(self) -> None:
        connection = self._connection
        while connection is not None and connection.alive and self._waiting:
            if len(self._unconfirmed) >= connection.limits.room(1):
                return  # until one is confirmed
            properties = Packed(self._told + struct.pack("!Q", self._waiting[0]))
            mid = connection.publish(self._line.topic, self._body, (1, False), properties)
            if mid is None:
                return
            self._unconfirmed[mid] = self._waiting.popleft()
        while self._waiting:
            self._end(self._waiting.popleft(), LOST)

    def _end(self, number: int, wrong: str) -> None:
        done = self._pending.pop(number, None)
        if done is not None:
            done(wrong)

    async def settle(self, patience: float) -> bool:
        """Wait for what was published: nobody can take an event back from a broker."""
        for number in self._waiting:
            self._pending.pop(number, None)
        self._waiting.clear()
        end = time.monotonic() + patience
        while self._pending and time.monotonic() < end:  # noqa: ASYNC110 - so that answers stay cheap
            await asyncio.sleep(0.01)
        return not self._pending

    def explain(self, wrong: str) -> str:
        """What to look at: the broker tells nothing."""
        if wrong:
            return f"an event on {self._line.topic} was not taken: {wrong}"
        name, answers = self._line.function, self._line.answers
        return (
            f"no answer to an event on {self._line.topic} came to {answers}; is that the source of a rule for"
            f" {name}, does the rule speak MQTT 5 and its source not cover {answers}, does {name} return"
            f" something? `fnhost logs {name}` and `fnhost dlq list` may tell"
        )

    def subscribed(self, reasons: list[ReasonCode]) -> None:
        """The broker's word on the subscription."""
        if self._granted is not None and not self._granted.done():
            self._granted.set_result(not any(reason.is_failure for reason in reasons))

    def received(self, message: MQTTMessage) -> None:
        """An answer; a rule may feed other functions besides, whose answers do not count."""
        told = vars(message.properties)
        users = dict(told.get("UserProperty", ()))
        correlation = told.get("CorrelationData", b"")
        if len(correlation) == 8 and users.get("function", self._line.function) == self._line.function:
            self._end(struct.unpack("!Q", correlation)[0], "")

    def confirmed(self, mid: int, reason: ReasonCode) -> None:
        """The broker has an event, or will not have it."""
        number = self._unconfirmed.pop(mid, None)
        if number is not None and reason.is_failure:
            self._end(number, f"{REFUSED} ({reason})")
        self._publish()

    def closed(self) -> None:
        """All that is open has no answer."""
        self._unconfirmed.clear()
        for number in list(self._pending):
            self._end(number, LOST)
