"""Messages to publish, as people ask for them."""

import base64
import binascii
from typing import Any

from triggers.mqtt.parcel import Parcel

KEYS = {"broker", "topic", "payload", "payload_base64", "qos", "retain", "content_type"}
LONGEST_TYPE = 200
FORM = (
    'say {"broker": "b1", "topic": "plant/3/t", "payload": "…" or "payload_base64": "…", "qos": 0, 1 or 2, '
    '"retain": false, "content_type": "application/json"}; the last three may be left out'
)


def read_parcel(told: dict[str, Any]) -> tuple[str, Parcel]:
    """The broker's name, and the message; raises ValueError."""
    texts = {name: told.get(name, "") for name in ("broker", "topic", "content_type")}
    qos, retain = told.get("qos", 1), told.get("retain", False)
    fits = all(isinstance(text, str) for text in texts.values()) and isinstance(retain, bool)
    if not fits or told.keys() - KEYS or isinstance(qos, bool) or qos not in (0, 1, 2):
        raise ValueError(FORM)
    if len(texts["content_type"]) > LONGEST_TYPE:
        raise ValueError(f"a content type has {LONGEST_TYPE} characters at most")
    return texts["broker"], Parcel(
        _encodable(texts["topic"]), _payload(told), int(qos), retain, _encodable(texts["content_type"])
    )


def _payload(told: dict[str, Any]) -> bytes:
    text, coded = told.get("payload"), told.get("payload_base64")
    if isinstance(text, str) and coded is None:
        return _encodable(text).encode()
    if isinstance(coded, str) and text is None:
        try:
            return base64.b64decode(coded, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("payload_base64 is not base64") from None
    raise ValueError(FORM)


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("a text holds half of a surrogate pair, which UTF-8 cannot say") from None
    return text
