"""The demo's own connection to the broker: what the sensor sends leaves here, what is heard arrives here."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

HANDSHAKE = 10.0
QOS = 1

Heard = asyncio.Queue[tuple[str, bytes]]


class Link:
    """Publishes, and keeps in `heard` the topic and payload of every message of the topics subscribed to."""

    def __init__(self, client: Client, heard: Heard) -> None:
        self._client = client
        self.heard = heard

    def publish(self, topic: str, payload: bytes) -> None:
        """Hand one message to the broker."""
        self._client.publish(topic, payload, QOS)


@asynccontextmanager
async def open_link(port: int, topics: Sequence[str]) -> AsyncIterator[Link]:
    """A connection to the loopback `port`, subscribed to `topics` when the block begins."""
    loop = asyncio.get_running_loop()
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311)
    heard: Heard = asyncio.Queue()
    granted = asyncio.Event()

    # paho calls these in its own thread.
    def note_message(_client: Client, _data: object, message: MQTTMessage) -> None:
        loop.call_soon_threadsafe(heard.put_nowait, (message.topic, bytes(message.payload)))

    def note_granted(*_: object) -> None:
        loop.call_soon_threadsafe(granted.set)

    client.on_message = note_message
    client.on_subscribe = note_granted
    await asyncio.to_thread(client.connect, "127.0.0.1", port)
    client.loop_start()
    try:
        client.subscribe([(topic, QOS) for topic in topics])
        await asyncio.wait_for(granted.wait(), HANDSHAKE)
        yield Link(client, heard)
    finally:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)
