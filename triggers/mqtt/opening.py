"""Opens connections: what a client has asked for in a thread is waited for on the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor

from paho.mqtt.client import Client

from triggers.mqtt.broker import Broker
from triggers.mqtt.connack import RefusedError
from triggers.mqtt.connection import Connection
from triggers.mqtt.ear import Ear
from triggers.mqtt.peer import Peer

Connect = Callable[[], Client]
"""Sends a CONNECT; blocks, and raises OSError or ValueError."""


async def open_connection(
    connect: Connect, threads: Executor, peer: Peer, ear: Ear | None = None
) -> Connection:
    """A connection that the broker has accepted; raises RefusedError, OSError or ValueError."""
    client = await asyncio.get_running_loop().run_in_executor(threads, connect)
    connection = Connection(client, peer, ear)
    await connection.open()
    return connection


async def find_version(broker: Broker, threads: Executor) -> None:
    """Ask which version the broker speaks, unless that is known; raises as `open_connection`."""
    if broker.version_known:
        return
    try:
        connection = await open_connection(broker.probe, threads, Peer())
    except RefusedError as error:
        if error.unsupported_version:
            raise
    else:
        await connection.close()
    broker.version_known = True
