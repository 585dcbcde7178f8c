"""MQTT 3.1.1 has no receive maximum: a broker that floods is left, with its session, until there is room."""

import socket
import struct
import threading
from contextlib import suppress

from runtime.events import Answer
from tests.mqtt.clients import Functions, play, running, until
from triggers.mqtt.broker import RECEIVE_MAXIMUM
from triggers.mqtt.plan import BrokerPlan, MqttPlan, RulePlan

EVENTS = RECEIVE_MAXIMUM * 3 // 2
SUBACK = b"\x90\x03\x00\x01\x01"
DISCONNECT = b"\xe0\x00"
DUP = 0x08


class FloodingBroker:
    """Speaks MQTT 3.1.1, and sends the subscriber at once whatever it has not acknowledged."""

    def __init__(self) -> None:
        self.acknowledged: list[int] = []
        self.subscribers = 0
        self.goodbyes = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._greet, args=(connection,), daemon=True).start()

    def _greet(self, connection: socket.socket) -> None:
        # The host may hang up at any moment.
        with connection, suppress(OSError):
            hello = connection.recv(4096)
            subscribes = b"host-in" in hello
            connection.sendall(b"\x20\x02" + bytes((subscribes and self.subscribers > 0, 0)))
            connection.recv(4096)
            if subscribes:
                self._flood(connection)

    def _flood(self, connection: socket.socket) -> None:
        self.subscribers += 1
        threading.Thread(target=self._send, args=(connection,), daemon=True).start()
        rest = b""
        while data := connection.recv(65536):
            rest += data
            while len(rest) >= 4 and rest[0] == 0x40:
                self.acknowledged.append(struct.unpack_from("!H", rest, 2)[0])
                rest = rest[4:]
            self.goodbyes += rest == DISCONNECT

    def _send(self, connection: socket.socket) -> None:
        first = 0x32 | (DUP if self.subscribers > 1 else 0)
        events = b"".join(
            bytes((first, 10)) + b"\x00\x02in" + struct.pack("!HI", mid, mid)
            for mid in range(len(self.acknowledged) + 1, EVENTS + 1)
        )
        with suppress(OSError):
            connection.sendall(SUBACK + events)


def test_a_flood_is_left_and_all_of_it_is_worked_once_and_acknowledged_in_order() -> None:
    broker = FloodingBroker()
    done_at_return: list[int] = []

    async def scene() -> None:
        functions = Functions(f=lambda event: Answer(None))
        functions.held.add("f")
        rule = RulePlan("r", "b", "host-in", "in", "b", "host-out", "out", (("f", 0),))
        plan = MqttPlan((BrokerPlan("b", broker.url, qos=1, version="3.1.1"),), (rule,))
        async with running(plan, functions.dispatch, wait=False) as trigger:
            state = trigger.state
            await until(lambda: "1,000 events are unacknowledged" in str(state()[0].last_error), "it leaves")
            assert state()[0].received == RECEIVE_MAXIMUM and broker.subscribers == 1
            functions.let_go("f")
            await until(lambda: broker.subscribers == 2, "it is back")
            done_at_return.append(state()[0].answered)
            await until(lambda: len(broker.acknowledged) >= EVENTS, "all are acknowledged")
            assert broker.acknowledged == list(range(1, EVENTS + 1))
            assert [int.from_bytes(body) for body in functions.bodies()] == broker.acknowledged
            assert state()[0].sessions_lost == 0

    try:
        play(scene())
        assert broker.goodbyes >= 2 and done_at_return[0] > RECEIVE_MAXIMUM // 2
    finally:
        broker.close()
