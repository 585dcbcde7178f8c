"""The ways into a broker: user and password, TLS, client certificates, websockets."""

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.brokers import MakeMosquitto, Mosquitto, free_port
from tests.mqtt.clients import Functions, device, echo, play, rule_plan, running, until
from triggers.mqtt.plan import BrokerPlan, MqttPlan


async def answers_through(plan: BrokerPlan, broker: Mosquitto) -> None:
    """The rule works through the door of `plan`; the device uses the open one of `broker`."""
    with device(broker) as outside:
        await outside.listen("out/r1")
        async with running(MqttPlan((plan,), (rule_plan(),)), Functions(echo=echo).dispatch):
            outside.say_all("in/r1", [b"%d" % n * 50 for n in range(50)])
            await until(lambda: len(outside.heard) == 50, "all are answered")
            assert outside.payloads() == [b"%d" % n * 50 for n in range(50)]


def test_websockets_work(make_mosquitto: MakeMosquitto) -> None:
    port = free_port()
    broker = make_mosquitto(settings=(f"listener {port} 127.0.0.1", "protocol websockets"))
    play(answers_through(BrokerPlan("b1", f"ws://127.0.0.1:{port}", qos=1), broker))


def test_tls_with_a_client_certificate_works(make_mosquitto: MakeMosquitto, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    port = free_port()
    tls = (f"listener {port} 127.0.0.1", f"certfile {certificate}", f"keyfile {key}", f"cafile {certificate}")
    broker = make_mosquitto(settings=(*tls, "require_certificate true", "allow_anonymous true"))
    plan = BrokerPlan("b1", f"mqtts://localhost:{port}", qos=1, ca_file=certificate)
    play(answers_through(replace(plan, cert_file=certificate, key_file=key), broker))


# paho leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_certificate_that_nobody_vouches_for_is_refused(
    make_mosquitto: MakeMosquitto, tmp_path: Path
) -> None:
    async def scene() -> None:
        certificate, key = self_signed(tmp_path)
        port = free_port()
        make_mosquitto(settings=(f"listener {port} 127.0.0.1", f"certfile {certificate}", f"keyfile {key}"))
        plan = MqttPlan((BrokerPlan("b1", f"ssl://localhost:{port}"),), (rule_plan(),))
        async with running(plan, Functions(echo=echo).dispatch, wait=False) as trigger:
            await until(lambda: bool(trigger.state()[0].last_error), "the refusal is said")
            assert "certificate" in str(trigger.state()[0].last_error).lower()

    play(scene())


@pytest.mark.parametrize("version", ["auto", "5", "3.1.1"])
def test_user_and_password_are_sent_and_a_wrong_one_is_said(
    make_mosquitto: MakeMosquitto, tmp_path: Path, version: Any
) -> None:
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-c", "-b", passwords, "someone", "geheim"], check=True)
    broker = make_mosquitto(settings=("allow_anonymous false", f"password_file {passwords}"))
    broker.credentials = ("someone", "geheim")

    async def refused() -> None:
        plan = BrokerPlan("b1", f"tcp://someone:wrong@127.0.0.1:{broker.port}", version=version)
        functions = Functions(echo=echo)
        async with running(MqttPlan((plan,), (rule_plan(),)), functions.dispatch, wait=False) as trigger:
            await until(lambda: bool(trigger.state()[0].last_error), "the refusal is said")
            assert "refused: " in str(trigger.state()[0].last_error)

    right = BrokerPlan("b1", broker.url, 1, username="someone", password="geheim", version=version)
    play(answers_through(right, broker))
    play(refused())


def self_signed(directory: Path) -> tuple[Path, Path]:
    """A certificate for localhost and its key."""
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    ask = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate]
    subprocess.run(ask + [str(name) for name in names], check=True, capture_output=True)
    return certificate, key
