"""What a function costs in a subinterpreter, beside one in processes of its own on the same Python."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.caller import call_once
from tests.bench.goals import interval
from tests.bench.memory import pss
from tests.bench.ours import cool, deploy, running_host, scale
from tests.bench.part import Part, Run, Table
from tests.hosts import RunningHost, wait_until
from tests.newer_python import VERSION

CODE = "def index(event, context):\n    return None\n"
KINDS = ("process", "subinterpreter")
MOST = 10
"""Functions of each kind."""


@dataclass(frozen=True)
class Cost:
    """One kind: memory in MB of PSS, starts in ms from an event to its answer with no instance there.

    The sizes are those of the first function, of each further one, and of one's second instance.
    """

    kind: str
    sizes: tuple[float, float, float]
    starts: Sequence[float]


def measure_sharing(run: Run) -> Part:
    """Each kind on a host of its own; no goal, since neither is better in all."""
    count = min(MOST, 1 + run.plan.repeats.deploys)
    costs = [_measure(run, kind, count) for kind in KINDS]
    rows = tuple(
        (each.kind, *(f"{size:.1f}" for size in each.sizes), str(interval(each.starts))) for each in costs
    )
    columns = (
        f"isolation (Python {VERSION})",
        "first function, MB",
        "each further one, MB",
        "second instance of one, MB",
        "first answer with no instance, ms",
    )
    return Part("sharing", (), (Table(columns, rows),), costs)


def _measure(run: Run, kind: str, count: int) -> Cost:
    manifest = f'isolation: {kind}\npython: "{VERSION}"\nscale: {{min: 1, max: 2}}\n'
    with running_host(run.folder / kind) as host:
        deploy(host, "f0", CODE, manifest)
        first = _memory(host)
        for number in range(1, count):
            deploy(host, f"f{number}", CODE, manifest)
        all_of_them = _memory(host)
        scale(host, "f0", 2)
        wait_until(lambda: host.describe("f0")["instances"] == 2, "there is a second instance")
        second = _memory(host)
        starts = [_start(host) for _ in range(run.plan.repeats.deploys)]
    return Cost(kind, (first, (all_of_them - first) / (count - 1), second - all_of_them), starts)


def _memory(host: RunningHost) -> float:
    """What all processes of functions take, each page counted once."""
    call_once(f"{host.url}/invoke/f0")
    return sum(pss(each.pid) for each in host.processes() if each.pid != host.process.pid)


def _start(host: RunningHost) -> float:
    cool(host, "f0")
    return call_once(f"{host.url}/invoke/f0")
