"""What a neighbour's callers notice while another function does its worst."""

import contextlib
import statistics
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx

from tests.bench.caller import call_once
from tests.bench.goals import interval
from tests.bench.ours import deploy, running_host
from tests.bench.part import Part, Run, Table
from tests.bench.plan import Plan
from tests.hosts import RunningHost

NEIGHBOUR = "def index(event, context):\n    return 1\n"
ATTACKS: Mapping[str, str] = {
    "endless loops": "def index(event, context):\n    while True:\n        pass\n",
    "memory": """
def index(event, context):
    kept = []
    while True:
        kept.append(b"x" * 2**22)
""",
    "prints": "def index(event, context):\n    while True:\n        print('x' * 65536)\n",
    "large results": "def index(event, context):\n    return bytes(2**28)\n",
    "forks": """
import os
def index(event, context):
    while True:
        try:
            if os.fork() == 0:
                os._exit(0)
        except OSError:
            pass
""",
    "deaths": "import os\ndef index(event, context):\n    os.kill(os.getpid(), 9)\n",
}
MANIFEST = "timeout: 2s\nscale: {max: 1}\nmemory: 512MiB\n"
MOST_ROUNDS = 3
PAUSE = 0.002
"""Seconds between two calls."""


@dataclass(frozen=True)
class Noticed:
    """Times in ms of the neighbour's answers, without the attack and with it, in turn."""

    attack: str
    alone: list[float]
    attacked: list[float]


def measure_attacks(run: Run) -> Part:
    """One attack after another; before each round with it one without it."""
    with running_host(run.folder / "host") as host:
        deploy(host, "neighbour", NEIGHBOUR, "scale: {min: 1, max: 1}\n")
        found = [_measure(host, attack, run.plan) for attack in ATTACKS]
    columns = ("attack", "median alone", "median attacked", "p99 alone", "p99 attacked")
    return Part("attacks", (), (Table(columns, tuple(map(_row, found))),), found)


def _measure(host: RunningHost, attack: str, plan: Plan) -> Noticed:
    name = attack.replace(" ", "-")
    deploy(host, name, ATTACKS[attack], MANIFEST)
    url = f"{host.url}/invoke/neighbour"
    noticed = Noticed(attack, [], [])
    for _ in range(min(plan.rounds, MOST_ROUNDS)):
        noticed.alone.extend(_calls(url, plan.seconds))
        with _attacking(f"{host.url}/invoke/{name}"):
            noticed.attacked.extend(_calls(url, plan.seconds))
    host.client.delete(f"{host.url}/api/functions/{name}")
    return noticed


def _calls(url: str, seconds: float) -> Iterator[float]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield call_once(url)
        time.sleep(PAUSE)


@contextlib.contextmanager
def _attacking(url: str) -> Iterator[None]:
    over = threading.Event()
    thread = threading.Thread(target=_attack, args=(url, over))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _attack(url: str, over: threading.Event) -> None:
    with httpx.Client(timeout=30, trust_env=False) as client:
        while not over.is_set():
            with contextlib.suppress(httpx.HTTPError):
                client.post(url, content=b"{}")


def _row(noticed: Noticed) -> tuple[str, ...]:
    medians = [f"{interval([statistics.median(each)])} ms" for each in (noticed.alone, noticed.attacked)]
    return noticed.attack, *medians, _p99(noticed.alone), _p99(noticed.attacked)


def _p99(values: list[float]) -> str:
    return f"{statistics.quantiles(values, n=100)[98]:.3g} ms"
