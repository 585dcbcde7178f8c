"""The form that a platform draws over the config: a JSON Schema of draft 4 with Chinese titles."""

from typing import Any

Schema = dict[str, Any]

CLIENT_ID = "MQTT客户端ID"
BROKER_NAME = "MQTT服务名"


def panel_document() -> Schema:
    """The whole document; its schema covers the four sections that the older program had."""
    return {"$version": 2, "schema": _schema(), "form": ["*"], "inEnabled": False}


def _schema() -> Schema:
    properties = {
        "mqtts": _list("MQTT", _broker()),
        "rules": _list("MQTT规则", _rule()),
        "funcs": _list("调用模型", _function()),
        "expose": _list("暴露端口", _expose()),
    }
    return {"$schema": "http://json-schema.org/draft-04/schema#", "type": "object", "properties": properties}


def _broker() -> Schema:
    properties = {
        "name": _text(BROKER_NAME),
        "broker": _text("MQTT服务地址"),
        "qos": {"title": "QoS等级", "type": "integer", "minimum": 0, "maximum": 2, "default": 0},
        "retain": {
            "title": "是否开启遗嘱消息",
            "description": "开启后,结果作为保留消息 (retained) 发布;不是遗嘱消息",
            "type": "boolean",
            "default": False,
        },
    }
    return _mapping(properties, list(properties))


def _rule() -> Schema:
    names = {"name": _text(BROKER_NAME), "clientId": _text(CLIENT_ID)}
    sub = _mapping(names | {"topic": _text("MQTT订阅Topic")}, ["name", "clientId", "topic"])
    timeout = _text("MQTT发布超时时间") | {
        "pattern": r"^[0-9]+(\.[0-9]+)?\s*(ms|s|m|h|d)?$",
        "default": "10s",
    }
    target = names | {"topic": _text("MQTT发布Topic"), "timeout": timeout}
    pub = _mapping(target, ["name", "clientId", "topic"])
    return _mapping({"sub": {"title": "订阅者"} | sub, "pub": {"title": "发布者"} | pub}, ["sub", "pub"])


def _function() -> Schema:
    attribute = {
        "attrName": _text("属性名称"),
        "attrValue": {"title": "属性值", "type": "string"},
        "attrExpression": _text("对应数据解析表达式"),
    }
    device = {
        "deviceName": _text("设备名称"),
        "pointName": _text("测点名称")
        | {"description": "旧写法,等同于一个 in data_to_dict['telemetry'] 的属性"},
        "deviceAttr": _list("设备属性", _mapping(attribute, ["attrValue", "attrExpression"])),
    }
    properties = {
        "modelName": _text("模型名称"),
        "modelAddress": _text("模型压缩包地址"),
        "modelMd5": _text("模型压缩包md5"),
        "devices": _list("设备", _mapping(device, ["deviceName"])),
    }
    return _mapping(properties, ["modelName"])


def _expose() -> Schema:
    properties = {
        "name": _text("暴露端口名称"),
        "protocolPort": {
            "title": "集群协议端口",
            "type": "string",
            "enum": ["http://:8080", "tcp://:2901"],
        },
        "outPort": {
            "title": "集群外部端口",
            "description": "暴露到边缘集群外部的端口",
            "type": "integer",
            "minimum": 30000,
            "exclusiveMinimum": True,
            "maximum": 60000,
            "exclusiveMaximum": True,
        },
        "desc": {"title": "暴露端口描述", "type": "string"},
    }
    return _mapping(properties, ["name", "protocolPort", "outPort"])


def _text(title: str) -> Schema:
    return {"title": title, "type": "string", "minLength": 1}


def _list(title: str, items: Schema) -> Schema:
    return {"title": title, "type": "array", "items": items}


def _mapping(properties: Schema, required: list[str]) -> Schema:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
