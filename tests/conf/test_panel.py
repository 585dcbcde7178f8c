"""The panel's document: a form with Chinese titles over a schema of draft 4."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conf.load import examine_config
from conf.native_text import write_native
from conf.panel import panel_document

TYPES = {"object", "array", "string", "integer", "boolean"}
TITLES = {
    "mqtts": "MQTT",
    "mqtts.name": "MQTT服务名",
    "mqtts.broker": "MQTT服务地址",
    "mqtts.qos": "QoS等级",
    "mqtts.retain": "是否开启遗嘱消息",
    "rules": "MQTT规则",
    "rules.sub": "订阅者",
    "rules.sub.name": "MQTT服务名",
    "rules.sub.clientId": "MQTT客户端ID",
    "rules.sub.topic": "MQTT订阅Topic",
    "rules.pub": "发布者",
    "rules.pub.name": "MQTT服务名",
    "rules.pub.clientId": "MQTT客户端ID",
    "rules.pub.topic": "MQTT发布Topic",
    "rules.pub.timeout": "MQTT发布超时时间",
    "funcs": "调用模型",
    "funcs.modelName": "模型名称",
    "funcs.modelAddress": "模型压缩包地址",
    "funcs.modelMd5": "模型压缩包md5",
    "funcs.devices": "设备",
    "funcs.devices.deviceName": "设备名称",
    "funcs.devices.pointName": "测点名称",
    "funcs.devices.deviceAttr": "设备属性",
    "funcs.devices.deviceAttr.attrName": "属性名称",
    "funcs.devices.deviceAttr.attrValue": "属性值",
    "funcs.devices.deviceAttr.attrExpression": "对应数据解析表达式",
    "expose": "暴露端口",
    "expose.name": "暴露端口名称",
    "expose.protocolPort": "集群协议端口",
    "expose.outPort": "集群外部端口",
    "expose.desc": "暴露端口描述",
}
REQUIRED = {
    "mqtts": ["name", "broker", "qos", "retain"],
    "rules": ["sub", "pub"],
    "rules.sub": ["name", "clientId", "topic"],
    "rules.pub": ["name", "clientId", "topic"],
    "funcs": ["modelName"],
    "funcs.devices": ["deviceName"],
    "funcs.devices.deviceAttr": ["attrValue", "attrExpression"],
    "expose": ["name", "protocolPort", "outPort"],
}


def described(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    inner = schema.get("items", schema)
    for key, each in inner.get("properties", {}).items():
        place = f"{path}.{key}" if path else key
        yield place, each
        yield from described(each, place)


def test_the_document_is_what_the_platform_draws() -> None:
    document = panel_document()
    rest = {key: value for key, value in document.items() if key != "schema"}
    assert rest == {"$version": 2, "form": ["*"], "inEnabled": False}


def test_the_titles_are_those_that_people_know() -> None:
    assert {path: each["title"] for path, each in described(panel_document()["schema"])} == TITLES


def test_the_schema_keeps_the_rules_of_draft_4() -> None:
    schema = panel_document()["schema"]
    assert schema["$schema"] == "http://json-schema.org/draft-04/schema#"
    for _, each in described(schema):
        assert each["type"] in TYPES
        for mapping in (each, each.get("items", {})):
            required = mapping.get("required", ["-"])
            assert isinstance(required, list) and required
            assert set(required) <= {*mapping.get("properties", {}), "-"}
        assert all(
            isinstance(each.get(bound, True), bool) for bound in ("exclusiveMinimum", "exclusiveMaximum")
        )


def test_what_is_required_is_named_in_lists() -> None:
    places = described(panel_document()["schema"])
    lists = {path: each.get("items", each).get("required") for path, each in places}
    assert {path: names for path, names in lists.items() if names} == REQUIRED


def test_the_bounds_of_the_outer_port_are_exclusive() -> None:
    port = dict(described(panel_document()["schema"]))["expose.outPort"]
    assert (port["minimum"], port["exclusiveMinimum"]) == (30000, True)
    assert (port["maximum"], port["exclusiveMaximum"]) == (60000, True)
    assert port["description"] == "暴露到边缘集群外部的端口"


def test_a_config_drawn_from_the_panel_is_taken(tmp_path: Path) -> None:
    values = {
        "broker": "tcp://h:1883",
        "qos": 1,
        "retain": True,
        "outPort": 38080,
        "timeout": "10s",
        "protocolPort": "tcp://:2901",
        "attrExpression": "in data_to_dict['telemetry']",
        "modelMd5": "pZ4DJ+YhYM9ppHD+VhLi+A==",
    }

    def fill(schema: dict[str, Any], key: str) -> Any:
        if schema["type"] == "array":
            return [fill(schema["items"], key)]
        if schema["type"] == "object":
            return {name: fill(each, f"{key}.{name}") for name, each in schema["properties"].items()}
        return values.get(key.rpartition(".")[2], "x" if key.endswith(".name") else key.replace(".", "_"))

    path = tmp_path / "drawn.yaml"
    path.write_text(write_native(fill(panel_document()["schema"], ""), {}), encoding="utf-8")
    assert examine_config(path, {}).faults == ()
