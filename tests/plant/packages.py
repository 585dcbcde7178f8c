"""The functions of the plant: what a scientist hands over, small enough to be read at a glance."""

from tests.hosts import Files

BEARING = """
import math

LIMIT = 7.1  # mm/s, ISO 10816-3, zone C to D


def index(event, context):
    rms, bearing = event["vibration"]["rms"], event["temperature"]
    health = max(0.0, 1 - (rms / LIMIT) ** 2)
    if rms > 0.8 * LIMIT:
        context.logger.warning("%s vibrates with %.2f mm/s", event["device"], rms)
    return {
        "device": event["device"],
        "health": round(health, 3),
        "expected": round(2.1 + 0.03 * (bearing - 40), 3),
        "hours_left": round(4000 * health / (1 + math.exp(rms - 5))),
        "alarm": rms > LIMIT,
    }
"""
TEMPERATURE = """
def index(event, context):
    print(f"{event['device']}: {event['celsius']:.1f} °C")
    kelvin = round(event["celsius"] + 273.15, 2)
    return {"device": event["device"], "kelvin": kelvin, "hot": event["celsius"] > 80}
"""
SPECTRUM = """
import time


def index(event, context):
    time.sleep(0.04)
    return {"device": event["device"], "peak_hz": 49.8, "lines": [0.2, 1.4, 0.3, 0.1]}
"""
QUALITY = """
def index(event, context):
    if event["weight"] < 0:
        raise ValueError(f"part {event['part']}: a weight of {event['weight']} g cannot be")
    return {"part": event["part"], "good": 98 < event["weight"] < 102}
"""

PACKAGES: dict[str, Files] = {
    "bearing": {"index.py": BEARING},
    "测温": {"index.py": TEMPERATURE},
    "spectrum": {"index.py": SPECTRUM},
    "quality": {"index.py": QUALITY},
}
"""By the names under which they are deployed."""
