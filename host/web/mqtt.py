"""MQTT in the management API: brokers and connections, topics and messages, publishing, listening."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from host.access.gate import actor_of, note_for_audit
from host.mqtt import MqttPart
from host.web.bodies import json_line, read_object
from host.web.mqtt_orders import read_parcel
from host.web.mqtt_views import Json, is_wanted, show_broker, show_message, show_topic
from host.web.numbers import query_number
from host.web.places import Places
from host.web.veil import Veil
from triggers.asgi import Receive, Scope, Send
from triggers.mqtt.broker import Broker
from triggers.mqtt.listener import Listener
from triggers.mqtt.topics_seen import MOST_TOPICS, key_of
from triggers.mqtt.visit import VisitError

DEFAULT_TOPICS = 500
AT_A_TIME = 100
"""Topics that are shown in one go, with events between."""
MOST_PUBLISHED = 256 * 1024
"""Bytes of a message to publish, as JSON."""
TELL_EVERY = 1.0
"""Seconds between two lines of who listens."""


class MqttApi:
    """Its endpoints, each one verb; `veil` is over what no message shows."""

    def __init__(self, mqtt: MqttPart, veil: Veil) -> None:
        self._mqtt = mqtt
        self._veil = veil
        self._listening = Places(4, 2, "too many listen to brokers just now; close a page that does")

    def routes(self) -> list[Route]:
        """Where they are reached."""
        return [
            Route("/api/mqtt", self.list_connections, methods=["GET"]),
            Route("/api/mqtt/topics", self.list_topics, methods=["GET"]),
            Route("/api/mqtt/messages", self.list_messages, methods=["GET"]),
            Route("/api/mqtt/publish", self.publish, methods=["POST"]),
            Route("/api/mqtt/listen", self.listen, methods=["GET"]),
        ]

    async def list_connections(self, request: Request) -> Response:
        """Brokers, connections to them, and what has become of the events that came over these."""
        brokers = [show_broker(self._mqtt, name) for name in self._mqtt.brokers]
        return _json({"brokers": brokers, "connections": self._mqtt.told()})

    async def list_topics(self, request: Request) -> Response:
        """Topics seen since the start, by name."""
        query, seen = request.query_params, self._mqtt.seen
        asked = query_number(request, "limit")
        limit = DEFAULT_TOPICS if asked is None else min(MOST_TOPICS, asked)
        with _explained():
            wanted = [
                each for each in seen if is_wanted(each, query.get("broker", ""), query.get("filter", ""))
            ]
        wanted.sort(key=lambda each: (each.broker, each.name))
        shown: list[Json] = []
        for each in wanted[:limit]:
            shown.append(show_topic(each, self._veil))
            if not len(shown) % AT_A_TIME:
                await asyncio.sleep(0)
        told = {"total": len(seen), "forgotten": seen.forgotten, "overlong": seen.overlong.count}
        return _json({"topics": shown, **told})

    async def list_messages(self, request: Request) -> Response:
        """The last messages of one topic, the newest first: one, and more while a page shows them."""
        name, topic = request.query_params.get("broker", ""), request.query_params.get("topic", "")
        self._broker(name)
        found = self._mqtt.seen.find(key_of(name, topic.encode(errors="replace")))
        if found is None:
            raise HTTPException(404, f"no message has passed on {topic[:80]!r} since the host started")
        last = list(found.messages) if found.messages is not None else [found.newest]
        return _json({"messages": [show_message(each, self._veil) for each in reversed(last)]})

    async def publish(self, request: Request) -> Response:
        """Publish one message; answered once the broker has it."""
        with _explained():
            name, parcel = read_parcel(await read_object(request, MOST_PUBLISHED))
            broker = self._broker(name)
            flags = f"qos={parcel.qos} retain={int(parcel.retain)} bytes={len(parcel.payload)}"
            note_for_audit(request, target=f"broker={name} {flags} topic={parcel.topic}")
            reason = await self._mqtt.visits.publish(broker, parcel)
        return _json({"published": True, "reason": reason})

    async def listen(self, request: Request) -> Response:
        """Note what comes on a filter until the caller hangs up, and tell each second how much it was."""
        query = request.query_params
        broker, actor = self._broker(query.get("broker", "")), actor_of(request)
        async with AsyncExitStack() as stack:
            stack.enter_context(self._listening.take(f"{actor.name} {actor.peer}"))
            with _explained():
                listening = self._mqtt.visits.listen(broker, query.get("filter", ""))
                listener = await stack.enter_async_context(listening)
            return _Told(_tell(listener), stack.pop_all())

    def _broker(self, name: str) -> Broker:
        try:
            return self._mqtt.brokers[name]
        except KeyError:
            known = ", ".join(self._mqtt.brokers) or "none"
            raise HTTPException(404, f"the config has no broker {name[:80]!r}; it has {known}") from None


class _Told(StreamingResponse):
    """Ends what was begun for it, however it ends."""

    def __init__(self, lines: AsyncIterator[bytes], stack: AsyncExitStack) -> None:
        super().__init__(lines, media_type="application/x-ndjson")
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        async with self._stack:
            await super().__call__(scope, receive, send)


async def _tell(listener: Listener) -> AsyncIterator[bytes]:
    while not listener.ended:
        yield json_line(_state(listener))
        await listener.wait(TELL_EVERY)
    yield json_line(_state(listener))


def _state(listener: Listener) -> Json:
    ear = listener.ear
    return {
        "listening": not listener.ended,
        "why": listener.ended,
        "heard": ear.heard,
        "left_out": ear.left_out,
    }


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise HTTPException(422, str(error)) from None
    except VisitError as error:
        raise HTTPException(503, str(error)) from None


def _json(value: Json) -> Response:
    return Response(
        json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"), media_type="application/json"
    )
