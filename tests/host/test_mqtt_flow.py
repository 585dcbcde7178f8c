"""Events from a real broker through real instances and back out: the main job, end to end."""

import asyncio
import json
from pathlib import Path

from functions.sample_packages import sample_path
from tests.brokers import MakeMosquitto, Mosquitto
from tests.hosts import RunningHost, StartHost, wait_until
from tests.mqtt.clients import Device, device, until

CONFIG = """
mqtts: [{{name: b1, broker: "{url}", qos: {qos}}}]
rules:
- {{sub: {{name: b1, clientId: 1, topic: /gridsum/test/telm/in/m1}},
   pub: {{name: b1, clientId: 2, topic: /gridsum/test/telm/out/m1}}, functions: [industry]}}
- {{sub: {{name: b1, clientId: 3, topic: /gridsum/test/telm/in/m_test}},
   pub: {{name: b1, clientId: 4, topic: /gridsum/test/telm/out/m_test}}, functions: [test]}}
funcs:
- {{modelName: industry, package: {industry}}}
- {{modelName: test, package: {test}}}
"""
TRUCK = b'{"type":"Pickup truck","fuel":"Methanol","brand":"De Lorean","year":2020}\n'


def connected(host: RunningHost) -> bool:
    checks = host.client.get(f"{host.url}/readyz").json()["checks"]
    mqtt = [check for check in checks if check["name"].startswith("mqtt")]
    return len(mqtt) >= 2 and all(check["ok"] for check in mqtt)


def test_both_sample_packages_answer_on_their_topics_as_the_older_program_did(
    start_host: StartHost, mosquitto: Mosquitto
) -> None:
    paths = {"industry": sample_path("industry"), "test": sample_path("test")}
    host = start_host(CONFIG.format(url=mosquitto.url, qos=1, **paths))

    async def scene() -> None:
        with device(mosquitto) as line:
            await line.listen("/gridsum/test/telm/out/#")
            line.say("/gridsum/test/telm/in/m1", TRUCK)
            await until(lambda: len(line.heard) == 1, "the truck is answered")
            line.say("/gridsum/test/telm/in/m_test", b'{"t":188,"h":134}')
            await until(lambda: len(line.heard) == 2, "the reading is answered")
            truck, reading = line.heard
            assert truck.topic == "/gridsum/test/telm/out/m1"
            answer = json.loads(truck.payload)
            assert list(answer) == ["temperature", "payload"]
            assert 40 <= answer["temperature"] <= 80
            assert answer["payload"] == TRUCK.decode()
            assert reading.topic == "/gridsum/test/telm/out/m_test"
            assert reading.payload == b'"1"'

    # Building the classifier's environment takes its time; the host subscribes once that is done.
    wait_until(lambda: connected(host), "it is subscribed", 110)
    asyncio.run(scene())


ECHO_CONFIG = """
mqtts: [{{name: b1, broker: "{url}", qos: {qos}}}]
rules:
- {{sub: {{name: b1, clientId: host-in, topic: in/#}}, pub: {{name: b1, clientId: host-out, topic: out}}}}
funcs: [{{modelName: echo}}]
"""
ECHO = "def index(event, context):\n    return event\n"


def test_a_broker_restarted_under_load_costs_no_event_at_qos_1(
    start_host: StartHost, make_mosquitto: MakeMosquitto
) -> None:
    broker = make_mosquitto(persistence=True, settings=["max_queued_messages 0"])
    host = start_host(ECHO_CONFIG.format(url=broker.url, qos=1))
    host.deploy({"index.py": ECHO, "function.yaml": "scale: {min: 2, max: 2}\n"}, "echo")
    wait_until(lambda: connected(host), "it is subscribed")

    async def scene() -> None:
        listener = Device(broker, client_id="listener")
        await listener.listen("out")
        sent = 0
        with device(broker) as sensor:
            sensor.say_all("in/1", [b"%d" % number for number in range(500)])
            sent = 500
        for _ in range(2):
            broker.stop()
            broker.start()
            with device(broker) as sensor:
                sensor.say_all("in/1", [b"%d" % number for number in range(sent, sent + 500)])
                sent += 500
        expected = set(range(sent))
        await until(lambda: {int(each) for each in listener.payloads()} == expected, "all are answered", 60)
        listener.close()

    asyncio.run(scene())
    rows = host.client.get(f"{host.url}/queue_size_metrics").json()["queue_size_metrics"]
    assert [row["sub_process_name"] for row in rows] == ["sub_process_b1_echo_0"]
    wait_until(
        lambda: all(
            row["pre_queue"] == row["post_queue"] == 0
            for row in host.client.get(f"{host.url}/queue_size_metrics").json()["queue_size_metrics"]
        ),
        "nothing is behind",
    )


def test_a_killed_host_answers_at_its_next_start_what_it_had_taken_and_not_answered(
    start_host: StartHost, make_mosquitto: MakeMosquitto
) -> None:
    broker = make_mosquitto(settings=["max_queued_messages 0"])
    host = start_host(ECHO_CONFIG.format(url=broker.url, qos=1))
    slow = "import time\ndef index(event, context):\n    time.sleep(0.02)\n    return event\n"
    host.deploy({"index.py": slow}, "echo")
    wait_until(lambda: connected(host), "it is subscribed")

    async def scene() -> None:
        with device(broker) as line:
            await line.listen("out")
            line.say_all("in/1", [b"%d" % number for number in range(200)])
            await until(lambda: len(line.heard) >= 20, "some are answered")
            host.kill()
            host.start()
            await until(lambda: {int(each) for each in line.payloads()} == set(range(200)), "all", 60)

    asyncio.run(scene())


def test_events_of_a_function_that_is_killed_in_mid_event_are_counted_and_the_others_answered(
    start_host: StartHost, mosquitto: Mosquitto
) -> None:
    host = start_host(ECHO_CONFIG.format(url=mosquitto.url, qos=1))
    index = (
        "import os\ndef index(event, context):\n    if event == 7:\n        os._exit(3)\n    return event\n"
    )
    host.deploy({"index.py": index}, "echo")
    wait_until(lambda: connected(host), "it is subscribed")

    async def scene() -> None:
        with device(mosquitto) as line:
            await line.listen("out")
            line.say_all("in/1", [b"%d" % number for number in range(20)])
            expected = set(range(20)) - {7}
            await until(lambda: {int(each) for each in line.payloads()} == expected, "the others")

    asyncio.run(scene())
    wait_until(lambda: "exit code 3" in host.log(), "the log names the failed event's reason")


def test_a_redeploy_under_load_answers_every_event_exactly_once(
    start_host: StartHost, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    host = start_host(ECHO_CONFIG.format(url=mosquitto.url, qos=1))
    host.deploy({"index.py": ECHO}, "echo")
    wait_until(lambda: connected(host), "it is subscribed")

    async def scene() -> None:
        with device(mosquitto) as line:
            await line.listen("out")
            for part in range(5):
                line.say_all("in/1", [b"%d" % number for number in range(part * 200, part * 200 + 200)])
                index = f"{ECHO}# {part}\n"
                done = await asyncio.to_thread(host.deploy, {"index.py": index}, "echo")
                assert done["type"] == "done", done
            await until(lambda: len(line.heard) >= 1000, "all are answered", 60)
            assert sorted(int(each) for each in line.payloads()) == list(range(1000))

    asyncio.run(scene())


def test_connections_and_their_counters_are_shown(start_host: StartHost, mosquitto: Mosquitto) -> None:
    host = start_host(ECHO_CONFIG.format(url=mosquitto.url, qos=1))
    host.deploy({"index.py": ECHO}, "echo")
    wait_until(lambda: connected(host), "it is subscribed")

    async def scene() -> None:
        with device(mosquitto) as line:
            await line.listen("out")
            line.say("in/1", b'{"deviceInfo": {"compression": true}}')
            await until(lambda: len(line.heard) == 1, "it is answered")

    asyncio.run(scene())
    shown = host.client.get(f"{host.url}/api/mqtt").json()["connections"]
    subscribing, publishing = shown
    assert (subscribing["client_id"], subscribing["connected"]) == ("host-in", True)
    assert (subscribing["received"], subscribing["sealed"]) == (1, 1)
    assert (publishing["client_id"], publishing["published"]) == ("host-out", 1)
