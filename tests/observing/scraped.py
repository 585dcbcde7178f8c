"""A host with some of everything, whose page of metrics is read."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.brokers import Mosquitto
from tests.hosts import RunningHost
from tests.observing.pages import Families, parse

CONFIG = """
mqtts:
- {{name: line1, broker: "{url}", qos: 1, status: fnhost/status}}
rules:
- name: 遥测
  sub: {{name: line1, clientId: in, topic: telemetry/+}}
  pub: {{name: line1, clientId: out, topic: results, timeout: 10s}}
  functions: [divide]
  bind: {{from: "topic:2", unnamed: refuse}}
timers:
- {{name: tick, every: 1h, functions: [divide], payload: 1}}
bridges:
- {{name: cars, input: {{http_client: {{url: "http://127.0.0.1:9/car", verb: GET, rate_limit: slow}}}},
   output: {{mqtt: {{urls: ["{url}"], topic: cars, client_id: cars, qos: 1}}}}}}
rate_limit_resources:
- {{label: slow, local: {{count: 1, interval: 60s}}}}
funcs:
- {{modelName: divide, retry: {{attempts: 1}}}}
"""
DIVIDE = {"index.py": "def index(event, context):\n    return 1 / event\n"}


@dataclass(frozen=True)
class Scraped:
    """A running host and its broker."""

    host: RunningHost
    broker: Mosquitto

    def page(self) -> Families:
        """The page as anybody on this machine gets it."""
        answer = httpx.get(f"{self.host.url}/metrics", trust_env=False)
        assert answer.status_code == 200, answer.text
        return parse(answer.text)


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    """One for all tests of a module; `divide` is deployed, and has answered and failed over HTTP."""
    folder: Path = tmp_path_factory.mktemp("scraped")
    broker = Mosquitto(folder)
    broker.start()
    host = RunningHost(folder, CONFIG.format(url=broker.url)).start()
    try:
        host.deploy(DIVIDE, "divide")
        for body in ("1", "2", "0"):
            host.invoke("divide", body)
        yield Scraped(host, broker)
    finally:
        host.close()
        broker.kill()
