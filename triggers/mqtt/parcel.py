"""One message that somebody wants published, and who publishes it and waits for the broker's word."""

import asyncio
from dataclasses import dataclass
from typing import Any

from paho.mqtt.reasoncodes import ReasonCode

from triggers.mqtt.connack import Limits
from triggers.mqtt.connection import Connection
from triggers.mqtt.peer import Peer
from triggers.mqtt.properties import Packed, pack
from triggers.mqtt.publisher import HEADER
from triggers.mqtt.visit import WITHIN, VisitError


@dataclass(frozen=True)
class Parcel:
    """An empty `content_type` is not said; 3.1.1 knows none."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
    content_type: str = ""


class Sender(Peer):
    """Publishes one."""

    def __init__(self) -> None:
        self._answered: asyncio.Future[ReasonCode] = asyncio.get_running_loop().create_future()

    def confirmed(self, mid: int, reason: ReasonCode) -> None:
        """The broker has it, or says why not."""
        if not self._answered.done():
            self._answered.set_result(reason)

    async def send(self, connection: Connection, parcel: Parcel) -> str:
        """What the broker says once it has the message; raises VisitError."""
        if objection := _objection(parcel, connection.limits):
            raise VisitError(objection)
        properties = Packed(pack(parcel.content_type, (), None))
        connection.publish(parcel.topic, parcel.payload, (parcel.qos, parcel.retain), properties)
        ends: set[asyncio.Future[Any]] = {self._answered, connection.closed}
        await asyncio.wait(ends, timeout=WITHIN, return_when=asyncio.FIRST_COMPLETED)
        if self._answered.done():
            reason = self._answered.result()
            if reason.is_failure:
                raise VisitError(f"the broker would not take it: {reason}")
            return str(reason)
        if connection.closed.done():
            why = connection.closed.result().text
            raise VisitError(f"the connection ended before the message was confirmed: {why}")
        raise VisitError(f"the broker has not confirmed it within {WITHIN:g} s")


def _objection(parcel: Parcel, limits: Limits) -> str:
    if len(parcel.payload) + 4 * len(parcel.topic) + HEADER > limits.packet:
        return f"the broker takes packets of {limits.packet:,} bytes at most"
    if parcel.qos > limits.qos:
        return f"the broker takes QoS {limits.qos} at most"
    return "the broker retains no messages" if parcel.retain and not limits.retain else ""
