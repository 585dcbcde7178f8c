"""MQTT in and out at QoS 1: our host beside an echo with no host, on one broker, in turn."""

import contextlib
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.line import Line, Route, Tally, open_line
from tests.bench.load import Say, Shot, cpu_seconds, turned
from tests.bench.peers import LAUNCH, PASSED_ON
from tests.bench.plan import FLOOD, IN_FLIGHT, PACED, RATE, Plan, bodies
from tests.bench.targets import CODE, ONE, deploy
from tests.brokers import Mosquitto
from tests.hosts import ROOT, RunningHost, wait_until

PAHO = "paho echo inline"
FUNCTION = "threshold"
SETTINGS = ("max_queued_messages 0", "max_inflight_messages 0")
PROBE = 0.5
MISSING = "the benchmark needs mosquitto: apt-get install mosquitto"
CONFIG = """
mqtts: [{{name: bench, broker: "tcp://127.0.0.1:{port}", qos: 1}}]
rules:
- {{sub: {{name: bench, clientId: bench-in, topic: {source}}},
   pub: {{name: bench, clientId: bench-out, topic: {target}}}}}
funcs: [{{modelName: threshold}}]
"""


@dataclass(frozen=True)
class Flow:
    """All shots at one target with one load, in the order of the rounds."""

    load: str
    target: str
    shots: tuple[Shot, ...]


@dataclass(frozen=True)
class Flows:
    """What was measured; `commits` are those of the host's delivery database under the paced load.

    None: the host does not tell.
    """

    flows: tuple[Flow, ...]
    commits: int | None

    def find(self, load: str, target: str) -> Flow:
        """The shots at a target with a load."""
        return next(each for each in self.flows if (each.load, each.target) == (load, target))


@dataclass(frozen=True)
class Target:
    """Who answers events on a route; `pid` is its first process."""

    name: str
    route: Route
    pid: int


def find_mosquitto() -> str | None:
    """The path of mosquitto, if it is installed."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def measure_mqtt(folder: Path, plan: Plan, say: Say) -> Flows:
    """Shoot at both in turn with both loads, `plan.rounds` times."""
    folder.mkdir()
    broker = Mosquitto(folder, settings=SETTINGS)
    broker.start()
    try:
        with _running_host(folder, broker.port) as host, _running_echo(folder, broker.port) as echo:
            return _measure(host, [_target_of(host, broker.port), echo], plan, say)
    finally:
        broker.kill()


def _measure(host: RunningHost, targets: Sequence[Target], plan: Plan, say: Say) -> Flows:
    shots: dict[tuple[str, str], list[Shot]] = {}
    counted: list[int | None] = []
    for target in targets:
        shoot(target, FLOOD, 1)
    for number in range(plan.rounds):
        say(f"mqtt, round {number + 1} of {plan.rounds}")
        for load in (FLOOD, PACED):
            before = _commits(host)
            for target in turned(targets, number):
                shots.setdefault((load, target.name), []).append(shoot(target, load, plan.seconds))
            counted += [_difference(before, _commits(host))] if load == PACED else []
    flows = tuple(Flow(load, target, tuple(found)) for (load, target), found in shots.items())
    return Flows(flows, None if None in counted else sum(each or 0 for each in counted))


def shoot(target: Target, load: str, seconds: int) -> Shot:
    """Put one load on a target; raises AssertionError when it answers nothing."""
    with open_line(target.route, bodies()["A"]) as line:
        before = cpu_seconds(target.pid)
        tally = _load(line, load, seconds)
        after = cpu_seconds(target.pid)
    assert len(tally.waited) > 1, f"{target.name} does not answer"
    used = {pid: spent - before.get(pid, 0.0) for pid, spent in after.items()}
    cuts = statistics.quantiles(tally.waited, n=100, method="inclusive")
    return Shot(
        rate=tally.rate,
        p50=cuts[49] * 1000,
        p99=cuts[98] * 1000,
        failed=tally.unanswered,
        cpu=sum(used.values()) * 1e6 / len(tally.waited),
        front_cpu=used[target.pid] * 1e6 / len(tally.waited),
    )


def _load(line: Line, load: str, seconds: int) -> Tally:
    return line.flood(seconds, IN_FLIGHT) if load == FLOOD else line.pace(seconds, RATE)


def _route(port: int, name: str) -> Route:
    return Route(port, f"in/{name}", f"out/{name}")


@contextlib.contextmanager
def _running_host(folder: Path, port: int) -> Iterator[RunningHost]:
    route = _route(port, "host")
    host = RunningHost(folder, CONFIG.format(port=port, source=route.source, target=route.target))
    try:
        host.start()
        deploy(host, FUNCTION, CODE.read_text(encoding="utf-8"), "scale: {min: 1, max: 1}\n")
        wait_until(lambda: _is_connected(host), "the host is subscribed")
        yield host
    finally:
        host.close()


def _is_connected(host: RunningHost) -> bool:
    checks = host.client.get(f"{host.url}/readyz").json()["checks"]
    return [each["ok"] for each in checks if each["name"].startswith("mqtt")] == [True, True]


def _target_of(host: RunningHost, port: int) -> Target:
    return Target(ONE, _route(port, "host"), host.process.pid)


@contextlib.contextmanager
def _running_echo(folder: Path, port: int) -> Iterator[Target]:
    route = _route(port, "paho")
    launch = [sys.executable, "-I", "-S", str(LAUNCH), str(os.getpid())]
    command = [sys.executable, "-m", "tests.bench.subject.paho_echo", str(port), route.source, route.target]
    environ = {key: os.environ[key] for key in PASSED_ON if key in os.environ} | {"PYTHONPATH": str(ROOT)}
    log_file = folder / "paho-echo.log"
    with log_file.open("wb") as log:
        process = subprocess.Popen([*launch, *command], stdout=log, stderr=log, env=environ, cwd=folder)
    try:
        wait_until(lambda: _answers(route), f"{PAHO} answers: {log_file.read_text()}")
        yield Target(PAHO, route, process.pid)
    finally:
        process.terminate()
        process.wait(20)


def _answers(route: Route) -> bool:
    with open_line(route, bodies()["A"]) as line:
        return line.answers(PROBE)


def _commits(host: RunningHost) -> int | None:
    told = host.client.get(f"{host.url}/api/delivery")
    return int(told.json()["commits"]) if told.is_success else None


def _difference(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else after - before
