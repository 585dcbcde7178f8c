"""`fnhost bridge` as a process."""

import asyncio
import signal
import subprocess
from pathlib import Path

import pytest

from tests.bridge.source import Source
from tests.brokers import Mosquitto
from tests.cli.running import DEADLINE, command, environment, fnhost
from tests.hosts import wait_until
from tests.mqtt.clients import device

FILE = """
input: {{http_client: {{url: "{source}", verb: GET, rate_limit: foobar}}}}
output: {{mqtt: {{urls: ["{broker}"], topic: in, client_id: 1, qos: 1}}}}
rate_limit_resources: [{{label: foobar, local: {{count: 3, interval: 1d}}}}]
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_bridges_until_it_is_told_to_stop(
    source: Source, mosquitto: Mosquitto, tmp_path: Path, number: signal.Signals
) -> None:
    file = tmp_path / "cars.yaml"
    file.write_text(FILE.format(source=source.url, broker=mosquitto.url))

    with device(mosquitto) as listener:
        asyncio.run(listener.listen("in"))
        words = command("bridge", "-c", str(file))
        with subprocess.Popen(words, env=environment(), stderr=subprocess.PIPE, text=True) as process:
            try:
                wait_until(lambda: len(listener.heard) == 3, "three records come")
                process.send_signal(number)
                _, said = process.communicate(timeout=DEADLINE)
            finally:
                process.kill()
    assert process.returncode == 0
    assert f"bridge cars: from {source.url} to in" in said
    assert "HTTP Request" not in said and "Traceback" not in said


def test_it_tells_all_faults_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "cars.yaml"
    file.write_text("input: {}\noutput: {mqt: {}}\n")
    result = fnhost("", "bridge", "-c", str(file))
    assert result.exit_code == 2
    assert "line 1: input.http_client: is required" in result.stderr
    assert "line 2: output.mqt: is not a known key (did you mean `mqtt`?)" in result.stderr
