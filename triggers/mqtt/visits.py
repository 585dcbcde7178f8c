"""What people do at brokers by themselves: publish a message, listen to a filter for a while."""

from collections.abc import AsyncIterator
from concurrent.futures import Executor
from contextlib import asynccontextmanager

from conf.topics import check_filter, check_topic
from triggers.mqtt.broker import Broker
from triggers.mqtt.ear import ListeningEar
from triggers.mqtt.listener import Listener
from triggers.mqtt.parcel import Parcel, Sender
from triggers.mqtt.plan import SHARED
from triggers.mqtt.topics_seen import TopicsSeen
from triggers.mqtt.visit import Visitor, new_client_id, visiting


class Visits:
    """Each over a connection of its own, beside those of rules."""

    def __init__(self, threads: Executor, seen: TopicsSeen) -> None:
        self._threads = threads
        self._seen = seen
        self._listeners: set[Listener] = set()

    def end(self) -> None:
        """Nobody listens any more; the host stops."""
        for listener in list(self._listeners):
            listener.leave("the host stops")

    async def publish(self, broker: Broker, parcel: Parcel) -> str:
        """What the broker says once it has the message.

        Raises ValueError for what is no topic to publish to, VisitError when the broker does not take it.
        """
        if check_topic(parcel.topic).startswith("$"):
            raise ValueError(f"{parcel.topic!r} begins with $: such topics are the broker's own")
        sender, client_id = Sender(), new_client_id()
        visitor = Visitor(sender, broker.ear(client_id), client_id)
        async with visiting(broker, visitor, self._threads) as connection:
            return await sender.send(connection, parcel)

    @asynccontextmanager
    async def listen(self, broker: Broker, topic_filter: str) -> AsyncIterator[Listener]:
        """Listen as long as the context lasts; what is heard is noted as any other message.

        Raises ValueError for what is no filter, VisitError when the broker does not allow it.
        """
        if check_filter(topic_filter).startswith(SHARED):
            raise ValueError("a shared subscription would take messages away from those who share it")
        client_id = new_client_id()
        ear = ListeningEar(self._seen, broker.plan.name, client_id)
        listener = Listener(broker, topic_filter, ear)
        async with visiting(broker, Visitor(listener, ear, client_id), self._threads):
            await listener.granted()
            self._listeners.add(listener)
            try:
                yield listener
            finally:
                self._listeners.discard(listener)
