"""What the machine itself allows: a hop between two processes, JSON alone, a fork, static files by nginx."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench.goals import Interval, interval
from tests.bench.part import Part, Run, UnmeasuredError, figures, need_tool
from tests.bench.plan import Cell, bodies
from tests.bench.servers import Server, spawned
from tests.bench.shots import Shot, Target, shoot
from tests.bench.subject.echoing import SIZE
from tests.brokers import free_port
from tests.hosts import ROOT, wait_until

SUBJECT = ROOT / "tests" / "bench" / "subject"
BLOCK = 2000
FORKS = 50
STATIC = Cell("static", 16)
NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr;
events {{ }}
http {{
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  server {{ listen 127.0.0.1:{port}; root {folder}/static; }}
}}
"""


@dataclass(frozen=True)
class Limits:
    """Hops in µs by where both processes run, JSON in µs by body, forks in ms; nginx, or why without."""

    hops: dict[str, Interval]
    json: dict[str, Interval]
    forks: Interval
    nginx: tuple[Shot, ...]
    without: str


def measure_limits(run: Run) -> Part:
    """Each for a moment, seven times as the loads are, or as often as the plan says."""
    nginx, without = _measure_nginx(run)
    limits = Limits(_measure_hops(run), _measure_json(run), _measure_forks(), nginx, without)
    return Part("limits", (), (figures("limits of the machine", _rows(limits)),), limits)


def _rows(limits: Limits) -> dict[str, str]:
    rows = {
        f"unix socket, {SIZE} B there and back, {where}": f"{told} µs" for where, told in limits.hops.items()
    }
    rows |= {f"json.loads and json.dumps, body {body}": f"{told} µs" for body, told in limits.json.items()}
    rows["fork of a warm process, to its first byte"] = f"{limits.forks} ms"
    name = f"nginx, one worker, a static file of 3 bytes, {STATIC.connections} connections"
    if not limits.nginx:
        return rows | {name: f"not measured: {limits.without}"}
    rate, cpu = (interval([getattr(shot, each) for shot in limits.nginx]) for each in ("rate", "cpu"))
    return rows | {name: f"{rate.median:,.0f} req/s, {cpu.median:.0f} CPU µs/req"}


def _measure_hops(run: Run) -> dict[str, Interval]:
    cores = sorted(os.sched_getaffinity(0))
    places = {"on two cores": (cores[0], cores[-1]), "on one core": (cores[0], cores[0])}
    hops: dict[str, list[float]] = {where: [] for where in places}
    for _ in range(run.plan.rounds):
        for where, (ours, theirs) in places.items():
            with _pinned({ours}), _echo(theirs) as connected:
                hops[where].append(_block(lambda: _hop(connected)))
    return {where: interval(told) for where, told in hops.items()}


def _hop(connected: socket.socket) -> None:
    connected.sendall(bytes(SIZE))
    connected.recv(SIZE)


def _block(step: Callable[[], object]) -> float:
    """µs a step, the mean of many after as many others."""
    for _ in range(BLOCK // 10):
        step()
    begun = time.perf_counter()
    for _ in range(BLOCK):
        step()
    return (time.perf_counter() - begun) * 1e6 / BLOCK


@contextlib.contextmanager
def _pinned(cores: set[int]) -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def _echo(core: int) -> Iterator[socket.socket]:
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-I", "-S", str(SUBJECT / "echoing.py"), str(theirs.fileno())]
    with ours, subprocess.Popen(command, pass_fds=[theirs.fileno()]) as process:
        theirs.close()
        os.sched_setaffinity(process.pid, {core})
        yield ours
        ours.close()


def _measure_json(run: Run) -> dict[str, Interval]:
    return {
        name: interval([_block(partial(_convert, body)) for _ in range(run.plan.rounds)])
        for name, body in bodies().items()
    }


def _convert(body: bytes) -> None:
    json.dumps(json.loads(body))


def _measure_forks() -> Interval:
    command = [sys.executable, str(SUBJECT / "forking.py"), str(FORKS)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    return interval(json.loads(ran.stdout))


def _measure_nginx(run: Run) -> tuple[tuple[Shot, ...], str]:
    try:
        with _running_nginx(run.folder) as target:
            shots = tuple(shoot(target, STATIC, {}, run.plan.seconds) for _ in range(run.plan.rounds))
            return shots, ""
    except UnmeasuredError as error:
        return (), str(error)


@contextlib.contextmanager
def _running_nginx(folder: Path) -> Iterator[Target]:
    program, port = need_tool("nginx"), free_port()
    (folder / "static").mkdir()
    (folder / "static" / "answer.json").write_text('"1"', encoding="ascii")
    folder.chmod(0o755)
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port), encoding="utf-8")
    server = Server("nginx", [program, "-p", str(folder), "-c", str(config)], "", folder)
    log_file = folder / "nginx.log"
    with spawned(server, log_file) as process:
        wait_until(lambda: _listens(port), f"nginx listens: {log_file.read_text()}")
        yield Target("nginx", f"http://127.0.0.1:{port}/answer.json", process.pid)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
