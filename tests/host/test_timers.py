"""Timers of a real host: from their moment to a broker, and through crashes around it."""

import asyncio
import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.brokers import Mosquitto
from tests.hosts import ROOT, RunningHost, StartHost, wait_until
from tests.mqtt.clients import device, until
from tests.torture.clock import Clock
from triggers.store.changes import SaveMoment
from triggers.store.failpoints import VARIABLE
from triggers.store.store import DeliveryStore

NOTE = """
import pathlib

def index(event, context):
    with open(pathlib.Path(context.output_dir) / "runs", "a") as runs:
        runs.write(context.event.id + "\\n")
    return {"event": event, "kind": context.trigger.kind, "name": context.trigger.name}
"""
FUNCS = "funcs: [{modelName: note, scale: {max: 1}}]\n"
TICKING = (
    'mqtts: [{{name: b1, broker: "{url}", qos: 1}}]\n'
    "timers:\n"
    "- {{name: tick, every: 200ms, pub: {{name: b1, clientId: timers, topic: out/tick}}}}\n"
    "- {{name: minute, cron: '* * * * *', payload: {{线: 3}},"
    " pub: {{name: b1, clientId: timers, topic: out/minute}}}}\n"
)
HOUR = 3600
REPORT = FUNCS + "timers: [{name: report, every: 1h, catch_up: true}]\n"
LANE = "timer/report/note"


def timers(host: RunningHost) -> dict[str, dict[str, Any]]:
    shown = host.client.get(f"{host.url}/api/timers").json()["timers"]
    return {timer["name"]: timer for timer in shown}


def deploy_note(host: RunningHost) -> None:
    told = host.deploy({"index.py": NOTE}, "note")
    assert told["type"] == "done", told


def runs(host: RunningHost) -> list[str]:
    """The ids of the events that the function began, in their order."""
    return [line for file in (host.state / "output").rglob("runs") for line in file.read_text().split()]


def test_timers_fire_by_their_clocks_and_publish_what_their_functions_return(
    mosquitto: Mosquitto, start_host: StartHost, tmp_path: Path
) -> None:
    clock = Clock(tmp_path / "clock", ROOT)
    host = start_host(FUNCS, clock.environment)
    deploy_note(host)
    other = host.folder / "other.yaml"
    other.write_text(FUNCS + TICKING.format(url=mosquitto.url), encoding="utf-8")

    async def scene() -> None:
        with device(mosquitto) as listener:
            await listener.listen("out/#")
            answer = host.client.post(f"{host.url}/api/config", json={"path": str(other)})
            assert answer.json()["changes"] == ["mqtts: 1 added", "timers: 2 added"]
            # A minute is over in a second, by the host's clock.
            clock.move(59 - time.time() % 60)
            await until(
                lambda: any(each.topic == "out/minute" for each in listener.heard), "a minute is over"
            )
            await until(lambda: len(listener.heard) > 5, "it ticks")
            said = {each.topic: json.loads(each.payload) for each in listener.heard}
        tick, minute = said["out/tick"], said["out/minute"]
        assert minute == {"event": {"线": 3}, "kind": "timer", "name": "minute"}
        assert tick["event"].keys() == {"timer", "time"} and tick["event"]["timer"] == "tick"
        assert datetime.fromisoformat(tick["event"]["time"]).tzinfo is not None

    asyncio.run(scene())
    shown = timers(host)
    assert (shown["tick"]["schedule"], shown["minute"]["schedule"]) == ("every 0.2s", "* * * * * UTC")
    assert shown["minute"]["fired"] in (1, 2) and shown["minute"]["last"] % 60 == 0
    assert shown["tick"]["failed"] == shown["minute"]["failed"] == 0
    assert len(set(runs(host))) == len(runs(host))


def test_results_of_short_intervals_wait_on_disk_for_their_broker_through_a_crash(
    mosquitto: Mosquitto, start_host: StartHost
) -> None:
    host = start_host(FUNCS + TICKING.format(url=mosquitto.url))
    deploy_note(host)
    wait_until(lambda: runs(host), "it ticks")
    mosquitto.stop()
    delivery = f"{host.url}/api/delivery"
    wait_until(lambda: host.client.get(delivery).json()["results"].get("b1/timers", 0) > 5, "results wait")
    host.kill()
    killed = time.time()
    mosquitto.start()

    async def scene() -> None:
        with device(mosquitto) as listener:
            await listener.listen("out/tick")
            await asyncio.to_thread(host.start)
            await until(lambda: len(listener.heard) > 4, "results come")
            events = [json.loads(payload)["event"] for payload in listener.payloads()]
        times = [datetime.fromisoformat(event["time"]).timestamp() for event in events]
        # What the broker had taken before it ended, it has forgotten.
        assert len([each for each in times if each < killed]) > 3
        assert times == sorted(times)

    asyncio.run(scene())


def test_a_timer_that_stays_fires_on_while_the_config_changes(start_host: StartHost) -> None:
    text = FUNCS + "timers: [{name: long, every: 1h}"
    host = start_host(text + ", {name: gone, cron: '0 6 * * *', timezone: Asia/Shanghai}]\n")
    before = timers(host)
    assert before["gone"]["schedule"] == "0 6 * * * Asia/Shanghai"
    other = host.folder / "other.yaml"
    other.write_text(text + ", {name: new, every: 2h}]\n", encoding="utf-8")
    answer = host.client.post(f"{host.url}/api/config", json={"path": str(other)})
    assert answer.json()["changes"] == ["timers: 1 added, 1 removed"]
    after = timers(host)
    assert list(after) == ["long", "new"]
    assert abs(after["long"]["next"] - before["long"]["next"]) < 1


@pytest.fixture
def reporting(tmp_path: Path) -> Path:
    """The folder of a host that is down, whose hourly timer was due an hour ago."""
    host = RunningHost(tmp_path, REPORT).start()
    try:
        deploy_note(host)
    finally:
        host.close()
    asyncio.run(_change(tmp_path / "state", SaveMoment("report", time.time() - HOUR - 1)))
    return tmp_path


async def _change(state: Path, *changes: SaveMoment) -> list[str]:
    """Write to the database of a host that is down; returns the ids of the events that wait there."""
    store = DeliveryStore(state / "delivery.db")
    await store.open()
    await store.submit(*changes)
    events = await store.read_events(LANE, 0, 10)
    await store.close()
    return [event.event_id for event in events]


def die_at(folder: Path, point: str) -> None:
    """Start a host that dies at a crash point, and wait for its death."""
    host = RunningHost(folder, REPORT, {VARIABLE: f"{point}:1"})
    try:
        host.start()
    except AssertionError:
        # It was dead before it said where it listens.
        assert host.process.poll() is not None
    host.process.wait(60)
    assert host.process.returncode == -9, host.log()
    host.client.close()


@pytest.mark.parametrize(("point", "kept"), [("timer.due", 0), ("store.committed", 1)])
def test_a_crash_around_a_moment_neither_loses_its_event_nor_repeats_it(
    reporting: Path, point: str, kept: int
) -> None:
    die_at(reporting, point)
    waiting = asyncio.run(_change(reporting / "state"))
    assert len(waiting) == kept
    host = RunningHost(reporting, REPORT).start()
    try:
        assert wait_until(lambda: runs(host), "the event runs")
        wait_until(
            lambda: not host.client.get(f"{host.url}/api/delivery").json()["events"], "nothing waits any more"
        )
        assert timers(host)["report"]["fired"] == 1 - kept
        assert host.stop() == 0
        assert len(runs(host)) == 1
        assert not kept or runs(host) == waiting
    finally:
        host.close()
