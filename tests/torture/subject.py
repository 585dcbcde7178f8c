"""What is tortured: a function that does as its events say, and the config of the host that runs it."""

from dataclasses import dataclass
from typing import Any

import yaml

FUNCTION = "echo"
PLAIN, ORDERED = "plain", "ordered"
RULES = (PLAIN, ORDERED)
TIMEOUT = 3.0
# The number under which results stand that no event of the ledger has asked for.
TICKS = 10**9
RETRY = {"attempts": 5, "backoff": "100ms", "longest": "1s"}

FILES = {
    "function.yaml": "scale: {min: 2, max: 2}\ntimeout: 10s\n",
    "index.py": """
import time


def index(event, context):
    number, what = event["number"], event["what"]
    if what == "slow":
        time.sleep(event["seconds"])
    if what == "never" or (what == "once" and context.event.attempt == 1):
        raise ValueError(f"event {number} asked for this")
    return {"number": number, "device": event["deviceInfo"]["deviceName"], "pad": "x" * event["pad"]}
""",
}


@dataclass(frozen=True)
class Addresses:
    """Where the host finds the two brokers."""

    source: str
    target: str


def make_config(addresses: Addresses, **more: Any) -> str:
    """Two rules, one of which keeps order; `more` is put on the config's top level."""
    config = {
        "mqtts": [
            {"name": "source", "broker": addresses.source, "qos": 1},
            {"name": "target", "broker": addresses.target, "qos": 1},
        ],
        "rules": [_rule(PLAIN), _rule(ORDERED) | {"order": "device"}],
        "funcs": [{"modelName": FUNCTION}],
        "callback_hosts": ["127.0.0.1"],
        **more,
    }
    return yaml.safe_dump(config)


def _rule(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "sub": {"name": "source", "clientId": f"{name}-in", "topic": f"in/{name}/+"},
        "pub": {
            "name": "target",
            "clientId": f"{name}-out",
            "topic": f"out/{name}",
            "timeout": f"{TIMEOUT:g}s",
        },
        "error": {"name": "target", "clientId": "errors-out", "topic": "out/errors"},
        "retry": RETRY,
    }
