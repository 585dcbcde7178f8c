"""What an event's MQTT 5 properties become."""

from typing import Any

import pytest
from paho.mqtt.client import MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from triggers.mqtt.messages import Delivery
from triggers.mqtt.received import delivery_of

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def received(**properties: Any) -> Delivery:
    """The delivery of a message with these properties."""
    message = MQTTMessage(1, b"in/r1")
    message.properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    for name, value in properties.items():
        setattr(message.properties, name, value)
    return delivery_of(message, None)


def test_an_event_has_its_properties() -> None:
    delivery = received(
        ContentType="text/plain", ResponseTopic="answers", CorrelationData=b"\0", MessageExpiryInterval=30
    )
    assert (delivery.content_type, delivery.response_topic, delivery.correlation) == (
        "text/plain",
        "answers",
        b"\0",
    )
    assert delivery.expires == 30


def test_of_user_properties_with_one_name_the_last_counts() -> None:
    delivery = received(UserProperty=[("line", "1"), ("设备", "a"), ("line", "2")])
    assert delivery.user_properties == {"line": "2", "设备": "a"}
    assert delivery.trace is None and delivery.expires is None


@pytest.mark.parametrize("parent", [PARENT, PARENT.replace("00-", "cc-", 1) + "-what-comes-later"])
def test_a_traceparent_is_taken(parent: str) -> None:
    assert received(UserProperty=[("traceparent", parent)]).trace == {"traceparent": parent}


@pytest.mark.parametrize(
    "parent",
    [
        "",
        PARENT.upper(),
        PARENT[:-1],
        f"{PARENT}-x",
        f"ff{PARENT[2:]}",
        f"00-{'0' * 32}{PARENT[35:]}",
        "x" * 55,
    ],
)
def test_what_is_no_traceparent_is_a_user_property_only(parent: str) -> None:
    delivery = received(UserProperty=[("traceparent", parent)])
    assert not delivery.trace and delivery.user_properties == {"traceparent": parent}


def test_an_event_of_mqtt_3_1_1_has_none() -> None:
    delivery = delivery_of(MQTTMessage(1, b"in/r1"), None)
    assert delivery.user_properties == {} and delivery.trace is None and delivery.expires is None


def test_a_tracestate_comes_with_its_traceparent_only_and_as_a_whole_or_not_at_all() -> None:
    def trace_with(state: str, parent: str = PARENT) -> object:
        return received(UserProperty=[("traceparent", parent), ("tracestate", state)]).trace

    assert trace_with("congo=t61rcWkgMzE , rojo@x=00f0 ,") == {
        "traceparent": PARENT,
        "tracestate": "congo=t61rcWkgMzE,rojo@x=00f0",
    }
    for malformed in (
        "",
        "Congo=1",
        "a=b=c",
        "a",
        "a=ü",
        ",".join(f"k{n}=1" for n in range(33)),
        f"a={'x' * 511}",
    ):
        assert trace_with(malformed) == {"traceparent": PARENT}, malformed
    assert trace_with("a=1", "00-00") == {}
