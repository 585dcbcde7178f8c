"""Old config files as their users have them: each generation runs, and every published byte is compared."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import Mosquitto
from tests.files_server import FilesServer, files_server
from tests.hosts import RunningHost, StartHost, wait_until, zip_of
from tests.mqtt.clients import device, until

EVENT = {
    "deviceInfo": {
        "deviceName": "设备2",
        "edgeDeviceName": "设备three",
        "topic": "GG2",
        "edgeCalculation": False,
        "encryption": False,
        "compression": False,
    },
    "telemetry": {
        "ts": 1585194439000,
        "RC_cylinder1_1P_d_dispPeak": 86,
        "OPC温度": 10370,
        "OPC湿度": "86",
        "OPC电量": True,
    },
    "model_data": {"GS0101": "1.1", "GS0102": "1.2"},
}
TRUCK = (
    b'{"type":"Pickup truck","fuel":"Methanol","transmission":"Manual","brand":"De Lorean",'
    b'"model":"Camry Solara","year":2020}\n'
)
# As the older program's packages were: `handler`, no requirements, siblings relative and by their full name.
PACKAGE = {
    "index.py": """
from .limits import LIMIT
from pyboot.modules.gridsum.science.industry.words import say

def handler(event, context):
    telemetry = event["telemetry"]
    over = telemetry["OPC温度"] > LIMIT
    return {"device": context.device, "状态": say(over), "peak": telemetry["RC_cylinder1_1P_d_dispPeak"]}
""",
    "limits.py": "LIMIT = 10000\n",
    "words.py": "def say(over):\n    return '越限' if over else '正常'\n",
}
NOTHING = {
    "index.py": """
def index(event, context):
    return [None, "null", "{}", {}, "1"][event["model_data"]["n"]]
"""
}
TELEMETRY = """
import json

def telm_temperature(payload):
    return {"temperature": 69, "payload": payload}

def test_from_dict(event):
    data = json.loads(event)
    return "1" if data["t"] > data["h"] else "0"

def handler(event, context):
    return [len(event), context.function_name]
"""


@pytest.fixture
def files() -> Iterator[FilesServer]:
    """A loopback file server."""
    with files_server() as server:
        yield server


def md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content).digest()).decode()


def subscribed(host: RunningHost) -> bool:
    checks = host.client.get(f"{host.url}/readyz").json()["checks"]
    mqtt = [check for check in checks if check["name"].startswith("mqtt")]
    return bool(mqtt) and all(check["ok"] for check in mqtt)


def ask(broker: Mosquitto, out: str, said: list[tuple[str, bytes]], answers: int) -> list[bytes]:
    """Publish one after the other; what came out, in order, once there are so many answers."""

    async def scene() -> list[bytes]:
        with device(broker) as line:
            await line.listen(out)
            for topic, payload in said:
                line.say(topic, payload)
            await until(lambda: len(line.heard) >= answers, f"{answers} answers")
            return line.payloads()

    return asyncio.run(scene())


def start(start_host: StartHost, config: str) -> RunningHost:
    host = start_host(config, {"DOWNLOAD_MODEL": "True"})
    wait_until(lambda: subscribed(host), "its rules are subscribed")
    return host


def rows(host: RunningHost) -> list[str]:
    metrics = host.client.get(f"{host.url}/queue_size_metrics").json()["queue_size_metrics"]
    return [row["sub_process_name"] for row in metrics]


def test_generation_1_calls_callables_with_the_payload_as_text(
    start_host: StartHost, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    folder = tmp_path / "old" / "pyboot" / "modules" / "gridsum" / "science" / "industry"
    folder.mkdir(parents=True)
    (folder / "telemetry.py").write_text(TELEMETRY, encoding="utf-8")
    edges = "".join(
        f"""
- name: {name}
  instance: 1
  pre_broker: 127.0.0.1
  pre_port: {mosquitto.port}
  pre_topic: /gridsum/test/telm/in/{topic}
  pre_qos: 0
  edge_mode: pyboot.modules.gridsum.science.industry.telemetry.{function}
  post_broker: 127.0.0.1
  post_port: {mosquitto.port}
  post_topic: /gridsum/test/telm/out/{topic}
  post_qos: 0
"""
        for name, topic, function in (
            ("telm_temperature", "m1", "telm_temperature"),
            ("from_dict", "m_test", "test_from_dict"),
            ("two", "two", "handler"),
        )
    )
    host = start(start_host, f"app_name: pyboot\npythonPath: [{tmp_path / 'old'}]\nedge:\n{edges}")
    base = "/gridsum/test/telm"
    assert ask(mosquitto, f"{base}/out/m1", [(f"{base}/in/m1", TRUCK)], 1) == [
        json.dumps({"temperature": 69, "payload": TRUCK.decode()}).encode()
    ]
    assert ask(mosquitto, f"{base}/out/m_test", [(f"{base}/in/m_test", b'{"t":188,"h":134}\n')], 1) == [
        b'"1"'
    ]
    assert ask(mosquitto, f"{base}/out/two", [(f"{base}/in/two", b"abc\n")], 1) == [b'[4, "two"]']
    assert rows(host) == [f"sub_process_{name}_0" for name in ("telm_temperature", "from_dict", "two")]


def test_generation_1_5_has_rules_with_a_name_and_a_callable(
    start_host: StartHost, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    folder = tmp_path / "old" / "models"
    folder.mkdir(parents=True)
    (folder / "telemetry.py").write_text(TELEMETRY, encoding="utf-8")
    config = f"""
mqtts:
- {{name: b1, broker: "{mosquitto.url}", qos: 1, retain: false}}
rules:
- name: temperature
  func: models.telemetry.telm_temperature
  sub: {{name: b1, clientId: 5555, topic: /in/m1}}
  pub: {{name: b1, clientid: 6666, timeout: 10s, topic: /out/m1}}
pythonPath: [{tmp_path / "old"}]
"""
    host = start(start_host, config)
    assert ask(mosquitto, "/out/m1", [("/in/m1", TRUCK)], 1) == [
        json.dumps({"temperature": 69, "payload": TRUCK.decode()}).encode()
    ]
    assert rows(host) == ["sub_process_temperature_0"]


def test_generation_2_finds_devices_by_name_and_point(
    start_host: StartHost, mosquitto: Mosquitto, files: FilesServer
) -> None:
    content = zip_of(PACKAGE)
    files.add("/industry.zip", content)
    config = f"""
mqtts: [{{name: b1, broker: "{mosquitto.url}", qos: 1}}]
rules:
- sub: {{name: b1, clientId: 5555, topic: /in/t}}
  pub: {{name: b1, clientId: 6666, timeout: 10s, topic: /out/t}}
funcs:
- {{model_address: "{files.url}/industry.zip", model_md5: "{md5(content)}", modelName: industry,
   deviceName: 设备2, pointName: OPC温度}}
"""
    host = start(start_host, config)
    other = {**EVENT, "deviceInfo": {"deviceName": "设备9"}}
    said = [
        ("/in/t", b"not json"),
        ("/in/t", json.dumps(other).encode()),
        ("/in/t", json.dumps(EVENT).encode()),
    ]
    (answer,) = ask(mosquitto, "/out/t", said, 1)
    expected = {"device": "设备2", "状态": "越限", "peak": 86}
    assert answer == json.dumps(expected).encode()
    assert b"\\u" in answer
    assert rows(host) == ["sub_process_b1_industry_0"]


def test_generation_2_1_has_devices_with_one_expression_each(
    start_host: StartHost, mosquitto: Mosquitto, files: FilesServer
) -> None:
    content = zip_of(PACKAGE)
    files.add("/industry.zip", content)
    config = f"""
mqtts: [{{name: b1, broker: "{mosquitto.url}", qos: 0, retain: false}}]
rules:
- sub: {{name: b1, clientId: a, topic: /in/t}}
  pub: {{name: b1, clientId: b, timeout: 100, topic: /out/t}}
funcs:
- modelName: industry
  model_address: "{files.url}/industry.zip"
  model_md5: "{md5(content)}"
  devices:
  - deviceName: 设备2
    deviceParseExpression: "== data_to_dict['deviceInfo']['deviceName']"
    pointName: OPC温度
    pointParseExpression: 'in data_to_dict["telemetry"]'
"""
    start(start_host, config)
    (answer,) = ask(mosquitto, "/out/t", [("/in/t", json.dumps(EVENT).encode())], 1)
    assert json.loads(answer)["device"] == "设备2"


def test_generation_3_has_attributes_and_two_models_from_one_address(
    start_host: StartHost, mosquitto: Mosquitto, files: FilesServer
) -> None:
    content, nothing = zip_of(PACKAGE), zip_of(NOTHING)
    served = files.add("/group1/M00/49/04/Csg8EmGd.zip", content)
    files.add("/nothing.zip", nothing)
    expression = "\"== data_to_dict['deviceInfo']['deviceName']\""
    attribute = f"{{attrName: deviceName, attrValue: %s, attrExpression: {expression}}}"
    config = f"""
expose: [{{desc: monitor the container, name: monitor, outPort: 38080, protocolPort: "http://:8080"}}]
funcs:
- modelName: industry
  modelAddress: {files.url}/group1/M00/49/04/Csg8EmGd.zip
  modelMd5: {md5(content)}
  devices:
  - deviceName: 设备2
    deviceAttr:
    - {attribute % "设备2"}
    - {{attrName: pointName, attrValue: RC_cylinder1_1P_d_dispPeak,
       attrExpression: "in data_to_dict['telemetry']"}}
- modelName: TYPE_TREND_WARNING1644570851718
  modelAddress:
    {files.url}/group1/M00/49/04/Csg8EmGd.zip
  modelMd5: {md5(content)}
  devices:
  - deviceName: 设备3
    deviceAttr: [{attribute % "设备3"}]
- modelName: nothing
  modelAddress: {files.url}/nothing.zip
  modelMd5: {md5(nothing)}
  devices:
  - deviceName: 空
    deviceAttr: [{attribute % "空"}]
mqtts: [{{broker: "{mosquitto.url}", name: mosquitto-2033, retain: false}}]
rules:
- {{pub: {{clientId: 6666, name: mosquitto-2033, timeout: 100, topic: cloud/out}},
   sub: {{clientId: 6666, name: mosquitto-2033, topic: cloud/in}}}}
"""
    host = start(start_host, config)
    third = {**EVENT, "deviceInfo": {"deviceName": "设备3"}}
    said = [("cloud/in", json.dumps(each).encode()) for each in (EVENT, third)]
    heard = ask(mosquitto, "cloud/out", said, 2)
    assert sorted(json.loads(each)["device"] for each in heard) == ["设备2", "设备3"]
    assert len(served.asked) == 1, "the same address and digest are fetched once"
    assert rows(host) == [
        "sub_process_mosquitto-2033_industry_0",
        "sub_process_mosquitto-2033_TYPE_TREND_WARNING1644570851718_1",
        "sub_process_mosquitto-2033_nothing_2",
    ]
    empties = [{"deviceInfo": {"deviceName": "空"}, "model_data": {"n": n}} for n in range(5)]
    said = [("cloud/in", json.dumps(each).encode()) for each in empties]
    assert ask(mosquitto, "cloud/out", said, 2) == [b"{}", b'"1"']
    assert "8080" in host.log()


def test_pre_queue_rises_under_a_load_that_the_model_cannot_hold_and_falls_after_it(
    start_host: StartHost, mosquitto: Mosquitto, files: FilesServer
) -> None:
    slow = zip_of(
        {"index.py": "import time\ndef index(event, context):\n    time.sleep(0.1)\n    return event\n"}
    )
    files.add("/slow.zip", slow)
    config = f"""
mqtts: [{{name: b1, broker: "{mosquitto.url}", qos: 1}}]
rules: [{{sub: {{name: b1, clientId: a, topic: /in}}, pub: {{name: b1, clientId: b, topic: /out}}}}]
funcs: [{{modelName: slow, model_address: "{files.url}/slow.zip"}}]
"""
    host = start(start_host, config)

    def waiting() -> int:
        metrics = host.client.get(f"{host.url}/queue_size_metrics").json()["queue_size_metrics"]
        return int(metrics[0]["pre_queue"])

    async def scene() -> None:
        with device(mosquitto) as line:
            await line.listen("/out")
            said = 0

            def waits_under_more() -> bool:
                # Events keep coming faster than the model can take them, however slowly this test looks.
                nonlocal said
                line.say_all("/in", [b"%d" % number for number in range(50)])
                said += 50
                return waiting() > 5

            await until(waits_under_more, "events wait")
            await until(lambda: len(line.heard) == said, "all are answered")
            await until(lambda: waiting() == 0, "nothing waits")

    asyncio.run(scene())
