"""The page `mqtt`: brokers and connections with their past, topics that were seen, publishing."""

import time
from typing import Any

from starlette.requests import Request

from host.console.ground import Ground
from host.console.live.mqtt import ConnectionsSource, MessagesSource, TopicsSource
from host.console.page import Page, Piece, Shown
from host.mqtt import MqttPart
from host.web.mqtt_views import show_broker

SPANS = ((600.0, "minutes", 10), (3600.0, "hours", 1), (3 * 3600.0, "hours", 3), (12 * 3600.0, "hours", 12))
"""What of the past the strips of connections may show: seconds, and how that is said."""
EXAMPLE = """mqtts: [{name: b1, broker: "tcp://127.0.0.1:1883"}]
rules:
- functions: [industry]
  sub: {name: b1, clientId: in, topic: plant/+/in}
  pub: {name: b1, clientId: out, topic: plant/out}"""
WIDTH = 300
"""Of the strip, in its own units."""

Json = dict[str, Any]
Span = tuple[float, float]


def make(ground: Ground) -> Piece:
    """The page, and what keeps it live."""
    mqtt, veil = ground.watched.mqtt, ground.veil

    async def load(request: Request) -> Shown:
        told, now = mqtt.told(), time.time()
        seconds, unit, count = _span(told, now)
        brokers = _brokers(mqtt, told, (now - seconds, now))
        return {"brokers": brokers, "span": (unit, count), "width": WIDTH, "example": EXAMPLE}

    page = Page("mqtt", load, charts=True, parts={"brokers": load})
    sources = (ConnectionsSource(mqtt), TopicsSource(mqtt, veil), MessagesSource(mqtt, veil))
    return Piece((page,), sources)


def _span(told: list[Json], now: float) -> tuple[float, str, int]:
    oldest = min((each["spells"][0]["since"] for each in told), default=now)
    return next((each for each in SPANS if now - oldest <= each[0]), SPANS[-1])


def _brokers(mqtt: MqttPart, told: list[Json], span: Span) -> list[Json]:
    """Each with its connections."""
    connections: dict[str, list[Json]] = {}
    for each in told:
        connections.setdefault(each["broker"], []).append({**each, "strip": _strip(each["spells"], span)})
    return [{**show_broker(mqtt, name), "connections": connections.get(name, [])} for name in mqtt.brokers]


def _strip(spells: list[Json], span: Span) -> list[Json]:
    """Where each spell stands in the strip, in its units."""
    begin, now = span
    scale = WIDTH / (now - begin)
    parts = []
    for spell, until in zip(spells, [*(each["since"] for each in spells[1:]), now], strict=True):
        if until > begin:
            x = min(WIDTH - 1, (max(spell["since"], begin) - begin) * scale)
            width = max(1.0, (until - begin) * scale - x)
            parts.append({"x": round(x, 1), "width": round(width, 1), "up": spell["connected"]})
    return parts
