"""One connection to a broker, from CONNECT to its end: paho's socket driven by the event loop."""

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from paho.mqtt import MQTTException
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import LogLevel, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from triggers.mqtt.connack import Limits, RefusedError
from triggers.mqtt.ear import Ear
from triggers.mqtt.faults import Fault
from triggers.mqtt.ladder import Retry
from triggers.mqtt.peer import Peer
from triggers.mqtt.properties import Packed
from triggers.mqtt.traffic import Traffic
from triggers.mqtt.wire import Wire

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike

logger = logging.getLogger(__name__)

CONNACK_TIMEOUT = 10.0
RESET = "the connection was reset"

# What paho calls an end without a reason.
_CLOSED = dict.fromkeys(("Normal disconnection", "Unspecified error"), "the connection was closed")


class Connection:
    """An epoch: one client object, one socket, never used again.

    paho calls back while it holds its locks, so its callbacks only note; what they noted is acted upon as
    soon as paho has returned. `ear` hears of each message, if there is one.
    """

    def __init__(self, client: Client, peer: Peer, ear: Ear | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._client = client
        self._peer = peer
        self._subscriptions: list[list[ReasonCode]] = []
        self._flushing = False
        self._wire = Wire(client, self._want_flush)
        self._traffic = Traffic(self._wire, client.protocol == MQTTProtocolVersion.MQTTv5, ear)
        self._connack: tuple[ReasonCode, bool] | None = None
        self._accepted: asyncio.Future[None] = self._loop.create_future()
        self._lost: str | None = None
        self._socket_error: str | None = None
        self._retry = Retry.NEXT
        self._timer: asyncio.TimerHandle | None = None
        self.alive = False
        self.limits = Limits()
        self.closed: asyncio.Future[Fault] = self._loop.create_future()

    async def open(self) -> None:
        """Wait for the broker to accept; raises RefusedError, or OSError when there is no answer."""
        self._attach()
        accepted = False
        try:
            async with asyncio.timeout(CONNACK_TIMEOUT):
                await self._accepted
            accepted = True
        except TimeoutError:
            raise TimeoutError("the broker does not answer CONNECT") from None
        finally:
            # Also when cancelled in the moment of acceptance: nobody else knows of this connection yet.
            if not accepted:
                self.abort("not accepted")

    def publish(
        self, topic: str, payload: bytes, flags: tuple[int, bool], properties: Packed | None
    ) -> int | None:
        """Send a message with `flags` (QoS, retain); returns its id, or None when it cannot be taken.

        Raises ValueError when nothing can be published to `topic`, or the message is too large.
        """
        return self._traffic.publish(topic, payload, flags, properties) if self.alive else None

    def acknowledge(self, mid: int) -> None:
        """Acknowledge a message of this very connection."""
        self._traffic.acknowledge(mid)

    @property
    def writing(self) -> bool:
        """Whether something waits to be written."""
        return self._wire.waits

    def subscribe(self, topic: str, options: SubscribeOptions | int) -> None:
        """Subscribe with options (MQTT 5) or a QoS (3.1.1)."""
        if isinstance(options, int):
            self._client.subscribe(topic, options)
        else:
            self._client.subscribe(topic, options=options)

    def unsubscribe(self, topic: str) -> None:
        """End a subscription."""
        self._client.unsubscribe(topic)

    async def close(self) -> None:
        """Write what waits to be written, say goodbye, and close; 2 s at most."""
        if self.alive:
            self._client.disconnect()
            with suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await asyncio.shield(self.closed)
        self.abort("closed")

    def leave(self, reason: str) -> None:
        """Close at once, with a goodbye if the socket takes it; another connection may follow soon."""
        self._client.disconnect()
        self._wire.flush()
        self._lost = reason
        self.abort(reason, Retry.SOON)

    def abort(self, reason: str, retry: Retry = Retry.NEXT) -> None:
        """Close without a word to the broker; `retry` says when another connection may be of use."""
        if self._lost is None:
            self._lost = reason
        self._retry = retry
        connected = self._client.socket()
        if connected is not None:
            self._ignore(connected)
            connected.close()
        self._finish()
        # The client closes its socket once more when it is collected; nobody here must hear of that.
        self._client.on_socket_close = None

    def _attach(self) -> None:
        client = self._client
        # Only until the broker accepts: it costs a line of text for each packet.
        client.on_log = self._note_log
        client.on_connect = self._note_connect
        client.on_disconnect = self._note_disconnect
        client.on_message = self._note_message
        client.on_subscribe = self._note_subscribe
        client.on_socket_close = self._forget_socket
        client.on_socket_register_write = self._want_write
        self._loop.add_reader(self._wire.fileno(), self._readable)
        # CONNECT was written while there was no event loop to ask; its rest, if any, is written here.
        self._want_flush()
        self._timer = self._loop.call_later(1, self._tick)

    def _note_connect(
        self, client: Client, _u: object, flags: ConnectFlags, reason: ReasonCode, told: Properties | None
    ) -> None:
        self._connack = (reason, flags.session_present)
        if told is not None and client.protocol == MQTTProtocolVersion.MQTTv5:
            self.limits = Limits.of(told)

    def _note_log(self, _c: Client, _u: object, level: LogLevel | int, text: str) -> None:
        # A TLS alert comes after the handshake; paho tells nobody else what it was.
        if level == LogLevel.MQTT_LOG_ERR:
            self._socket_error = text.removeprefix("failed to receive on socket: ")

    def _note_disconnect(
        self, _c: Client, _u: object, flags: DisconnectFlags, reason: ReasonCode, _p: Properties | None
    ) -> None:
        by_broker = flags.is_disconnect_packet_from_server
        ours = self._socket_error or _CLOSED.get(str(reason), str(reason))
        self._lost = f"the broker said {reason}" if by_broker else ours

    def _note_message(self, _c: Client, _u: object, message: MQTTMessage) -> None:
        self._traffic.messages.append(message)

    def _note_subscribe(
        self, _c: Client, _u: object, _mid: int, reasons: list[ReasonCode], _p: Properties
    ) -> None:
        self._subscriptions.append(reasons)

    def _forget_socket(self, _c: Client, _u: object, connected: "SocketLike") -> None:
        self._ignore(connected)

    def _want_write(self, _c: Client, _u: object, _connected: "SocketLike") -> None:
        self._want_flush()

    def _want_flush(self) -> None:
        # At the end of this turn of the loop: what is said in one turn goes in one write.
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Write what the socket takes; it stays asked for as long as there is more."""
        self._flushing = False
        if self.closed.done():
            return
        self._wire.flush()
        if self._wire.waits and self._client.socket() is not None:
            self._await_room()
        else:
            self._traffic.all_written()
        self._wire.tell_end()
        self._act()

    def _await_room(self) -> None:
        self._flushing = True
        try:
            self._loop.add_writer(self._wire.fileno(), self._writable)
        except (RuntimeError, OSError, ValueError):
            # uvloop has given this socket up already.
            self._lost = self._lost or RESET

    def _ignore(self, connected: "SocketLike") -> None:
        descriptor = connected.fileno()
        if descriptor >= 0:
            self._loop.remove_reader(descriptor)
            self._loop.remove_writer(descriptor)

    def _readable(self) -> None:
        try:
            for packet in self._wire.read():
                self._traffic.hear(packet)
            self._wire.tell_end()
        except (MQTTException, ValueError, KeyError, IndexError) as error:
            # Decoders, ours and paho's, let these out when a broker sends what no broker should.
            self._lost = f"the broker sent what is not MQTT: {error!r}"
        if self._wire.more:
            self._loop.call_soon(self._read_on)
        self._act()

    def _read_on(self) -> None:
        if not self.closed.done() and self._client.socket() is not None:
            self._readable()

    def _writable(self) -> None:
        self._loop.remove_writer(self._wire.fileno())
        self._flush()

    def _tick(self) -> None:
        self._timer = self._loop.call_later(1, self._tick)
        self._wire.prove_life()
        self._client.loop_misc()
        if self.alive:
            self._peer.ticked(self._loop.time())
        self._act()

    def _act(self) -> None:
        if self._wire.was_reset():
            self._lost = self._lost or RESET
        try:
            self._tell_peer()
        except Exception:
            # What was noted and not told yet would be lost: over a new connection the broker says it again.
            logger.exception("mqtt: an error of ours ends a connection")
            self._lost = self._lost or "an error of ours"
        if self._lost is not None:
            self.abort(self._lost)

    def _tell_peer(self) -> None:
        if self._connack is not None:
            self._take_connack(*self._connack)
        subscriptions, self._subscriptions = self._subscriptions, []
        confirmations, messages = self._traffic.take()
        for reasons in subscriptions:
            self._peer.subscribed(reasons)
        for mid, reason in confirmations:
            self._peer.confirmed(mid, reason)
        for message in messages:
            self._peer.received(message)

    def _take_connack(self, reason: ReasonCode, session_present: bool) -> None:
        self._connack = None
        if self._accepted.done():
            return
        if reason.is_failure:
            self._accepted.set_exception(RefusedError(reason))
        else:
            self.alive = True
            self._client.on_log = None
            # First the future: the peer may end the connection at once.
            self._accepted.set_result(None)
            self._peer.opened(self, session_present)

    def _finish(self) -> None:
        if self.closed.done():
            return
        if self._timer is not None:
            self._timer.cancel()
        if self.alive:
            self.alive = False
            self._peer.closed()
        reason = self._lost or "closed"
        if not self._accepted.done():
            self._accepted.set_exception(ConnectionError(reason))
        self.closed.set_result(Fault(reason, self._retry))
