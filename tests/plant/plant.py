"""The plant: a mosquitto, a host with the rules, and the machines; another broker is always away."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.brokers import Mosquitto, free_port
from tests.hosts import RunningHost, wait_until
from tests.plant.machines import Machines, Pace
from tests.plant.packages import PACKAGES

MANY = 8
"""Results: more than are on their way at a time while all brokers are there."""
CONFIG = """
mqtts:
- {{name: plant, broker: "{url}", qos: 1, status: gateway/status}}
- {{name: cloud, broker: "tcp://127.0.0.1:{away}", qos: 1}}
rules:
- name: vibration
  sub: {{name: plant, clientId: fnhost-vibration, topic: plant/+/vibration}}
  pub: {{name: plant, clientId: fnhost-out, topic: health/bearings}}
  functions: [bearing]
  device: device
- name: temperature
  sub: {{name: plant, clientId: fnhost-temperature, topic: plant/+/temperature}}
  pub: {{name: cloud, clientId: fnhost-cloud, topic: site-7/temperature}}
  functions: [测温]
  device: device
- name: spectra
  sub: {{name: plant, clientId: fnhost-spectra, topic: plant/+/spectrum}}
  pub: {{name: plant, clientId: fnhost-out, topic: health/spectra}}
  functions: [spectrum]
  device: device
- name: parts
  sub: {{name: plant, clientId: fnhost-parts, topic: plant/line/parts}}
  pub: {{name: plant, clientId: fnhost-out, topic: line/verdicts}}
  functions: [quality]
  retry: {{attempts: 1}}
funcs:
- {{modelName: bearing, scale: {{min: 1, max: 2}}}}
- {{modelName: 测温, scale: {{min: 1, max: 1}}}}
- {{modelName: spectrum, scale: {{max: 4, idle: 15s}}}}
- {{modelName: quality, scale: {{min: 1, max: 1}}}}
records: {{sample: 0.05}}
"""


class Plant:
    """`host` and `broker` run; `work` sets the machines to work, and `settle` waits for what they bring."""

    def __init__(self, host: RunningHost, broker: Mosquitto) -> None:
        self.host = host
        self.broker = broker

    @contextmanager
    def work(self, pace: Pace) -> Iterator[None]:
        """The machines send within the block."""
        machines = Machines(self.broker.port, pace)
        try:
            yield
        finally:
            machines.close()

    def settle(self) -> None:
        """Until each function has answered, something has failed for good, and results pile up."""
        wait_until(lambda: self._letters() > 0, "a part is a dead letter")
        wait_until(lambda: all(map(self._answered, PACKAGES)), "each function has answered")
        wait_until(lambda: self._outbox() > MANY, "results wait for the broker that is away")

    def _letters(self) -> int:
        total: int = self.host.client.get(f"{self.host.url}/api/dead-letters").json()["total"]
        return total

    def _outbox(self) -> int:
        query = {"since": "5s", "columns": "outbox"}
        told = self.host.client.get(f"{self.host.url}/api/metrics", params=query).json()
        waiting = [value for series in told["series"] for value in series["values"]["outbox"]]
        return max(filter(None, waiting), default=0)

    def _answered(self, name: str) -> int:
        ok: int = self.host.describe(name)["counters"]["ok"]
        return ok


@contextmanager
def running_plant(folder: Path) -> Iterator[Plant]:
    """The plant with its functions deployed; nothing of it is left afterwards."""
    broker = Mosquitto(folder)
    broker.start()
    host = RunningHost(folder, CONFIG.format(url=broker.url, away=free_port()))
    try:
        host.start()
        for name, files in PACKAGES.items():
            told = host.deploy(files, name)
            assert told.get("type") == "done", told
        yield Plant(host, broker)
    finally:
        host.close()
        broker.kill()
