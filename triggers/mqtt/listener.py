"""Who listens to a topic filter for a person, beyond what rules subscribe to."""

import asyncio
from contextlib import suppress

from paho.mqtt.client import MQTTMessage
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from triggers.mqtt.broker import Broker
from triggers.mqtt.connection import Connection
from triggers.mqtt.ear import ListeningEar
from triggers.mqtt.peer import Peer
from triggers.mqtt.visit import WITHIN, VisitError

MOST_HEARD = 5000
"""Messages a second beyond which nobody is let listen: the host's one thread has other work."""


class Listener(Peer):
    """Hears all of the filter, which its `ear` notes; `ended` says why it hears nothing any more."""

    def __init__(self, broker: Broker, topic_filter: str, ear: ListeningEar) -> None:
        self.ear = ear
        self.ended = ""
        self._broker = broker
        self._filter = topic_filter
        self._answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._connection: Connection | None = None
        self._gone = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """So long, or until nothing is heard any more."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._gone.wait()

    def leave(self, why: str) -> None:
        """Hear nothing any more."""
        self.ended = self.ended or why
        if self._connection is not None:
            self._connection.abort(why)

    async def granted(self) -> None:
        """Wait until the broker grants it; raises VisitError."""
        await asyncio.wait({self._answered}, timeout=WITHIN)
        if not self._answered.done():
            raise VisitError(f"the broker has not answered the subscription within {WITHIN:g} s")
        if self.ended:
            raise VisitError(self.ended)

    def opened(self, connection: Connection, session_present: bool) -> None:
        """Ask for it, with flags as they were published where the broker can tell."""
        self._connection = connection
        speaks_5 = self._broker.speaks_5
        connection.subscribe(self._filter, SubscribeOptions(qos=1, retainAsPublished=True) if speaks_5 else 1)

    def subscribed(self, reasons: list[ReasonCode]) -> None:
        """The broker grants it or not."""
        refused = [reason for reason in reasons if reason.is_failure]
        if refused:
            self.leave(f"the broker refuses it: {refused[0]}; give this user its rights there")
        self._answer()

    def received(self, message: MQTTMessage) -> None:
        """Only the ear wants it, so it may be acknowledged at once."""
        if message.qos and self._connection is not None:
            self._connection.acknowledge(message.mid)
        if self.ear.busiest > MOST_HEARD:
            self.leave(f"more than {MOST_HEARD:,} messages came in a second; choose a narrower filter")

    def closed(self) -> None:
        """The broker is gone."""
        self.ended = self.ended or "the connection to the broker ended"
        self._gone.set()
        self._answer()

    def _answer(self) -> None:
        if not self._answered.done():
            self._answered.set_result(None)
