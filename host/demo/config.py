"""The config that the demo's host runs with, in the native format."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from host.demo.records import Sample

BROKER = "embedded"


def write_config(folder: Path, mqtt_port: int, samples: Sequence[Sample]) -> Path:
    """A config file in `folder` with one broker, and one rule for each sample."""
    config = {
        "mqtts": [
            # amqtt knows no MQTT 5.
            {"name": BROKER, "broker": f"tcp://127.0.0.1:{mqtt_port}", "qos": 1, "version": "3.1.1"}
        ],
        "rules": [_rule(sample) for sample in samples],
        "funcs": [{"modelName": sample.function, "devices": []} for sample in samples],
    }
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return file


def _rule(sample: Sample) -> dict[str, object]:
    return {
        "name": sample.function,
        "sub": {"name": BROKER, "clientId": f"fnhost-{sample.function}", "topic": sample.source},
        "pub": {"name": BROKER, "clientId": "fnhost-results", "topic": sample.target},
        "functions": [sample.function],
    }
