"""The machines of the plant: what each sends, and a thread that sends it in time."""

import json
import math
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

SEED = 20261122
TICK = 0.05
"""Seconds from one handful of messages to the next."""
BEARINGS = ("press-1", "press-2", "mill-7", "压缩机3")
OVENS = ("oven-1", "oven-2")
DAY = 60.0
"""Seconds in which the load rises and falls once."""

Message = tuple[str, str]


@dataclass(frozen=True)
class Pace:
    """Messages per second of each bearing and each oven, spectra at the height of the load, faulty parts."""

    bearing: float = 8.0
    oven: float = 2.0
    spectra: float = 45.0
    parts: float = 1.0
    faulty: float = 0.2


class Machines:
    """Sends to a broker on a loopback port until it is closed."""

    def __init__(self, port: int, pace: Pace) -> None:
        self._source = random.Random(SEED)
        self._pace = pace
        self._done = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, "machines", protocol=MQTTProtocolVersion.MQTTv5)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop all machines."""
        self._done.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def _work(self) -> None:
        begun = time.monotonic()
        while not self._done.wait(TICK):
            for topic, payload in self._messages(time.monotonic() - begun):
                self._client.publish(topic, payload, 1)

    def _messages(self, at: float) -> Iterator[Message]:
        height = 0.5 - 0.5 * math.cos(2 * math.pi * at / DAY)
        for place, name in enumerate(BEARINGS):
            yield from self._some(
                self._pace.bearing, f"plant/{name}/vibration", self._vibrate(name, place, at)
            )
        for name in OVENS:
            heat = {"device": name, "celsius": round(70 + 15 * height + self._source.gauss(0, 0.4), 2)}
            yield from self._some(self._pace.oven, f"plant/{name}/temperature", heat)
        spectrum = {"device": "mill-7", "samples": [round(self._source.gauss(0, 1), 3) for _ in range(16)]}
        yield from self._some(self._pace.spectra * height**2, "plant/mill-7/spectrum", spectrum)
        weight = -1.0 if self._source.random() < self._pace.faulty else self._source.gauss(100, 0.8)
        part = {"part": f"A-{int(at * 20):05d}", "weight": round(weight, 2)}
        yield from self._some(self._pace.parts, "plant/line/parts", part)

    def _vibrate(self, name: str, place: int, at: float) -> dict[str, Any]:
        wave = 2.4 * math.sin(2 * math.pi * at / 19) + self._source.gauss(0, 0.08)
        rms = max(0.1, 3.4 + 0.1 * place + wave)
        vibration = {"rms": round(rms, 3), "peak": round(rms * 1.7, 3), "axis": "radial"}
        return {
            "device": name,
            "vibration": vibration,
            "temperature": round(44 + 4 * rms, 1),
            "rpm": 1480 + place,
        }

    def _some(self, rate: float, topic: str, told: dict[str, Any]) -> Iterator[Message]:
        if self._source.random() < rate * TICK:
            yield topic, json.dumps(told, ensure_ascii=False)
