"""Those that run the function inside their server, without isolation: bounds, and functions-framework."""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.goals import Goal, at_least, at_most, paired, unmeasured
from tests.bench.ours import ONE, TWO, deploy_target, running_host
from tests.bench.part import Part, Run, UnmeasuredError
from tests.bench.plan import LATENCY_CELL, LOAD_CELLS, Cell, bodies
from tests.bench.servers import Server, running
from tests.bench.shots import Contest, Series, Target, find, measure, shots_table
from tests.bench.venvs import Environment, Wanted
from tests.brokers import free_port
from tests.hosts import ROOT

RAW, STARLETTE, THREAD = "raw ASGI", "starlette inline", "starlette, thread pool"
FRAMEWORK = "functions-framework"
WANTED = Wanted(FRAMEWORK, ("functions-framework==3.10.2",), (FRAMEWORK, "flask", "werkzeug", "gunicorn"))
APPS = {
    RAW: ("raw_asgi:app", ""),
    STARLETTE: ("starlette_app:app", "inline"),
    THREAD: ("starlette_app:app", "thread"),
}
LEAST = {
    (STARLETTE, "A"): 1.4,
    (STARLETTE, "B"): 1.0,
    (RAW, "A"): 0.65,
    (FRAMEWORK, "A"): 6.0,
}
MOST_P50 = 2.0


def measure_load(run: Run) -> Part:
    """Ours with one instance and with two beside all of them, with every load, in the same rounds."""
    missing: dict[str, str] = {}
    with running_host(run.folder / "host") as host, _running_all(run, missing) as peers:
        targets = [deploy_target(host, name) for name in (ONE, TWO)]
        series = measure(Contest([*targets, *peers], run.plan.cells, bodies()), run)
    return Part("load", tuple(goals(series, missing)), (shots_table(series),), series)


def goals(series: Sequence[Series], missing: dict[str, str]) -> list[Goal]:
    """How ours compares; `missing` says why a peer took no part."""
    told = []
    for (peer, body), least in LEAST.items():
        for connections in (cell.connections for cell in LOAD_CELLS):
            cell = Cell(body, connections)
            text = f"req/s over {peer}, body {body}, {connections} connections"
            ours, theirs = find(series, cell, ONE), find(series, cell, peer)
            if ours is None or theirs is None:
                told.append(unmeasured(text, missing.get(peer, "this load is not in the plan")))
            else:
                told.append(at_least(text, paired(ours.values("rate"), theirs.values("rate")), least))
    return [*told, _latency_goal(series)]


def _latency_goal(series: Sequence[Series]) -> Goal:
    ours, theirs = find(series, LATENCY_CELL, ONE), find(series, LATENCY_CELL, RAW)
    text = f"p50 over that of {RAW}, body A, 1 connection"
    if ours is None or theirs is None:
        return unmeasured(text, "this load is not in the plan")
    return at_most(text, paired(ours.values("p50"), theirs.values("p50")), MOST_P50, "×")


@contextlib.contextmanager
def _running_all(run: Run, missing: dict[str, str]) -> Iterator[list[Target]]:
    with contextlib.ExitStack() as stack:
        servers = [_app_server(name, run.folder) for name in APPS]
        environment = run.environments[FRAMEWORK]
        if environment.missing is None:
            servers.append(_framework_server(environment, run.folder))
        else:
            missing[FRAMEWORK] = f"left out: {environment.missing}"
        targets = []
        for server in servers:
            try:
                targets.append(stack.enter_context(running(server)))
            except UnmeasuredError as error:
                missing[server.name] = f"left out: {error}"
        yield targets


def _app_server(name: str, folder: Path) -> Server:
    app, path = APPS[name]
    port = free_port()
    server = [sys.executable, "-m", "uvicorn", "--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    command = [*server, "--log-level", "warning", "--port", str(port), f"tests.bench.subject.{app}"]
    return Server(name, command, f"http://127.0.0.1:{port}/{path}", folder)


def _framework_server(environment: Environment, folder: Path) -> Server:
    source = str(ROOT / "tests" / "bench" / "subject" / "framework_main.py")
    port = free_port()
    command = [environment.bin(FRAMEWORK), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--target", "invoke", "--source", source]
    return Server(FRAMEWORK, command, f"http://127.0.0.1:{port}/", folder, {"HOME": str(folder)})
