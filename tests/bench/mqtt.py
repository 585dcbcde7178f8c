"""MQTT in and out at QoS 1: our host beside an echo with no host, on one broker, in turn."""

import contextlib
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.goals import Goal, at_least, at_most, interval, paired
from tests.bench.line import Line, Route, Tally, open_line
from tests.bench.ours import CODE, ONE, deploy
from tests.bench.part import Part, Row, Run, Table, figures, need_tool
from tests.bench.plan import bodies
from tests.bench.servers import Server, spawned
from tests.bench.shots import SHOT_COLUMNS, Shot, cpu_seconds, shot_cells, turned
from tests.brokers import Mosquitto
from tests.hosts import RunningHost, wait_until

PAHO = "paho echo inline"
FUNCTION = "threshold"
SETTINGS = ("max_queued_messages 0", "max_inflight_messages 0")
PROBE = 0.5
RATE = 1000
WINDOWS = {"100 in flight": 100, "1,000 in flight": 1000}
NARROW, WIDE = WINDOWS
PACED = f"{RATE:,} events/s"
LOADS = (*WINDOWS, PACED)
"""As many as come back while so many are unanswered, and so many a second."""
LEAST = 0.8
LONGEST = 10.0
COLUMNS = ("MQTT load", "QoS", "server", "msg/s", *SHOT_COLUMNS[:3], "CPU µs/msg", "lost")
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


def measure_mqtt(run: Run) -> Part:
    """Shoot at both in turn with each load, `run.plan.rounds` times."""
    need_tool("mosquitto")
    broker = Mosquitto(run.folder, settings=SETTINGS)
    broker.start()
    try:
        with running_host(run.folder, broker.port) as host, _running_echo(run.folder, broker.port) as echo:
            flows = _measure(host, [target_of(host, broker.port), echo], run)
    finally:
        broker.kill()
    front = statistics.median(shot.front_cpu for shot in flows.find(NARROW, ONE).shots)
    others = {f"host process alone, {NARROW}": f"{front:.0f} CPU µs/msg"}
    rows = tuple(_row(flow) for flow in flows.flows)
    return Part("mqtt", tuple(goals(flows)), (Table(COLUMNS, rows), figures("MQTT", others)), flows)


def goals(flows: Flows) -> list[Goal]:
    """How ours compares, and how long an event takes on its way."""
    ours, theirs = flows.find(NARROW, ONE), flows.find(WIDE, PAHO)
    ratio = paired([shot.rate for shot in ours.shots], [shot.rate for shot in theirs.shots])
    p99 = interval([shot.p99 for shot in flows.find(PACED, ONE).shots])
    told = None if flows.commits is None else flows.commits == 0
    value = "the host does not tell" if flows.commits is None else str(flows.commits)
    return [
        at_least(f"MQTT QoS 1, msg/s with {NARROW} over {PAHO} with {WIDE}", ratio, LEAST),
        at_most(f"MQTT QoS 1, p99 at {PACED}", p99, LONGEST, " ms"),
        Goal(f"commits of the delivery database at {PACED}: none", value, told),
    ]


def _row(flow: Flow) -> Row:
    return (flow.load, "1", flow.target, *shot_cells(flow.shots))


def _measure(host: RunningHost, targets: Sequence[Target], run: Run) -> Flows:
    shots: dict[tuple[str, str], list[Shot]] = {}
    counted: list[int | None] = []
    for target in targets if run.plan.warm_up else ():
        shoot(target, WIDE, run.plan.warm_up)
    for number in range(run.plan.rounds):
        run.say(f"  round {number + 1} of {run.plan.rounds}")
        for load in LOADS:
            before = _commits(host)
            for target in turned(targets, number):
                shots.setdefault((load, target.name), []).append(shoot(target, load, run.plan.seconds))
            counted += [_difference(before, _commits(host))] if load == PACED else []
    found = tuple(
        Flow(load, target.name, tuple(shots[load, target.name])) for load in LOADS for target in targets
    )
    return Flows(found, None if None in counted else sum(each or 0 for each in counted))


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
    return line.flood(seconds, WINDOWS[load]) if load in WINDOWS else line.pace(seconds, RATE)


def _route(port: int, name: str) -> Route:
    return Route(port, f"in/{name}", f"out/{name}")


@contextlib.contextmanager
def running_host(folder: Path, port: int) -> Iterator[RunningHost]:
    """A host of ours with the measured function and one rule, on the broker at this port."""
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


def target_of(host: RunningHost, port: int) -> Target:
    """What is shot at."""
    return Target(ONE, _route(port, "host"), host.process.pid)


@contextlib.contextmanager
def _running_echo(folder: Path, port: int) -> Iterator[Target]:
    route = _route(port, "paho")
    module = "tests.bench.subject.paho_echo"
    command = [sys.executable, "-m", module, str(port), route.source, route.target]
    log_file = folder / "paho-echo.log"
    with spawned(Server(PAHO, command, "", folder), log_file) as process:
        wait_until(lambda: _answers(route), f"{PAHO} answers: {log_file.read_text()}")
        yield Target(PAHO, route, process.pid)


def _answers(route: Route) -> bool:
    with open_line(route, bodies()["A"]) as line:
        return line.answers(PROBE)


def _commits(host: RunningHost) -> int | None:
    told = host.client.get(f"{host.url}/api/delivery")
    return int(told.json()["commits"]) if told.is_success else None


def _difference(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else after - before
