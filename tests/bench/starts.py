"""How long it takes to deploy and to start, from no process at all to one instance more."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench.plan import Plan
from tests.bench.targets import deploy, running_host
from tests.hosts import RunningHost, wait_until

CODE = "def index(event, context):\n    return None\n"
FROM_NONE = "scale: {min: 0, max: 2}\n"


@dataclass(frozen=True)
class Starts:
    """Medians in ms.

    `cold` is from the first event to its answer with no process of the pool, `warm` the same with an arbiter
    but no instance, `spawn` from the command to scale up until the second instance is ready.
    """

    host: float
    deploy: float
    cold: float
    warm: float
    spawn: float


def measure_starts(folder: Path, plan: Plan) -> Starts:
    """Measure each start `plan.repeats` times, on a host of its own."""
    with running_host(folder) as host:
        deploys = [_timed(partial(deploy, host, f"empty{n}", CODE)) for n in range(plan.repeats)]
        deploy(host, "pool", CODE, FROM_NONE)
        restarts = [_restart(host) for _ in range(plan.repeats)]
        warm = [_first_answer_when_warm(host) for _ in range(plan.repeats)]
        spawns = [_second_instance(host) for _ in range(plan.repeats)]
    middle = statistics.median
    hosts, colds = zip(*restarts, strict=True)
    return Starts(middle(hosts), middle(deploys), middle(colds), middle(warm), middle(spawns))


def _restart(host: RunningHost) -> tuple[float, float]:
    host.stop()
    started = _timed(host.start)
    wait_until(lambda: host.client.get(f"{host.url}/readyz").is_success, "the host is ready")
    assert host.describe("pool")["state"] == "cold", host.describe("pool")
    return started, _timed(lambda: _invoke(host))


def _first_answer_when_warm(host: RunningHost) -> float:
    _scale(host, 0)
    wait_until(lambda: not host.describe("pool")["instances_detail"], "the pool has no instance")
    return _timed(lambda: _invoke(host))


def _second_instance(host: RunningHost) -> float:
    _scale(host, 1)
    wait_until(lambda: len(host.describe("pool")["instances_detail"]) == 1, "the pool has one instance")
    asked = time.time()
    _scale(host, 2)
    wait_until(lambda: host.describe("pool")["instances"] == 2, "the pool has two instances")
    newest: float = max(each["since"] for each in host.describe("pool")["instances_detail"])
    return (newest - asked) * 1000


def _invoke(host: RunningHost) -> None:
    answer = host.invoke("pool", b"{}")
    assert answer.status_code == 204, answer.text


def _scale(host: RunningHost, instances: int) -> None:
    host.client.post(f"{host.url}/api/functions/pool/scale", json={"instances": instances}).raise_for_status()


def _timed(step: Callable[[], object]) -> float:
    begun = time.perf_counter()
    step()
    return (time.perf_counter() - begun) * 1000
