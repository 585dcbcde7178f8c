"""How long it takes to deploy and to start, from no process at all to one instance more."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import psutil

from tests.bench.caller import call_once, timed
from tests.bench.goals import Goal, at_most, interval, tail_at_most, unmeasured
from tests.bench.ours import cool, deploy, running_host, scale
from tests.bench.part import Part, Run, UnmeasuredError, figures
from tests.bench.planted import plant
from tests.hosts import RunningHost, wait_until

CODE = "def index(event, context):\n    return None\n"
LEARNED = "import sklearn.ensemble\n\ndef index(event, context):\n    return sklearn.__version__\n"
PACKAGES = "scikit-learn"
FROM_NONE = "scale: {min: 0, max: 2}\n"
LONGEST_WARM, LONGEST_COLD = 15.0, 300.0
LONGEST_DEPLOY, LONGEST_WITH_PACKAGES = 1500.0, 4000.0
NOT_DEPLOYED = "no deploy with packages in this plan"


@dataclass(frozen=True)
class Starts:
    """Each single time in ms.

    `colds` are from an event to its answer with no process of the pool, each of another function; `warms` the
    same with an arbiter but no instance; `spawns` from the command to scale up until the second instance is
    ready; `with_packages` deploys of scikit-learn, its wheels in the cache, and `without` why there are none.
    """

    hosts: Sequence[float]
    deploys: Sequence[float]
    with_packages: Sequence[float]
    without: str
    colds: Sequence[float]
    warms: Sequence[float]
    spawns: Sequence[float]


def measure_starts(run: Run) -> Part:
    """All starts, one after the other, on one host."""
    repeats = run.plan.repeats
    with running_host(run.folder / "host") as host:
        deploys = [timed(partial(deploy, host, f"empty{n}", CODE)) for n in range(repeats.deploys)]
        for number in range(repeats.deploys):
            host.client.delete(f"{host.url}/api/functions/empty{number}").raise_for_status()
        with_packages, without = _deploy_packages(host, repeats.deploys_with_packages)
        deploy(host, "pool", CODE, FROM_NONE)
        warms = [_first_answer_when_warm(host) for _ in range(repeats.warms)]
        spawns = [_second_instance(host) for _ in range(repeats.deploys)]
        scale(host, "pool", None)
        host.stop()
        names = plant(host, "pool", repeats.colds)
        hosts = [_restart(host) for _ in range(repeats.restarts)]
        colds = [_first_answer_when_cold(host, name) for name in names]
    starts = Starts(hosts, deploys, with_packages, without, colds, warms, spawns)
    return Part("starts", tuple(goals(starts)), (figures("starts", _rows(starts)),), starts)


def goals(starts: Starts) -> list[Goal]:
    """The promises about time."""
    return [
        tail_at_most("first answer from warm", starts.warms, LONGEST_WARM, " ms"),
        tail_at_most("first answer from cold, no dependencies", starts.colds, LONGEST_COLD, " ms"),
        at_most("deploy to live, no dependencies", interval(starts.deploys), LONGEST_DEPLOY, " ms"),
        _packages_goal(starts),
    ]


def _packages_goal(starts: Starts) -> Goal:
    text = f"deploy to live, {PACKAGES}, wheels in the cache"
    if not starts.with_packages:
        return unmeasured(text, starts.without)
    return at_most(text, interval(starts.with_packages), LONGEST_WITH_PACKAGES, " ms")


def _rows(starts: Starts) -> dict[str, str]:
    return {
        "host start, to listening": f"{interval(starts.hosts)} ms",
        "second instance, from command to ready": f"{interval(starts.spawns)} ms",
    }


def _deploy_packages(host: RunningHost, count: int) -> tuple[list[float], str]:
    """The times, the first left out: it may still have to fetch the wheels, and compiles what they bring."""
    try:
        names = [f"learned{number}" for number in range(count + 1)] if count else []
        times = []
        for name in names:
            times.append(timed(partial(deploy, host, name, LEARNED, FROM_NONE, PACKAGES)))
            wait_until(lambda: _byte_code_is_kept(host), "the byte code of the packages is kept")
    except UnmeasuredError as error:
        return [], str(error)
    return times[1:], "" if times else NOT_DEPLOYED


def _byte_code_is_kept(host: RunningHost) -> bool:
    """Whether the host has compiled what the first deploy has imported: that is no part of the next ones."""
    kept = any((host.state / "byte-code").glob("python*/[!.]*"))
    processes = psutil.process_iter(["ppid", "cmdline"])
    ours = [each.info["cmdline"] or [] for each in processes if each.info["ppid"] == host.process.pid]
    return kept and not any("compile_verified" in " ".join(command) for command in ours)


def _restart(host: RunningHost) -> float:
    host.stop()
    started = timed(host.start)
    wait_until(lambda: host.client.get(f"{host.url}/readyz").is_success, "the host is ready")
    return started


def _first_answer_when_cold(host: RunningHost, name: str) -> float:
    assert host.describe(name)["state"] == "cold", host.describe(name)
    return call_once(f"{host.url}/invoke/{name}")


def _first_answer_when_warm(host: RunningHost) -> float:
    cool(host, "pool")
    return call_once(f"{host.url}/invoke/pool")


def _second_instance(host: RunningHost) -> float:
    scale(host, "pool", 1)
    wait_until(lambda: len(host.describe("pool")["instances_detail"]) == 1, "the pool has one instance")
    asked = time.time()
    scale(host, "pool", 2)
    wait_until(lambda: host.describe("pool")["instances"] == 2, "the pool has two instances")
    newest: float = max(each["since"] for each in host.describe("pool")["instances_detail"])
    return (newest - asked) * 1000
