"""What keeps a host out of a broker is said once, with its remedy, tried seldom, and noticed when mended."""

import logging
import re
import subprocess
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from tests.brokers import MakeMosquitto, Mosquitto, free_port, listens
from tests.mqtt.certificates import LONG_AGO, Authority
from tests.mqtt.clients import Functions, broker_plan, echo, play, rule_plan, running, until
from tests.mqtt.raw import answering
from triggers.mqtt.broker import Broker
from triggers.mqtt.connack import RefusedError
from triggers.mqtt.connection import Connection
from triggers.mqtt.faults import fault_of
from triggers.mqtt.ladder import Delays, Ladder, Retry
from triggers.mqtt.link import Identity, Link
from triggers.mqtt.peer import Peer
from triggers.mqtt.plan import BrokerPlan, MqttPlan

# paho leaves the socket of a failed handshake to the garbage collector.
LEFT_OPEN = "ignore::pytest.PytestUnraisableExceptionWarning"
ATTEMPTS = 3
CONNACK = b"\x20\x02\x00\x00"
REFUSED_SUBACK = b"\x90\x03\x00\x01\x80"
REQUIRED = "require_certificate true"


@dataclass
class Door:
    """What is to be said, what the host has, what the broker wants; how somebody mends it.

    `replaced` is a line of the broker's config, and what stands there then.
    """

    says: str
    plan: BrokerPlan
    settings: list[str]
    mend: Callable[[], object] = lambda: None
    replaced: tuple[str, str] = ("\n", "\n")


class Doors:
    """Doors that do not open, by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder / "ca")
        self.port = free_port()

    def wrong_ca(self) -> Door:
        ours = self.folder / "ours.pem"
        ours.write_bytes(Authority(self.folder / "other").certificate.read_bytes())
        plan = replace(self._tls_plan(), ca_file=ours)
        return self._tls(
            r"nobody we trust vouches for the broker's certificate; set `tls.ca` .*certificate verify failed",
            plan,
            lambda: ours.write_bytes(self.authority.certificate.read_bytes()),
        )

    def expired(self) -> Door:
        door = self._tls(
            r"the broker's certificate has expired; renew it", mend=lambda: self.authority.issue("broker")
        )
        self.authority.issue("broker", valid=LONG_AGO)
        return door

    def wrong_host_name(self) -> Door:
        says = r"the broker's certificate is not for localhost; let `broker` have a name"
        door = self._tls(says, mend=lambda: self.authority.issue("broker"))
        self.authority.issue("broker", "elsewhere.example")
        return door

    def no_client_certificate(self) -> Door:
        return self._client_certificate(
            r"the broker wants a client certificate; set `tls.cert` and `tls.key`", self._tls_plan()
        )

    def foreign_client_certificate(self) -> Door:
        pair = Authority(self.folder / "other").issue("client")
        plan = replace(self._tls_plan(), cert_file=pair.certificate, key_file=pair.key)
        return self._client_certificate(r"the broker refuses our client certificate; set `tls.cert`", plan)

    def wrong_password(self) -> Door:
        passwords = self.folder / "passwords"

        def write(password: str) -> None:
            subprocess.run(["mosquitto_passwd", "-c", "-b", passwords, "someone", password], check=True)

        write("geheim")
        plan = BrokerPlan("b1", "tcp://127.0.0.1", username="someone", password="wrong")
        settings = ["allow_anonymous false", f"password_file {passwords}"]
        says = r"refused: Not authorized; mend `username` and `password`"
        return Door(says, plan, settings, lambda: write("wrong"))

    def not_authorised(self) -> Door:
        plan = BrokerPlan("b1", "tcp://127.0.0.1", version="3.1.1")
        says = r"refused: Not authorized; mend `username` and `password`, or give this client its rights"
        refusal = "allow_anonymous false"
        return Door(says, plan, [refusal], replaced=(refusal, ""))

    def _client_certificate(self, says: str, plan: BrokerPlan) -> Door:
        door = self._tls(says, plan)
        door.replaced = (REQUIRED, "")
        door.settings += [f"cafile {self.authority.certificate}", REQUIRED]
        return door

    def _tls_plan(self) -> BrokerPlan:
        return BrokerPlan("b1", f"mqtts://localhost:{self.port}", ca_file=self.authority.certificate)

    def _tls(
        self, says: str, plan: BrokerPlan | None = None, mend: Callable[[], object] = lambda: None
    ) -> Door:
        pair = self.authority.issue("broker")
        listener = [f"listener {self.port} 127.0.0.1", f"certfile {pair.certificate}", f"keyfile {pair.key}"]
        return Door(says, plan or self._tls_plan(), listener, mend)


@asynccontextmanager
async def linked(plan: BrokerPlan, delays: Delays, peer: Peer | None = None) -> AsyncIterator[Link]:
    """A link that tries again after `delays`."""
    with ThreadPoolExecutor(2) as threads:
        link = Link(Identity(Broker(plan), "door", persistent=True), peer or Peer(), threads, delays)
        link.start()
        try:
            yield link
        finally:
            await link.stop()


def attempts(broker: Mosquitto, port: int) -> int:
    return broker.log().count(f"on port {port}.")


@pytest.mark.filterwarnings(LEFT_OPEN)
@pytest.mark.parametrize(
    "name",
    [
        "wrong_ca",
        "expired",
        "wrong_host_name",
        "no_client_certificate",
        "foreign_client_certificate",
        "wrong_password",
        "not_authorised",
    ],
)
def test_what_keeps_us_out_is_said_once_and_noticed_when_mended(
    make_mosquitto: MakeMosquitto, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    doors = Doors(tmp_path)
    door: Door = getattr(doors, name)()
    broker = make_mosquitto(settings=("log_type all", *door.settings))
    plan = door.plan
    if plan.url.startswith("tcp://"):
        plan, doors.port = replace(plan, url=broker.url), broker.port

    async def scene() -> None:
        # The broker's first door is open by now; this may be another one.
        await until(lambda: listens(doors.port), "the broker listens there")
        before = attempts(broker, doors.port)
        async with linked(plan, Delays(first=0.02, slow=0.05)) as link:
            await until(lambda: attempts(broker, doors.port) >= before + 2 * ATTEMPTS, "it tries again")
            said = [text for text in caplog.messages if text.startswith("mqtt b1")]
            assert len(said) == 1 and re.search(rf"^mqtt b1: {door.says}", said[0]), said
            assert link.last_error and link.last_error in said[0]
            door.mend()
            config = tmp_path / f"mosquitto-{broker.port}.conf"
            config.write_text(config.read_text().replace(*door.replaced))
            broker.stop()
            broker.start()
            await until(lambda: link.connected, "it is in once that is mended")
            assert link.last_error is None

    with caplog.at_level(logging.WARNING):
        play(scene())


def test_a_missing_certificate_file_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        plan = BrokerPlan("b1", f"mqtts://localhost:{free_port()}", ca_file=tmp_path / "none.pem")
        async with linked(plan, Delays(slow=0.01)) as link:
            await until(lambda: link.last_error is not None, "it is said")
            assert "none.pem: No such file or directory; mend `tls`" in str(link.last_error)

    play(scene())


def test_all_connections_to_a_broker_meet_one_refusal_and_say_it_once(
    make_mosquitto: MakeMosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        broker = make_mosquitto(settings=("allow_anonymous false",))
        plan = MqttPlan((broker_plan(broker, status="status"),), (rule_plan(), rule_plan("r2")))
        async with running(plan, Functions(echo=echo).dispatch, wait=False) as trigger:
            await until(lambda: all(state.last_error for state in trigger.state()), "all are refused")
            assert len(trigger.state()) == 5
            assert sum("refused" in text for text in caplog.messages) == 1

    with caplog.at_level(logging.WARNING):
        play(scene())


def test_a_refused_subscription_is_named_with_its_remedy() -> None:
    async def scene(url: str) -> None:
        plan = MqttPlan((BrokerPlan("b1", url, 1, version="3.1.1"),), (rule_plan(),))
        async with running(plan, Functions(echo=echo).dispatch, wait=False) as trigger:
            await until(lambda: "in/r1 refused" in str(trigger.state()[0].last_error), "the refusal is known")
            assert "give this client its rights at the broker" in str(trigger.state()[0].last_error)

    with answering(CONNACK, REFUSED_SUBACK) as url:
        play(scene(url))


class Unwelcome(Peer):
    """Accepted, and then of no use, as after a refused subscription."""

    def opened(self, connection: Connection, session_present: bool) -> None:
        connection.abort("not welcome", Retry.SLOW)


def test_what_ends_each_connection_soon_is_said_once(
    mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        async with linked(broker_plan(mosquitto), Delays(slow=0.01), Unwelcome()) as link:
            await until(lambda: link.reconnects == ATTEMPTS, "it has tried again")
            assert caplog.messages == ["mqtt b1 as door: not welcome; trying again until it works"]

    with caplog.at_level(logging.WARNING):
        play(scene())


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("[SSL: SSLV3_ALERT_CERTIFICATE_EXPIRED] ssl/tls alert certificate expired (_ssl.c:1)", "our client"),
        ("[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca (_ssl.c:2580)", "our client certificate"),
        (
            "[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert handshake failure (_ssl.c:1)",
            "may want a client",
        ),
        ("[SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version (_ssl.c:1)", "TLS 1.2 or later"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate is not yet valid", "clock"),
        ("[SSL: RECORD_LAYER_FAILURE] record layer failure (_ssl.c:1)", "does not speak TLS at broker:8883"),
    ],
)
def test_what_openssl_says_is_told_in_words_and_not_tried_every_second(said: str, meant: str) -> None:
    fault = fault_of(OSError(said), BrokerPlan("b1", "mqtts://broker"))
    assert meant in fault.text and fault.retry is Retry.SLOW
    assert "_ssl.c" not in fault.text


@pytest.mark.parametrize(
    ("code", "retry"),
    [(132, Retry.SLOW), (133, Retry.SLOW), (134, Retry.SLOW), (135, Retry.SLOW), (136, Retry.NEXT)],
)
def test_a_busy_broker_is_asked_again_sooner_than_one_that_does_not_let_us_in(
    code: int, retry: Retry
) -> None:
    refused = RefusedError(ReasonCode(PacketTypes.CONNACK, identifier=code))
    assert fault_of(refused, BrokerPlan("b1", "tcp://broker")).retry is retry


def test_a_lost_network_is_tried_again_soon() -> None:
    fault = fault_of(ConnectionRefusedError(111, "Connection refused"), BrokerPlan("b1", "tcp://broker"))
    assert fault.retry is Retry.NEXT


def test_the_ladder_has_a_slow_step_a_first_step_and_steps_that_double() -> None:
    for _ in range(100):
        ladder = Ladder(Delays())
        delays = [ladder.delay(Retry.NEXT, 0) for _ in range(10)]
        assert all(0.05 <= delay <= min(2.0**step, 30) for step, delay in enumerate(delays))
        assert 24 <= ladder.delay(Retry.SLOW, 0) <= 36
        assert ladder.delay(Retry.SOON, 0) <= 1
        assert ladder.delay(Retry.NEXT, 11) <= 1, "it begins anew after a connection that lived"
    longest = Ladder(Delays())
    assert max(longest.delay(Retry.NEXT, 0) for _ in range(300)) > 20
