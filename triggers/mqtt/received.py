"""What a received PUBLISH says besides its payload: the MQTT 5 properties of an event."""

import re
from typing import Any

from paho.mqtt.client import MQTTMessage

from triggers.mqtt.messages import Delivery
from triggers.mqtt.window import Slot

# W3C Trace Context §3.2: version, trace id, parent id, flags; what is not all that is to be ignored.
TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")


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
        delivery.user_properties = dict(told["UserProperty"])
        parent = delivery.user_properties.get("traceparent", "")
        delivery.traceparent = parent if TRACEPARENT.fullmatch(parent) else None
