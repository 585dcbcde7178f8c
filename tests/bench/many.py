"""Many functions on one host: what a cold one holds, and whether the others become slower."""

import contextlib
import statistics
from dataclasses import dataclass

from tests.bench.caller import timed
from tests.bench.goals import Goal, Interval, at_most, interval, paired
from tests.bench.memory import uss
from tests.bench.ours import ONE, deploy, deploy_target, running_host, target_of
from tests.bench.part import Part, Run, figures
from tests.bench.plan import LOAD_CELLS, bodies
from tests.bench.planted import plant
from tests.bench.shots import Contest, Series, Target, find, measure, shots_table
from tests.bench.starts import CODE, FROM_NONE
from tests.hosts import RunningHost, wait_until

CELL = LOAD_CELLS[0]
LOOKS = 20
LARGEST_COLD, LONGEST_START = 20.0, 3.0


@dataclass(frozen=True)
class Crowd:
    """A host with so many functions: its starts in s, its USS in MB, and the answers of its list in ms."""

    functions: int
    starts: tuple[float, ...]
    uss: float
    lists: tuple[float, ...]


@dataclass(frozen=True)
class Crowds:
    """Hosts by their number of functions, from few to many, and the shots at one hot function of each."""

    crowds: tuple[Crowd, ...]
    series: tuple[Series, ...]

    @property
    def cold(self) -> float:
        """What one more cold function adds to the host, in kB: the slope between the last two."""
        few, many = self.crowds[-2:]
        return (many.uss - few.uss) * 1000 / (many.functions - few.functions)


def measure_many(run: Run) -> Part:
    """One host for each number, all at the same time: one function of each is hot, the others are cold."""
    with contextlib.ExitStack() as stack:
        hosts = {count: stack.enter_context(running_host(run.folder / str(count))) for count in run.plan.many}
        starts = {count: _fill(host, count, run.plan.repeats.restarts) for count, host in hosts.items()}
        targets = [_target(host, count) for count, host in hosts.items()]
        # The pages of the interpreter are nobody's own once all of them run, so what is left is the host's.
        sizes = {count: uss(host.process.pid) for count, host in hosts.items()}
        crowds = tuple(
            Crowd(count, starts[count], sizes[count], _list(host)) for count, host in hosts.items()
        )
        series = measure(Contest(targets, (CELL,), bodies()), run)
    told = Crowds(crowds, tuple(series))
    return Part("many", tuple(goals(told)), (shots_table(series), figures("many", _rows(told))), told)


def goals(told: Crowds) -> list[Goal]:
    """The promises about many functions."""
    few, many = told.crowds[0].functions, told.crowds[-1].functions
    ratio = _slope(told)
    return [
        at_most("one more cold function", interval([told.cold]), LARGEST_COLD, " kB"),
        Goal(
            f"req/s with {many:,} functions over that with {few}: the interval contains 1",
            f"{ratio}×",
            ratio.least <= 1 <= ratio.greatest,
        ),
        at_most(f"host start with {many:,} functions", interval(told.crowds[-1].starts), LONGEST_START, " s"),
    ]


def _slope(told: Crowds) -> Interval:
    few, many = (find(told.series, CELL, _name(told.crowds[each].functions)) for each in (0, -1))
    assert few is not None and many is not None
    return paired(many.values("rate"), few.values("rate"))


def _rows(told: Crowds) -> dict[str, str]:
    rows = {}
    for crowd in told.crowds:
        name = f"{crowd.functions:,} functions"
        rows[f"{name}: host start, to listening"] = f"{interval(crowd.starts)} s"
        rows[f"{name}: host, USS"] = f"{crowd.uss:.1f} MB"
        rows[f"{name}: GET /api/functions, median"] = f"{statistics.median(crowd.lists):.1f} ms"
    return rows


def _name(functions: int) -> str:
    return f"{ONE}, of {functions:,}"


def _fill(host: RunningHost, count: int, restarts: int) -> tuple[float, ...]:
    """Give it its functions, and start it again so often; seconds each time."""
    deploy_target(host, ONE)
    if count > 1:
        deploy(host, "empty", CODE, FROM_NONE)
    host.stop()
    plant(host, "empty", max(0, count - 2))
    return tuple(_restart(host) for _ in range(restarts))


def _restart(host: RunningHost) -> float:
    host.stop()
    return timed(host.start) / 1000


def _target(host: RunningHost, count: int) -> Target:
    ours = target_of(host, ONE)
    wait_until(lambda: host.client.get(f"{host.url}/readyz").is_success, "the host is ready")
    return Target(_name(count), ours.url, ours.pid)


def _list(host: RunningHost) -> tuple[float, ...]:
    return tuple(timed(lambda: host.client.get(f"{host.url}/api/functions")) for _ in range(LOOKS))
