"""A real host keeps events through crashes, and a dead letter is answered once it is tried again."""

import asyncio
import json
from pathlib import Path

from tests.brokers import MakeMosquitto
from tests.hosts import RunningHost, StartHost, wait_until
from tests.mqtt.clients import device, until

CONFIG = """
mqtts: [{{name: b1, broker: "{url}", qos: 1}}]
rules:
- {{name: r1, sub: {{name: b1, clientId: host-in, topic: in/r1}},
   pub: {{name: b1, clientId: host-out, topic: out/r1}},
   functions: [picky], retry: {{attempts: 2, backoff: 50ms}}, order: topic}}
funcs: [{{modelName: picky}}]
"""
# Fails, or is slow, as long as a file says so; says which attempt it was.
PICKY = """
import pathlib, time
def index(event, context):
    while pathlib.Path({folder!r}, "wait").exists():
        time.sleep(0.01)
    if pathlib.Path({folder!r}, "fail").exists():
        raise ValueError("not today")
    return {{"n": event["n"], "attempt": context.event.attempt}}
"""


def is_subscribed(host: RunningHost) -> bool:
    checks = host.client.get(f"{host.url}/readyz").json()["checks"]
    mqtt = [check for check in checks if check["name"].startswith("mqtt")]
    return len(mqtt) == 2 and all(check["ok"] for check in mqtt)


def state_of(host: RunningHost, what: str) -> int:
    found: int = host.client.get(f"{host.url}/api/dead-letters").json()[what]
    return found


def test_a_dead_letter_that_is_replayed_is_answered_and_its_attempts_are_counted(
    start_host: StartHost, make_mosquitto: MakeMosquitto, tmp_path: Path
) -> None:
    broker = make_mosquitto()
    host = start_host(CONFIG.format(url=broker.url))
    host.deploy({"index.py": PICKY.format(folder=str(tmp_path))}, "picky")
    wait_until(lambda: is_subscribed(host), "it is subscribed")
    (tmp_path / "fail").touch()

    async def scene() -> None:
        with device(broker) as line:
            await line.listen("out/r1")
            line.say("in/r1", b'{"n": 1}')
            await until(lambda: state_of(host, "total") == 1, "it is a dead letter")
            (letter,) = host.client.get(f"{host.url}/api/dead-letters").json()["dead_letters"]
            assert letter["attempts"] == 2
            (tmp_path / "fail").unlink()
            answer = host.client.post(f"{host.url}/api/dead-letters/{letter['seq']}/replay")
            assert answer.status_code == 200, answer.text
            await until(lambda: bool(line.heard), "it is answered")
            assert json.loads(line.payloads()[0]) == {"n": 1, "attempt": 3}
            assert state_of(host, "total") == 0

    asyncio.run(scene())


def test_a_host_that_is_killed_with_a_backlog_answers_all_of_it_in_order(
    start_host: StartHost, make_mosquitto: MakeMosquitto, tmp_path: Path
) -> None:
    broker = make_mosquitto(settings=("max_queued_messages 0",))
    host = start_host(CONFIG.format(url=broker.url))
    host.deploy({"index.py": PICKY.format(folder=str(tmp_path))}, "picky")
    wait_until(lambda: is_subscribed(host), "it is subscribed")
    (tmp_path / "wait").touch()

    async def scene() -> None:
        with device(broker, client_id="line") as line:
            await line.listen("out/r1")
            for start in (0, 400):
                numbers = range(start, start + 400)
                await asyncio.to_thread(line.say_all, "in/r1", [b'{"n": %d}' % n for n in numbers])
                await until(lambda: waiting(host) > 0, "there is a backlog on disk")
                host.kill()
                host.start()
                wait_until(lambda: is_subscribed(host), "it is back")
            (tmp_path / "wait").unlink()
            await until(lambda: len(heard(line.payloads())) == 800, "all are answered")
            assert heard(line.payloads()) == list(range(800))

    asyncio.run(scene())


def heard(payloads: list[bytes]) -> list[int]:
    """Each number once, in the order in which they were first heard."""
    return list(dict.fromkeys(json.loads(each)["n"] for each in payloads))


def waiting(host: RunningHost) -> int:
    found = host.client.get(f"{host.url}/api/delivery").json()["events"]
    return int(sum(found.values()))
