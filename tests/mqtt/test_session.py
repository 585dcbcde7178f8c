"""What the host asks of a broker when it connects and subscribes, seen from the broker."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.brokers import MakeMosquitto
from tests.mqtt.clients import Functions, broker_plan, echo, play, rule_plan, running, until
from triggers.mqtt.packets import Cutter
from triggers.mqtt.plan import BrokerPlan, MqttPlan

CONNECT = 0x10
CONNACK_5 = b"\x20\x03\0\0\0"
CLEAN_START = 2
CONNECT_HEAD = 10
"""Bytes of a CONNECT before its properties: protocol name and version, flags, keepalive (MQTT 5 §3.1.2)."""


@contextmanager
def greeting(hellos: list[bytes]) -> Iterator[str]:
    """The address of a broker that greets whoever comes, keeps the CONNECTs, and is silent then."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        # A client may hang up at any moment.
        with connection, suppress(OSError):
            cutter = Cutter()
            while data := connection.recv(4096):
                for first, rest in cutter.feed(data):
                    if first == CONNECT:
                        hellos.append(rest)
                        connection.sendall(CONNACK_5)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def properties_of(hello: bytes) -> Any:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.unpack(hello[CONNECT_HEAD:])  # type: ignore[no-untyped-call]
    return properties


def test_a_session_lasts_a_week_and_takes_a_thousand_events_at_a_time() -> None:
    hellos: list[bytes] = []

    async def scene(url: str) -> None:
        plan = MqttPlan((BrokerPlan("b1", url, qos=1, version="5"),), (rule_plan(),))
        async with running(plan, Functions(echo=echo).dispatch, wait=False):
            await until(lambda: len(hellos) == 2, "both connections are asked for")

    with greeting(hellos) as url:
        play(scene(url))
    (hello,) = [each for each in hellos if each.endswith(b"r1-in")]
    assert hello.startswith(b"\0\x04MQTT\x05") and not hello[7] & CLEAN_START
    asked = properties_of(hello)
    assert (asked.ReceiveMaximum, asked.SessionExpiryInterval) == (1000, 7 * 24 * 3600)


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_a_subscription_of_a_broker_with_qos_2_is_made_with_qos_1_and_that_is_said_once(
    make_mosquitto: MakeMosquitto, caplog: pytest.LogCaptureFixture, version: Any
) -> None:
    broker = make_mosquitto(settings=("log_type all",))
    rules = (rule_plan("r1"), rule_plan("r2"))
    plan = MqttPlan((broker_plan(broker, qos=2, version=version),), rules)

    async def scene() -> None:
        async with running(plan, Functions(echo=echo).dispatch):
            await until(lambda: "in/r1 (QoS 1)" in broker.log(), "one has subscribed")
            await until(lambda: "in/r2 (QoS 1)" in broker.log(), "the other has subscribed")

    with caplog.at_level(logging.INFO):
        play(scene())
    assert "(QoS 2)" not in broker.log()
    assert sum("subscribing with QoS 1" in each for each in caplog.messages) == 1
