"""The ways into a broker: user and password, TLS, client certificates, websockets."""

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.brokers import MakeMosquitto, Mosquitto, free_port
from tests.mqtt.certificates import Authority
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


@pytest.mark.parametrize("scheme", ["ws", "websockets"])
def test_websockets_work(make_mosquitto: MakeMosquitto, scheme: str) -> None:
    port = free_port()
    broker = make_mosquitto(settings=(f"listener {port} 127.0.0.1", "protocol websockets"))
    play(answers_through(BrokerPlan("b1", f"{scheme}://127.0.0.1:{port}", qos=1), broker))


@pytest.mark.parametrize("scheme", ["ssl", "mqtts", "wss"])
def test_tls_with_an_authority_of_ones_own_works(
    make_mosquitto: MakeMosquitto, tmp_path: Path, scheme: str
) -> None:
    authority, port = Authority(tmp_path / "ca"), free_port()
    pair = authority.issue("broker")
    door = [f"listener {port} 127.0.0.1", f"certfile {pair.certificate}", f"keyfile {pair.key}"]
    broker = make_mosquitto(settings=(*door, "protocol websockets" if scheme == "wss" else "protocol mqtt"))
    plan = BrokerPlan("b1", f"{scheme}://localhost:{port}", qos=1, ca_file=authority.certificate)
    play(answers_through(plan, broker))


def test_tls_with_a_client_certificate_works(make_mosquitto: MakeMosquitto, tmp_path: Path) -> None:
    authority, port = Authority(tmp_path / "ca"), free_port()
    pair, ours = authority.issue("broker"), authority.issue("client", "host-1")
    tls = (f"listener {port} 127.0.0.1", f"certfile {pair.certificate}", f"keyfile {pair.key}")
    broker = make_mosquitto(settings=(*tls, f"cafile {authority.certificate}", "require_certificate true"))
    plan = BrokerPlan("b1", f"mqtts://localhost:{port}", qos=1, ca_file=authority.certificate)
    play(answers_through(replace(plan, cert_file=ours.certificate, key_file=ours.key), broker))


@pytest.mark.parametrize("version", ["auto", "5", "3.1.1"])
def test_user_and_password_are_sent(make_mosquitto: MakeMosquitto, tmp_path: Path, version: Any) -> None:
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-c", "-b", passwords, "someone", "geheim"], check=True)
    broker = make_mosquitto(settings=("allow_anonymous false", f"password_file {passwords}"))
    broker.credentials = ("someone", "geheim")
    plan = BrokerPlan("b1", broker.url, 1, username="someone", password="geheim", version=version)
    play(answers_through(plan, broker))
