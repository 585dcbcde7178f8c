"""The wire below paho: what is ours and what is paho's share one socket, and neither tears the other."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.brokers import Mosquitto
from tests.mqtt.clients import broker_plan, device, play, until
from triggers.mqtt.broker import Broker
from triggers.mqtt.connection import Connection
from triggers.mqtt.packets import Cutter, write_packet, write_short
from triggers.mqtt.peer import Peer
from triggers.mqtt.plan import BrokerPlan
from triggers.mqtt.traffic import FIRST_MID, LAST_MID, Traffic
from triggers.mqtt.wire import Wire


@contextmanager
def joined() -> Iterator[tuple[Client, Wire, socket.socket]]:
    """paho on a wire whose other end is a socket of ours; it was greeted and holds little unread."""
    near, far = socket.socketpair()
    near.setblocking(False)
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5, manual_ack=True)
    client._sock = near
    client.on_socket_register_write = lambda _c, _u, _s: None
    wire = Wire(client, lambda: None)
    try:
        yield client, wire, far
    finally:
        near.close()
        far.close()


def read_all(far: socket.socket, wire: Wire) -> list[tuple[int, bytes]]:
    """Read at the far end until the wire has nothing left, a little at a time."""
    cutter, packets = Cutter(), []
    far.setblocking(False)
    while True:
        try:
            packets += cutter.feed(far.recv(1000))
        except BlockingIOError:
            if not wire.waits:
                return packets
            wire.flush()


def test_paho_takes_the_wire_for_its_socket() -> None:
    with joined() as (client, wire, _):
        assert client.socket() is wire


def test_a_paho_that_keeps_its_socket_elsewhere_is_refused_loudly() -> None:
    class Other(Client):
        def socket(self) -> Any:
            return near

    near, far = socket.socketpair()
    with near, far, pytest.raises(RuntimeError, match="install another"):
        Wire(Other(CallbackAPIVersion.VERSION2), lambda: None)


def test_packets_of_both_arrive_whole_however_little_the_socket_takes() -> None:
    with joined() as (client, wire, far):
        for number in range(300):
            wire.write(write_packet(0x30, bytes([number % 256]) * 500))
            if number % 50 == 0:
                # Subscriptions are paho's.
                client.subscribe(f"{number}/" + "x" * 5000)
                wire.flush()
        packets = read_all(far, wire)
    ours = [content for first, content in packets if first == 0x30]
    theirs = [content for first, content in packets if first == 0x82]
    assert ours == [bytes([number % 256]) * 500 for number in range(300)]
    assert [content[5:].split(b"/")[0] for content in theirs] == [b"%d" % n for n in range(0, 300, 50)]
    assert len(packets) == 306


def test_paho_hears_the_packets_that_are_its_own() -> None:
    with joined() as (client, wire, far):
        told: list[object] = []
        client.on_subscribe = lambda _c, _u, mid, reasons, _p: told.append((mid, str(reasons[0])))
        far.sendall(b"\x90\x04\0\x01\0\x01" + write_short(4, 7))
        for packet in wire.read():
            if packet[0] >> 4 == 9:
                wire.pass_on(packet)
        assert told == [(1, "Granted QoS 1")]


def test_the_end_of_the_stream_is_told_to_paho_after_all_that_came_before() -> None:
    with joined() as (client, wire, far):
        ended: list[str] = []
        client.on_disconnect = lambda _c, _u, _f, reason, _p: ended.append(str(reason))
        far.sendall(write_short(4, 7))
        far.shutdown(socket.SHUT_WR)
        assert wire.read() == [(0x40, b"\0\7")] and wire.read() == [] and ended == []
        wire.tell_end()
        assert len(ended) == 1 and client.socket() is None


def test_an_id_that_is_not_confirmed_is_not_given_again() -> None:
    with joined() as (_, wire, _far):
        traffic = Traffic(wire, version_5=True)
        first = traffic.publish("t", b"", (1, False), None)
        assert first == FIRST_MID
        for mid in range(FIRST_MID + 1, LAST_MID + 1):
            assert traffic.publish("t", b"", (1, False), None) == mid
            traffic.hear((0x40, mid.to_bytes(2)))
        assert traffic.publish("t", b"", (1, False), None) is None
        traffic.hear((0x40, FIRST_MID.to_bytes(2)))
        assert traffic.publish("t", b"", (1, False), None) == FIRST_MID


def test_a_message_of_qos_2_is_confirmed_once_it_is_completed_or_refused() -> None:
    with joined() as (_, wire, far):
        traffic = Traffic(wire, version_5=True)
        one, two = (traffic.publish("t", b"", (2, False), None) for _ in range(2))
        assert one is not None and two is not None
        traffic.hear((0x50, one.to_bytes(2)))
        traffic.hear((0x50, two.to_bytes(2) + b"\x97"))
        wire.flush()
        assert far.recv(4096).endswith(b"\x62\x02" + one.to_bytes(2))
        assert [(mid, str(reason)) for mid, reason in traffic.confirmations] == [(two, "Quota exceeded")]
        traffic.hear((0x70, one.to_bytes(2)))
        traffic.hear((0x70, one.to_bytes(2)))
        assert [mid for mid, _ in traffic.confirmations] == [two, one]


class Hearer(Peer):
    def __init__(self) -> None:
        self.confirmations: list[int] = []

    def confirmed(self, mid: int, reason: Any) -> None:
        assert not reason.is_failure
        self.confirmations.append(mid)


def test_a_real_broker_confirms_every_quality_of_service(mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        peer = Hearer()
        client = await asyncio.to_thread(Broker(broker_plan(mosquitto)).connect, "c", persistent=False)
        connection = Connection(client, peer)
        await connection.open()
        with device(mosquitto) as listener:
            await listener.listen("t", qos=2)
            mids = [connection.publish("t", b"%d" % qos * 9, (qos, False), None) for qos in (0, 1, 2) * 6]
            await until(lambda: len(peer.confirmations) == 18, "all are confirmed")
            assert sorted(peer.confirmations) == mids
            await until(lambda: len(listener.heard) == 18, "all are heard")
        await connection.close()
        assert str(connection.closed.result()) and not connection.alive

    play(scene())


class Greeter(asyncio.Protocol):
    """A broker that greets, and from then on sends messages or nothing; it answers no ping."""

    def __init__(self, talks: bool) -> None:
        self._talks = talks
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if data[0] == 0x10 and self.transport is not None:
            self.transport.write(b"\x20\x03\0\0\0")
            self._talk(self.transport)

    def _talk(self, transport: asyncio.Transport) -> None:
        if self._talks and not transport.is_closing():
            transport.write(b"\x30\x04\0\1t\0")
            asyncio.get_running_loop().call_later(0.1, self._talk, transport)


@asynccontextmanager
async def greeted(talks: bool) -> AsyncIterator[Connection]:
    """A connection to a Greeter; both ends are closed at the end."""
    greeter = Greeter(talks)
    server = await asyncio.get_running_loop().create_server(lambda: greeter, "127.0.0.1", 0)
    plan = BrokerPlan("raw", f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}", version="5")
    client = await asyncio.to_thread(Broker(plan).connect, "c", persistent=False)
    connection = Connection(client, Peer())
    await connection.open()
    try:
        yield connection
    finally:
        connection.abort("done")
        assert greeter.transport is not None
        greeter.transport.abort()
        server.close()
        await server.wait_closed()


def test_a_broker_that_sends_messages_is_not_taken_for_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triggers.mqtt.broker.KEEPALIVE", 1)

    async def scene() -> None:
        async with greeted(talks=True) as lively, greeted(talks=False) as silent:
            await until(silent.closed.done, "the silent one is given up")
            assert lively.alive and "Keep alive" in str(silent.closed.result())

    play(scene())
