"""One broker as all its connections see it: its address, its credentials and the MQTT version it speaks."""

import logging
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from triggers.mqtt.ear import Ear
from triggers.mqtt.faults import unusable
from triggers.mqtt.plan import BrokerPlan
from triggers.mqtt.sharing import Sharing
from triggers.mqtt.topics_seen import TopicsSeen
from triggers.mqtt.url import parse_url

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike

logger = logging.getLogger(__name__)

KEEPALIVE = 30
CONNECT_TIMEOUT = 5.0
SESSION_EXPIRY = 7 * 24 * 3600
RECEIVE_MAXIMUM = 1000


@dataclass(frozen=True)
class Will:
    """What the broker publishes, retained and with QoS 1, when a connection ends without a goodbye."""

    topic: str
    payload: bytes


class Broker:
    """A broker entry of the plan. Raises ValueError when its address is none.

    What passes over its connections is noted in `seen`, if there is one.
    """

    def __init__(self, plan: BrokerPlan, seen: TopicsSeen | None = None) -> None:
        self.plan = plan
        self._seen = seen
        self.address = parse_url(plan.url)
        self.version = MQTTProtocolVersion.MQTTv311 if plan.version == "3.1.1" else MQTTProtocolVersion.MQTTv5
        self.version_known = plan.version != "auto"

        self.sharing = Sharing()
        # What was said of it since it was last up; each of its connections meets the same refusal.
        self.said: set[str] = set()
        self._downgrade_said = False

    def ear(self, client_id: str) -> Ear | None:
        """What hears the messages of a connection."""
        return Ear(self._seen, self.plan.name, client_id) if self._seen is not None else None

    @property
    def speaks_5(self) -> bool:
        """Whether new connections are made with MQTT 5."""
        return self.version == MQTTProtocolVersion.MQTTv5

    def fall_back(self, asked: MQTTProtocolVersion) -> bool:
        """The broker does not speak version `asked`; returns whether another one is worth a try."""
        if self.version != asked:
            # Another connection has found out in the meantime.
            return True
        if not self.speaks_5 or self.plan.version != "auto":
            return False
        self.version = MQTTProtocolVersion.MQTTv311
        self.version_known = True
        logger.info("mqtt %s: the broker does not speak MQTT 5; using 3.1.1", self.plan.name)
        return True

    def say_downgrade(self) -> None:
        """Say once that QoS 2 is not what a subscription gets."""
        if self.plan.qos == 2 and not self._downgrade_said:
            self._downgrade_said = True
            name = self.plan.name
            logger.info("mqtt %s: subscribing with QoS 1, since QoS 2 can lose messages in a crash", name)

    def connect(self, client_id: str, *, persistent: bool, will: Will | None = None) -> Client:
        """A new client that has sent its CONNECT; blocks (DNS, TCP, TLS).

        Raises NeedsMendingError for certificate files that are of no use, else OSError or ValueError.
        """
        client = self._client(client_id, persistent)
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=True)
        username = self.plan.username or self.address.username
        if username is not None:
            client.username_pw_set(username, self.plan.password or self.address.password)
        self._send_connect(client, persistent)
        return client

    def probe(self) -> Client:
        """A client that finds out whether the broker speaks MQTT 5; blocks and raises like `connect`.

        Its CONNECT is the only one that a 3.1.1 broker can read to its end, take for an older one's, and
        refuse: no client id, no properties, no credentials. amqtt waits for ever for the end of others.
        """
        client = self._client("", persistent=False)
        self._send_connect(client, persistent=False)
        return client

    def _send_connect(self, client: Client, persistent: bool) -> None:
        address = self.address
        last_words: list[str] = []
        client.on_socket_close = lambda _c, _u, closing: last_words.append(_last_words(closing))
        if self.speaks_5:
            session = _session() if persistent else None
            client.connect(
                address.host, address.port, KEEPALIVE, clean_start=not persistent, properties=session
            )
        else:
            client.connect(address.host, address.port, KEEPALIVE)
        client.on_socket_close = None
        if last_words:
            raise ConnectionError(last_words[0])
        _send_at_once(client)

    def _client(self, client_id: str, persistent: bool) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if self.speaks_5 else not persistent,
            protocol=self.version,
            transport=self.address.transport,
            # On failure paho would reconnect, blocking, from within its reader.
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = CONNECT_TIMEOUT
        # Publisher keeps the limit: paho searches all its messages at each confirmation to do so.
        client.max_inflight_messages_set(0)
        client.ws_set_options(self.address.path)
        if self.address.tls:
            client.tls_set_context(self._tls())
        return client

    def _tls(self) -> ssl.SSLContext:
        plan = self.plan
        try:
            context = ssl.create_default_context(cafile=plan.ca_file)
            if plan.cert_file is not None:
                # Without a password, OpenSSL would ask for one at the terminal, for ever.
                context.load_cert_chain(plan.cert_file, plan.key_file, password="")
        except OSError as error:
            raise unusable(plan, error) from error
        return context


def _session() -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.ReceiveMaximum = RECEIVE_MAXIMUM
    properties.SessionExpiryInterval = SESSION_EXPIRY
    return properties


def _last_words(closing: "SocketLike") -> str:
    """What the broker sent before it hung up: a TLS alert about our certificate comes that late."""
    try:
        closing.recv(1)
    except OSError as error:
        return str(error)
    return "the connection was closed at once"


def _send_at_once(client: Client) -> None:
    """Small packets would wait for the broker's delayed acknowledgement (Nagle), 40 ms each."""
    connected = client.socket()
    assert connected is not None, "whoever closes it has said so"
    # A websocket has no setsockopt; the option belongs to the socket behind both descriptors.
    with socket.socket(fileno=socket.dup(connected.fileno())) as duplicate:
        duplicate.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
