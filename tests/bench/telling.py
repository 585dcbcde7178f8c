"""What it costs to know what the host does, and how soon an author sees a function run."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil

from tests.bench.caller import call_once
from tests.bench.goals import Goal, at_most, interval
from tests.bench.ours import deploy, running_host
from tests.bench.part import Part, Run, UnmeasuredError, figures
from tests.bench.planted import plant
from tests.bench.starts import CODE, FROM_NONE
from tests.hosts import ROOT, RunningHost

LONGEST_HELP, LARGEST_HELP = 150.0, 20.0
LONGEST_PAGE = 50.0
LONGEST_FIRST_ANSWER = 10.0
PAGE, WATCHED = 200, 100
"""Functions of the host whose page is asked for, and of the one whose idle cost is taken."""
HELP = 10
READS = 20
"""Of the page at a time: the kernel counts processor time in hundredths of a second."""
MB = 1024 * 1024
TIMED = """
import os, resource, sys, time
began = time.perf_counter()
pid = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, *sys.argv[1:]])
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
"""


@dataclass(frozen=True)
class Telling:
    """Times in ms, of the first answer in s; sizes in MB.

    `functions` are those of the host whose page is read, and of the one watched. `bare` is a Python of
    the same environment that does nothing. `pages` are processor times of the host; `watching` is the share
    of a core, in %, that a host whose functions are in use takes while no event comes.
    """

    functions: tuple[int, int]
    helps: Sequence[float]
    bare: Sequence[float]
    sizes: Sequence[float]
    pages: Sequence[float]
    watching: Sequence[float]
    first_answers: Sequence[float]


def measure_telling(run: Run) -> Part:
    """The command line by itself, then a host with many functions, then an author's first minute."""
    count, most = max(1, run.plan.repeats.deploys), run.plan.many[-1]
    helps = [_run(["-m", "host.cli", "--help"]) for _ in range(HELP)]
    bare = [_run(["-c", "pass"]) for _ in range(HELP)]
    page, watched = min(PAGE, most), min(WATCHED, most)
    pages, watching = _measure_page(run, page, count), _measure_watching(run, watched, min(3, count))
    first = [_measure_first_answer(run.folder / f"author{number}") for number in range(min(3, count))]
    times, sizes = zip(*helps, strict=True)
    told = Telling((page, watched), times, [each for each, _ in bare], sizes, pages, watching, first)
    return Part("telling", tuple(goals(told)), (figures("telling", _rows(told)),), told)


def goals(told: Telling) -> list[Goal]:
    """What was asked of them."""
    page, _ = told.functions
    first = interval(told.first_answers)
    return [
        at_most("`fnhost --help`", interval(told.helps), LONGEST_HELP, " ms"),
        at_most("`fnhost --help`, largest resident size", interval(told.sizes), LARGEST_HELP, " MB"),
        at_most(
            f"metrics page of {page} functions, processor time", interval(told.pages), LONGEST_PAGE, " ms"
        ),
        at_most("`fnhost init` and `dev` to the first answer", first, LONGEST_FIRST_ANSWER, " s"),
    ]


def _rows(told: Telling) -> dict[str, str]:
    watched = f"all of a host with {told.functions[1]} hot functions, no event"
    return {
        "a Python that does nothing": f"{interval(told.bare)} ms",
        # What the history takes of it has a section of its own.
        watched: f"{interval(told.watching)} % of a core",
    }


def _run(arguments: Sequence[str]) -> tuple[float, float]:
    """A Python process from its start to its end: milliseconds, and MB at its largest."""
    # What a process was at its largest begins with the size of who starts it: one that is small.
    done = subprocess.run(
        [sys.executable, "-c", TIMED, *arguments], cwd=ROOT, capture_output=True, check=False
    )
    if done.returncode:
        raise UnmeasuredError(f"{' '.join(arguments)} failed: {done.stderr[-300:].decode(errors='replace')}")
    seconds, kilobytes = map(float, done.stdout.split()[-2:])
    return seconds * 1000, kilobytes * 1024 / MB


@contextlib.contextmanager
def _used_host(run: Run, name: str, count: int) -> Iterator[RunningHost]:
    """A host with so many functions, each of which has answered once."""
    with running_host(run.folder / name) as host:
        deploy(host, "f", CODE, FROM_NONE)
        host.stop()
        names = plant(host, "f", count)
        host.start()
        for each in names:
            call_once(f"{host.url}/invoke/{each}")
        yield host


def _measure_page(run: Run, functions: int, count: int) -> list[float]:
    with _used_host(run, "page", functions) as host:
        return [_cost(host, partial(_read_pages, host)) / READS * 1000 for _ in range(count)]


def _read_pages(host: RunningHost) -> None:
    for _ in range(READS):
        if not host.client.get(f"{host.url}/metrics").is_success:
            raise UnmeasuredError("there is no metrics page")


def _measure_watching(run: Run, functions: int, count: int) -> list[float]:
    """Their instances stay: none is idle for long enough to go."""
    pause = float(run.plan.idle)
    with _used_host(run, "watched", functions) as host:
        return [_cost(host, partial(time.sleep, pause)) / pause * 100 for _ in range(count)]


def _cost(host: RunningHost, act: Callable[[], object]) -> float:
    """Seconds of processor time that the host's own process takes meanwhile."""
    process = psutil.Process(host.process.pid)
    before = process.cpu_times()
    act()
    after = process.cpu_times()
    return after.user + after.system - before.user - before.system


def _measure_first_answer(folder: Path) -> float:
    """Seconds from `fnhost init` in an empty folder to the first answer, and the end of `fnhost dev`."""
    folder.mkdir()
    env = {**os.environ, "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    began = time.perf_counter()
    for words in (["init", "hello"], ["dev", "hello", "--once"]):
        done = subprocess.run(
            [sys.executable, "-m", "host.cli", *words], cwd=folder, env=env, capture_output=True, check=False
        )
        if done.returncode:
            raise UnmeasuredError(f"fnhost {words[0]} failed: {done.stderr[-300:].decode(errors='replace')}")
    return time.perf_counter() - began
