"""What passes over MQTT as API and console show it: redacted and masked like records, payloads in base64."""

import base64
from typing import Any

from conf.topics import matches
from host.mqtt import MqttPart
from host.observing.records.redaction import UnreadableError, blot_headers, redact_json
from host.web.veil import Veil
from triggers.mqtt.sighting import Sighting
from triggers.mqtt.topics_seen import TopicSeen

Json = dict[str, Any]

CUT_AND_REDACTED = "only its beginning was kept, which cannot be redacted (`records.redact`)"
NOT_JSON = "it is not JSON that `records.redact` could be applied to"
LONGEST_BRIEF = 80
"""Bytes of the last payload that a list of topics shows."""


def show_broker(mqtt: MqttPart, name: str) -> Json:
    """One of the config, and what rules listen to there."""
    broker = mqtt.brokers[name]
    listening = [
        {"name": rule.name, "filter": rule.sub_topic, "retained": rule.retained}
        for rule in mqtt.rules
        if rule.sub_broker == name
    ]
    return {
        "name": name,
        "address": broker.address.shown,
        "tls": broker.address.tls,
        "version": ("5" if broker.speaks_5 else "3.1.1") if broker.version_known else None,
        "rules": listening,
    }


def show_topic(topic: TopicSeen, veil: Veil) -> Json:
    """One in a list; nothing of its last payload where some of them are to be redacted."""
    last = topic.newest
    return {
        "key": topic.key,
        "broker": topic.broker,
        "topic": topic.name.decode(errors="replace"),
        "received": topic.received,
        "sent": topic.sent,
        "heard": topic.heard,
        "at": round(last.at, 3),
        "size": last.size,
        "qos": last.flags[0],
        "retain": last.flags[1],
        "brief": "" if veil.paths else _brief(last, veil),
    }


def _brief(last: Sighting, veil: Veil) -> str:
    # A secret may begin in what is shown and end behind it.
    return veil.data(last.payload, last.size > len(last.payload))[:LONGEST_BRIEF].decode(errors="replace")


def is_wanted(topic: TopicSeen, broker: str, topic_filter: str) -> bool:
    """Whether it is of this broker and covered by this filter; empty ones mean any."""
    if broker and topic.broker != broker:
        return False
    return not topic_filter or matches(topic_filter, topic.name.decode(errors="replace"))


def show_message(seen: Sighting, veil: Veil) -> Json:
    """One with its payload, or `lost` that says why there is none."""
    qos, retain, dup = seen.flags
    is_cut = seen.size > len(seen.payload)
    payload, lost = _redact(seen.payload, is_cut, veil)
    return {
        "number": seen.number,
        "at": round(seen.at, 6),
        "client_id": seen.client_id,
        "way": seen.way,
        "qos": qos,
        "retain": retain,
        "dup": dup,
        "mid": seen.mid or None,
        "size": seen.size,
        "cut": is_cut,
        "redacted": payload != seen.payload,
        "lost": lost,
        "payload": base64.b64encode(payload).decode(),
        "properties": _show_properties(seen.properties, veil),
    }


def _redact(payload: bytes, is_cut: bool, veil: Veil) -> tuple[bytes, str]:
    if not veil.paths or not payload:
        return veil.data(payload, is_cut), ""
    if is_cut:
        return b"", CUT_AND_REDACTED
    try:
        return veil.data(redact_json(payload, veil.paths) or payload), ""
    except UnreadableError:
        return b"", NOT_JSON


def _show_properties(told: dict[str, object], veil: Veil) -> list[list[str]]:
    """Names and values, as text; bytes in hex, and `***` for what opens something."""
    shown: list[list[str]] = []
    for name, value in told.items():
        if name == "UserProperty" and isinstance(value, list):
            shown += [[veil.text(key), veil.text(_blot(key, text))] for key, text in value]
        elif isinstance(value, bytes):
            shown.append([name, veil.data(value).hex(" ")])
        else:
            shown.append([name, veil.text(str(value))])
    return shown


def _blot(key: str, value: str) -> str:
    return str(blot_headers({"headers": {key: value}})["headers"][key])
