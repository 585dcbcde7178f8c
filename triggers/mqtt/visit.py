"""A short connection on behalf of a person: it has its own client id, and leaves nothing at the broker."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from paho.mqtt import MQTTException

from triggers.mqtt.broker import Broker
from triggers.mqtt.connection import Connection
from triggers.mqtt.ear import Ear
from triggers.mqtt.faults import fault_of
from triggers.mqtt.opening import find_version, open_connection
from triggers.mqtt.peer import Peer

WITHIN = 10.0
"""Seconds for connecting and being answered."""


class VisitError(Exception):
    """It did not work; the message says why, for who asked."""


@dataclass(frozen=True)
class Visitor:
    """Who owns the connection, what hears its messages, and by which client id the broker knows it."""

    peer: Peer
    ear: Ear | None
    client_id: str


def new_client_id() -> str:
    """23 characters, the most that every broker takes (MQTT 3.1.1 §3.1.3.1)."""
    return f"fnhost-console-{secrets.token_hex(4)}"


@asynccontextmanager
async def visiting(broker: Broker, visitor: Visitor, threads: Executor) -> AsyncIterator[Connection]:
    """A connection that ends with the context; raises VisitError when the broker will not have it."""
    connect = partial(broker.connect, visitor.client_id, persistent=False)
    try:
        async with asyncio.timeout(WITHIN):
            await find_version(broker, threads)
            connection = await open_connection(connect, threads, visitor.peer, visitor.ear)
    except TimeoutError:
        raise VisitError(f"the broker has not accepted a connection within {WITHIN:g} s") from None
    except (OSError, ValueError, IndexError, MQTTException) as error:
        raise VisitError(fault_of(error, broker.plan).text) from None
    try:
        yield connection
    finally:
        await connection.close()
