"""A function that takes nothing for a while: its events go to disk, and are answered afterwards, in order."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.events import Answer, Event, UnavailableError
from tests.brokers import MakeMosquitto
from tests.mqtt.clients import Functions, broker_plan, device, echo, play, rule_plan, running, until
from triggers.mqtt.plan import Care, MqttPlan, Version


def numbered(count: int, first: int = 0) -> list[bytes]:
    return [b"%d" % n for n in range(first, first + count)]


class Stoppable:
    """A function whose pool can be stopped."""

    def __init__(self) -> None:
        self.stopped = False
        self.functions = Functions(echo=self.run)
        self.dispatch = self.functions.dispatch

    def run(self, event: Event) -> Answer | UnavailableError:
        return UnavailableError() if self.stopped else echo(event)


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_a_stopped_function_loses_nothing_to_a_broker_with_default_limits(
    make_mosquitto: MakeMosquitto, tmp_path: Path, version: Version
) -> None:
    async def scene() -> None:
        # Only the one that events come from has default limits; the other must keep all answers for us.
        source, target = make_mosquitto(), make_mosquitto(settings=("max_queued_messages 0",))
        function, wanted = Stoppable(), numbered(3000)
        brokers = broker_plan(source, version=version), broker_plan(target, "b2", version=version)
        plan = MqttPlan(brokers, (rule_plan(pub_broker="b2", care=Care(order="topic")),))
        with device(source) as sending, device(target) as listening:
            await listening.listen("out/r1")
            async with running(plan, function.dispatch, folder=tmp_path) as trigger:
                function.stopped = True
                await asyncio.to_thread(at_rate, sending.say_all, wanted, 1000)
                assert not listening.heard
                function.stopped = False
                await until(lambda: len(listening.heard) >= len(wanted), "every event is answered")
                assert listening.payloads() == wanted
                assert trigger.state()[0].reconnects == 0

    play(scene())


def at_rate(say_all: Callable[[str, list[bytes]], None], payloads: list[bytes], rate: int) -> None:
    """Publish so many a second."""
    began = time.monotonic()
    for start in range(0, len(payloads), 50):
        say_all("in/r1", payloads[start : start + 50])
        time.sleep(max(0.0, began + start / rate - time.monotonic()))
