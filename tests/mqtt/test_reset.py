"""A connection that is reset while much is still to be read: the event loop tells of it only once."""

import socket
import struct
import threading
from contextlib import suppress

from runtime.events import Answer
from tests.mqtt.clients import Functions, play, running, until
from triggers.mqtt.plan import BrokerPlan, MqttPlan, RulePlan

CONNACK = b"\x20\x02\x00\x00"
SUBACK = b"\x90\x03\x00\x01\x01"
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class RawBroker:
    """Speaks as much MQTT 3.1.1 as it takes: greets, and sends the subscriber `events`.

    Then it resets the connection, or keeps what comes back in `answers`.
    """

    def __init__(self, events: bytes, resets: bool) -> None:
        self.greeted: list[bytes] = []
        self.answers = b""
        self._events = events
        self._resets = resets
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._greet, args=(connection,), daemon=True).start()

    def _greet(self, connection: socket.socket) -> None:
        # A client that stops may cut the connection at any moment.
        with connection, suppress(ConnectionError):
            hello = connection.recv(4096)
            connection.sendall(CONNACK)
            self.greeted.append(hello)
            if b"host-in" not in hello:
                connection.recv(4096)
                return
            connection.recv(4096)
            connection.sendall(SUBACK + self._events)
            if self._resets:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
                return
            while data := connection.recv(4096):
                self.answers += data


def plan_of(broker: RawBroker, topic: str) -> MqttPlan:
    rule = RulePlan("r", "b", "host-in", topic, "b", "host-out", "out", (("f", 0),))
    return MqttPlan((BrokerPlan("b", broker.url, qos=1, version="3.1.1"),), (rule,))


def test_a_message_whose_topic_is_not_utf_8_is_acknowledged_and_holds_up_no_other() -> None:
    events = b"".join(
        b"\x32\x08\x00\x02" + topic + struct.pack("!H", mid) + b"{}"
        for mid, topic in ((1, b"\xd6\xd0"), (2, b"in"), (3, b"\xd6\xd0"))
    )
    broker = RawBroker(events, resets=False)

    async def scene() -> None:
        functions = Functions(f=lambda event: Answer(None))
        acknowledged = b"".join(b"\x40\x02" + struct.pack("!H", mid) for mid in (1, 2, 3))
        async with running(plan_of(broker, "in/#"), functions.dispatch) as trigger:
            await until(lambda: broker.answers == acknowledged, "all three are acknowledged in order")
            assert functions.bodies() == [b"{}"]
            assert trigger.state()[0].ignored == 2

    try:
        play(scene())
    finally:
        broker.close()


def test_a_reset_with_much_left_to_read_is_noticed_long_before_the_keepalive_would() -> None:
    events = b"".join(b"\x32\x08\x00\x02in" + struct.pack("!H", mid) + b"{}" for mid in range(1, 500))
    broker = RawBroker(events, resets=True)
    plan = plan_of(broker, "in")

    def subscriptions() -> int:
        return sum(b"host-in" in hello for hello in broker.greeted)

    async def scene() -> None:
        functions = Functions()
        functions.held.add("f")
        async with running(plan, functions.dispatch, wait=False):
            await until(lambda: subscriptions() >= 3, "it has come back twice", 15)

    try:
        play(scene())
    finally:
        broker.close()
