"""`fnhost bench` against a real host, over HTTP and MQTT."""

import asyncio
import json
import signal
import subprocess
from collections.abc import Iterator

import pytest

from tests.brokers import Mosquitto
from tests.cli.running import DEADLINE, command, environment, fnhost, on_terminal
from tests.hosts import RunningHost, wait_until
from tests.mqtt.clients import device

SHORT = ["--seconds", "500ms", "--limit-p99", "20s"]
ONE = "scale: {min: 1, max: 1}\n"
SLOW = "import time\ndef index(event, context):\n    time.sleep(0.02)\n    return 1\n"
BAD = "def index(event, context):\n    raise ValueError('no \\x1b[31m')\n"
MARKED = """
def index(event, context):
    assert context.event.headers["x-fnhost-bench"] == "1"
    return event
"""
RULES = """
mqtts: [{{name: b1, broker: "{url}", qos: 1}}]
rules:
- {{sub: {{name: b1, clientId: in, topic: in/#}}, pub: {{name: b1, clientId: out, topic: out}},
   functions: [marked, slow]}}
funcs: [{{modelName: marked}}, {{modelName: slow}}]
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    running = Mosquitto(tmp_path_factory.mktemp("broker"))
    running.start()
    yield running
    running.kill()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, broker: Mosquitto) -> Iterator[RunningHost]:
    """A host with functions of several tempers."""
    running = RunningHost(tmp_path_factory.mktemp("host"), RULES.format(url=broker.url)).start()
    try:
        for name, index in {"slow": SLOW, "bad": BAD, "marked": MARKED}.items():
            assert running.deploy({"index.py": index, "function.yaml": ONE}, name)["type"] == "done"
        yield running
    finally:
        running.close()


def test_a_function_of_20_ms_on_one_instance_has_its_knee_below_50_events_per_second(
    host: RunningHost,
) -> None:
    result = fnhost(host.url, "bench", "slow", "--yes", *SHORT, "--rates", "4,100", "-o", "json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    low, high = told["steps"]
    assert (told["knee"], low["held"], low["instances"], low["errors"]) == (4, True, 1, {})
    assert (high["held"], high["trouble"]) == (False, "behind")
    assert high["answered"] < 60
    assert high["backlog"] > 5
    assert high["p50"] > 0.02
    assert told["verdict"].startswith("slow holds 4 events/s with p99 ")
    assert "on 1 instance; at 100 events/s " in told["verdict"]


def test_where_the_load_goes_is_said_and_what_was_found_is_a_table(host: RunningHost) -> None:
    result = fnhost(host.url, "bench", "marked@live", "--yes", *SHORT, "--rates", "20", "--body", "[1]")
    assert result.exit_code == 0, result.output
    assert f"events of 3 bytes to {host.url}/invoke/marked@live, at 20/s" in result.stderr
    header, row, _, said = result.stdout.splitlines()
    assert " ".join(header.split()) == "rate answers p50 p99 max errors backlog inst. held"
    assert row.split()[0] == "20" and row.split()[-1] == "yes"
    assert said.endswith("on 1 instance; no higher rate was tried")


def test_a_function_that_raises_is_told_and_gets_no_load(host: RunningHost) -> None:
    result = fnhost(host.url, "bench", "bad", "--yes")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "bad does not answer the first event, so nothing was measured: " in result.stderr
    assert "ValueError: no \\x1b[31m" in result.stderr
    assert host.describe("bad")["counters"]["failed"] == 1


def test_over_mqtt_the_bench_hears_its_own_answers_and_those_behind_the_rule_hear_nothing(
    host: RunningHost, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    def subscribed() -> bool:
        shown = host.client.get(f"{host.url}/api/mqtt").json()["connections"]
        return bool(shown) and all(each["connected"] for each in shown)

    wait_until(subscribed, "the rule is connected")
    monkeypatch.setenv("BROKER_PASSWORD", "geheim")
    url = broker.url.replace("//", "//user:${env:BROKER_PASSWORD}@")
    words = ["--broker-url", url, "--topic", "in/1", "--rates", "40", "-o", "json"]
    with device(broker) as consumer:
        asyncio.run(consumer.listen("out"))
        result = fnhost(host.url, "bench", "marked", "--yes", *SHORT, *words)
        assert result.exit_code == 0, result.output
        assert consumer.payloads() == []
    (step,) = json.loads(result.stdout)["steps"]
    assert (step["events"], step["errors"], step["held"]) == (20, {}, True)
    assert f"to in/1 at 127.0.0.1:{broker.port}" in result.stderr
    assert "geheim" not in result.output


def test_on_a_terminal_it_asks_first_and_shows_how_far_it_is(host: RunningHost) -> None:
    words = ["bench", "marked", *SHORT, "--rates", "20"]
    env = environment(FNHOST_URL=host.url)
    before = host.describe("marked")["counters"]["ok"]
    code, seen = on_terminal(words, env, b"n\n")
    assert (code, host.describe("marked")["counters"]["ok"]) == (1, before)
    assert "real events, which do all that marked does" in seen.replace("\r\n", " ")
    code, seen = on_terminal(words, env, b"y\n")
    assert code == 0, seen
    assert "━" in seen and "20 events/s" in seen and "backlog" in seen


def test_ctrl_c_prints_what_there_is(host: RunningHost) -> None:
    words = ["env", "--default-signal=INT", *command("bench", "marked", "--yes", "--url", host.url)]
    before = host.describe("marked")["counters"]["ok"]
    with subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        wait_until(lambda: host.describe("marked")["counters"]["ok"] > before, "it has begun")
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=DEADLINE)
    assert (process.returncode, said) == (130, "marked: nothing was measured\n")


def test_a_function_that_is_not_there_has_exit_code_4(host: RunningHost) -> None:
    assert fnhost(host.url, "bench", "nothing", "--yes").exit_code == 4


def test_a_broker_that_is_not_there_has_exit_code_3(host: RunningHost, nowhere: str) -> None:
    broker = nowhere.replace("http", "mqtt")
    result = fnhost(host.url, "bench", "marked", "--yes", "--topic", "in/1", "--broker-url", broker)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "no connection to the broker: " in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nobody is there to ask whether a may get this load; add --yes"),
        (["--yes", "--rates", "10,5"], "write rising rates in events/s, such as 10,20,50"),
        (["--yes", "--rates", "fast"], "write rising rates in events/s, such as 10,20,50"),
        (["--yes", "--seconds", "0"], "write a duration above 0"),
        (["--yes", "--limit-p99", "soon"], "is not a duration"),
        (["--yes", "--body", "1", "--file", "f"], "--body and --file both give the event; choose one"),
        (["--yes", "--topic", "in"], "--topic goes with --broker-url"),
        (["--yes", "--answers", "out"], "--answers goes with --topic"),
    ],
)
def test_wrong_usage_is_told_with_the_remedy(nowhere: str, words: list[str], said: str) -> None:
    result = fnhost(nowhere, "bench", "a", *words)
    assert result.exit_code == 2
    assert said in result.stderr
