"""What a received PUBLISH says besides its payload: the MQTT 5 properties of an event."""

from typing import Any

from paho.mqtt.client import MQTTMessage

from triggers.mqtt.messages import Delivery
from triggers.mqtt.window import Slot
from triggers.trace_context import PARENT, STATE, read_trace


def delivery_of(message: MQTTMessage, slot: Slot | None) -> Delivery:
    """The delivery that `message` is; of user properties with one name the last one counts."""
    delivery = Delivery(message.topic, bytes(message.payload), message.qos, message.retain, slot=slot)
    if message.properties is not None:
        _take_properties(delivery, vars(message.properties))
    return delivery


def _take_properties(delivery: Delivery, told: dict[str, Any]) -> None:
    delivery.content_type = told.get("ContentType")
    delivery.response_topic = told.get("ResponseTopic")
    delivery.correlation = told.get("CorrelationData")
    delivery.expires = told.get("MessageExpiryInterval")
    if "UserProperty" in told:
        delivery.user_properties = told = dict(told["UserProperty"])
        if PARENT in told:
            delivery.trace = read_trace([told[PARENT]], [told[STATE]] if STATE in told else [])
