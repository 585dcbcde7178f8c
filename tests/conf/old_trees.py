"""What the files in tests/conf/old mean in native form."""

from typing import Any

CODE = "pyboot.modules.gridsum.science.industry.telemetry"
NAME = "== data_to_dict['deviceInfo']['deviceName']"
POINT = "in data_to_dict['telemetry']"
ZIP = "http://10.200.60.18:9000/x.zip"
INDUSTRY = "http://10.200.60.18:9000/group1/M00/49/04/Csg8EmGd.zip"
ONE = {"min": 1, "max": 1}
MD5 = "pZ4DJ+YhYM9ppHD+VhLi+A=="


def attribute(name: str, value: str, expression: str) -> dict[str, str]:
    return {"attrName": name, "attrValue": value, "attrExpression": expression}


TREES: dict[str, dict[str, Any]] = {
    "v1": {
        "listen": "127.0.0.1:5888",
        "mqtts": [
            {"name": "192.168.241.1:1883", "broker": "tcp://192.168.241.1:1883", "qos": 0},
            {"name": "192.168.241.2:1883", "broker": "tcp://192.168.241.2:1883", "qos": 1},
        ],
        "rules": [
            {
                "name": "telm_temperature",
                "sub": {
                    "name": "192.168.241.1:1883",
                    "clientId": "telm_temperature-in",
                    "topic": "/gridsum/test/telm/in/m1",
                },
                "pub": {
                    "name": "192.168.241.1:1883",
                    "clientId": "telm_temperature-out",
                    "topic": "/gridsum/test/telm/out/m1",
                },
                "functions": ["telm_temperature"],
                "subProcess": "telm_temperature",
            },
            {
                "name": "test_model",
                "sub": {
                    "name": "192.168.241.1:1883",
                    "clientId": "test_model-in",
                    "topic": "/gridsum/test/telm/in/m_test",
                },
                "pub": {
                    "name": "192.168.241.2:1883",
                    "clientId": "test_model-out",
                    "topic": "/gridsum/test/telm/out/m_test",
                },
                "functions": ["test_model"],
                "subProcess": "test_model",
            },
        ],
        "funcs": [
            {
                "modelName": "telm_temperature",
                "entry": f"{CODE}.telm_temperature",
                "pythonPath": ["."],
                "scale": {"min": 1, "max": 1},
                "processes": 64,
            },
            {
                "modelName": "test_model",
                "entry": f"{CODE}.test_from_dict",
                "pythonPath": ["."],
                "scale": {"min": 2, "max": 2},
                "processes": 64,
            },
        ],
    },
    "v15": {
        "listen": "127.0.0.1:5888",
        "mqtts": [{"name": "b1", "broker": "tcp://192.168.241.1:1883", "qos": 0, "retain": False}],
        "rules": [
            {
                "name": "telm_temperature",
                "sub": {"name": "b1", "clientId": 5555, "topic": "/gridsum/test/telm/in/m1"},
                "pub": {
                    "name": "b1",
                    "clientId": 6666,
                    "timeout": "10s",
                    "topic": "/gridsum/test/telm/out/m1",
                },
                "functions": ["telm_temperature"],
                "subProcess": "telm_temperature",
            },
            {
                "name": "telm_temperature-2",
                "sub": {"name": "b1", "clientId": 5556, "topic": "/gridsum/test/telm/in/m_test"},
                "pub": {
                    "name": "b1",
                    "clientId": 6666,
                    "topic": "/gridsum/test/telm/out/m_test",
                    "timeout": "10s",
                },
                "functions": ["telm_temperature-2"],
                "subProcess": "telm_temperature",
            },
        ],
        "funcs": [
            {
                "modelName": "telm_temperature",
                "scale": ONE,
                "processes": 64,
                "entry": f"{CODE}.telm_temperature",
                "pythonPath": ["."],
            },
            {
                "modelName": "telm_temperature-2",
                "scale": ONE,
                "processes": 64,
                "entry": f"{CODE}.test_from_dict",
                "pythonPath": ["."],
            },
        ],
    },
    "v2": {
        "listen": "127.0.0.1:5888",
        "mqtts": [
            {"name": "b1", "broker": "tcp://192.168.241.1:1883", "qos": 0, "retain": False},
            {"name": "b2", "broker": "websockets://192.168.241.1:9001", "qos": 1, "retain": True},
        ],
        "rules": [
            {
                "sub": {"name": "b1", "clientId": 5555, "topic": "/in/t"},
                "pub": {"name": "b1", "clientId": 6666, "timeout": "10s", "topic": "/out/t"},
            },
            {
                "sub": {"name": "b1", "clientId": "5555-2", "topic": "/in/u"},
                "pub": {"name": "b2", "clientId": 5555, "topic": "/out/u", "timeout": "10s"},
            },
        ],
        "funcs": [
            {
                "modelName": "thend_threshold_zd",
                "scale": ONE,
                "processes": 64,
                "modelAddress": ZIP,
                "modelMd5": MD5,
                "devices": [
                    {
                        "deviceName": device,
                        "deviceAttr": [
                            attribute("deviceName", device, NAME),
                            attribute("pointName", point, POINT),
                        ],
                    }
                    for device, point in (("设备3", "OPC温度"), ("设备4", "OPC湿度"))
                ],
            },
            {
                "modelName": "TYPE_TREND_WARNING1644570851718",
                "scale": ONE,
                "processes": 64,
                "modelAddress": ZIP,
                "modelMd5": MD5[:-2],
                "devices": [],
            },
        ],
    },
    "v21": {
        "listen": "127.0.0.1:5888",
        "mqtts": [{"name": "b1", "broker": "tcp://192.168.241.1:1883", "qos": 2, "retain": False}],
        "rules": [
            {
                "sub": {"name": "b1", "clientId": "a", "topic": "/in/t"},
                "pub": {"name": "b1", "clientId": "b", "timeout": "100s", "topic": "/out/t"},
            }
        ],
        "funcs": [
            {
                "modelName": "trend",
                "scale": ONE,
                "processes": 64,
                "modelAddress": ZIP,
                "modelMd5": MD5,
                "devices": [
                    {
                        "deviceName": "三厂-设备",
                        "deviceAttr": [
                            attribute("deviceName", "三厂-设备", NAME),
                            attribute("pointName", "pyboot", 'in data_to_dict["telemetry"]'),
                        ],
                    },
                    {"deviceName": "四厂-设备"},
                ],
            }
        ],
    },
    "v3": {
        "listen": "127.0.0.1:5888",
        "expose": [
            {
                "desc": "monitor the container",
                "name": "monitor",
                "outPort": 38080,
                "protocolPort": "http://:8080",
            }
        ],
        "mqtts": [
            {"name": "mosquitto-2033", "broker": "tcp://192.168.241.1:1883", "qos": 0, "retain": False}
        ],
        "rules": [
            {
                "sub": {"name": "mosquitto-2033", "clientId": 6666, "topic": "cloud/in"},
                "pub": {
                    "name": "mosquitto-2033",
                    "clientId": "6666-2",
                    "timeout": "100s",
                    "topic": "cloud/out",
                },
            }
        ],
        "funcs": [
            {
                "modelName": "industry",
                "scale": ONE,
                "processes": 64,
                "modelAddress": INDUSTRY,
                "modelMd5": MD5,
                "devices": [
                    {
                        "deviceName": "设备2",
                        "deviceAttr": [
                            attribute("deviceName", "设备2", NAME),
                            attribute("pointName", "RC_cylinder1_1P_d_dispPeak", POINT),
                        ],
                    }
                ],
            },
            {
                "modelName": "趋势",
                "scale": ONE,
                "processes": 64,
                "modelAddress": INDUSTRY,
                "devices": [
                    {
                        "deviceName": "设备three",
                        "deviceAttr": [attribute("level", "86.5", "== data_to_dict['telemetry']['OPC湿度']")],
                    },
                    {"deviceName": "设备4"},
                ],
            },
        ],
    },
}
