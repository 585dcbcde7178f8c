"""Text that would like to be markup, wherever somebody else decides on a text that the console shows."""

import json

from tests.hosts import wait_until
from tests.mqtt.clients import device
from tests.plant.plant import Plant

MARKUP = """<b class="owned">x</b><img src=x onerror="window.__owned=1"><script>window.__owned=1</script>"""
TEXT = f"""'"></textarea></script>{MARKUP}{{{{7*7}}}}${{7*7}}"""
HOSTILE = "hostile"
CODE = f"""
TEXT = {TEXT!r}


def index(event, context):
    print(TEXT)
    if event.get("fails"):
        raise ValueError(TEXT)
    return {{TEXT: TEXT}}
"""
MANIFEST = json.dumps({"description": TEXT, "env": {"LINE": TEXT}})


def be_hostile(plant: Plant) -> None:
    """Deploy a function that logs, returns and raises it; send it as topic, device, field and payload."""
    host = plant.host
    told = host.deploy({"index.py": CODE, "function.yaml": MANIFEST}, HOSTILE)
    assert told.get("type") == "done", told
    event = {"device": TEXT, TEXT: TEXT, "vibration": {"rms": TEXT}, "part": TEXT, "weight": -1, "celsius": 1}
    with device(plant.broker) as sender:
        for kind in ("vibration", "temperature", "spectrum"):
            sender.say(f"plant/{TEXT.replace('+', '').replace('/', '')}/{kind}", json.dumps(event).encode())
        sender.say("plant/line/parts", json.dumps(event).encode())
    host.invoke(HOSTILE, {TEXT: TEXT}, params={TEXT: TEXT})
    host.invoke(HOSTILE, {"fails": True, TEXT: TEXT})
    wait_until(lambda: _is_letter(plant), "what is hostile is a dead letter")


def _is_letter(plant: Plant) -> bool:
    told = plant.host.client.get(f"{plant.host.url}/api/dead-letters", params={"limit": 1000}).json()
    return any("owned" in json.dumps(letter) for letter in told["dead_letters"])
