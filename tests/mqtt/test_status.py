"""A broker knows whether the host is online, however it ends."""

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from tests.brokers import MakeMosquitto, Mosquitto
from tests.hosts import ROOT
from tests.mqtt.clients import Device, Functions, broker_plan, device, echo, play, rule_plan, running, until
from triggers.mqtt.plan import MqttPlan
from triggers.mqtt.status import Status

TOPIC = "hosts/h1/status"
HOST = """
import asyncio, sys
from tests.mqtt.clients import Functions, echo, rule_plan, running
from triggers.mqtt.plan import BrokerPlan, MqttPlan

async def main():
    plan = MqttPlan((BrokerPlan("b1", sys.argv[1], 1, status=sys.argv[2]),), (rule_plan(),))
    async with running(plan, Functions(echo=echo).dispatch):
        await asyncio.Event().wait()

asyncio.run(main())
"""


def status_plan(broker: Mosquitto, **more: Any) -> MqttPlan:
    return MqttPlan((broker_plan(broker, status=TOPIC, **more),), (rule_plan(),))


def states(observer: Device) -> list[str]:
    return [json.loads(payload)["state"] for payload in observer.payloads()]


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_online_is_said_at_the_start_and_offline_at_the_end(mosquitto: Mosquitto, version: Any) -> None:
    async def scene() -> None:
        with device(mosquitto) as observer:
            await observer.listen(TOPIC)
            plan = status_plan(mosquitto, version=version)
            async with running(plan, Functions(echo=echo).dispatch) as trigger:
                await until(lambda: states(observer) == ["online"], "it is online")
                await until(lambda: trigger.state()[-1].published == 1, "what was said is counted")
            await until(lambda: states(observer) == ["online", "offline"], "it is offline")
        with device(mosquitto) as newcomer:
            await newcomer.listen(TOPIC)
            await until(lambda: states(newcomer) == ["offline"], "who comes later is told, too")
            assert newcomer.heard[0].retain

    play(scene())


def test_a_host_that_is_killed_is_offline(mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        with device(mosquitto) as observer:
            await observer.listen(TOPIC)
            command = [sys.executable, "-c", HOST, mosquitto.url, TOPIC]
            host = subprocess.Popen(command, cwd=ROOT)  # noqa: ASYNC220
            try:
                await until(lambda: states(observer) == ["online"], "it is online")
            finally:
                host.kill()
                host.wait()
            await until(lambda: states(observer) == ["online", "offline"], "the broker says it")

    play(scene())


def test_online_is_said_again_after_the_broker_was_away(make_mosquitto: MakeMosquitto) -> None:
    async def scene() -> None:
        broker = make_mosquitto()
        async with running(status_plan(broker), Functions(echo=echo).dispatch):
            broker.kill()
            broker.start()
            with device(broker) as observer:
                await observer.listen(TOPIC)
                await until(lambda: states(observer)[-1:] == ["online"], "it is online again")

    play(scene())


def test_a_plan_without_the_status_says_offline_and_one_with_it_online(mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        plan = status_plan(mosquitto)
        quiet = replace(plan, brokers=(broker_plan(mosquitto),))
        with device(mosquitto) as observer:
            await observer.listen(TOPIC)
            async with running(plan, Functions(echo=echo).dispatch) as trigger:
                await until(lambda: states(observer) == ["online"], "it is online")
                await trigger.apply(plan)
                await trigger.apply(quiet)
                await until(
                    lambda: states(observer) == ["online", "offline"], "nothing is said of it any more"
                )
                await trigger.apply(plan)
                await until(lambda: states(observer)[2:] == ["online"], "it is said again")

    play(scene())


def test_the_status_is_json_that_says_who_and_since_when(mosquitto: Mosquitto) -> None:
    status = Status(TOPIC, clock=lambda: 1_700_000_000.4)
    assert json.loads(status.will.payload).keys() == {"state", "host"}

    async def scene() -> None:
        with device(mosquitto) as observer:
            await observer.listen(TOPIC)
            async with running(status_plan(mosquitto), Functions(echo=echo).dispatch):
                await until(lambda: bool(observer.heard), "it is online")
            said = json.loads(observer.payloads()[0])
            assert said.keys() == {"state", "host", "since"} and said["since"].endswith("Z")

    play(scene())
