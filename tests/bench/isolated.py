"""The peers that isolate the function in a process, as we do: each runs alone beside ours."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.bench.goals import Goal, at_least, paired, unmeasured
from tests.bench.ours import ONE, deploy_target, running_host
from tests.bench.part import Part, Run, UnmeasuredError
from tests.bench.plan import LOAD_CELLS, bodies
from tests.bench.servers import Server, running
from tests.bench.shots import Contest, Series, Target, find, measure, shots_table
from tests.bench.venvs import Environment, Wanted
from tests.brokers import free_port

LEAST = 12.0
SUBJECT = "tests.bench.subject"

LITSERVE, MLSERVER, BENTOML, RAY = "LitServe", "MLServer", "BentoML", "Ray Serve"
WANTED = (
    Wanted(LITSERVE, ("litserve==0.2.19",), ("litserve", "fastapi", "uvicorn", "uvloop")),
    # With uvloop 0.22 its parallel workers do not start.
    Wanted(MLSERVER, ("mlserver==1.7.1", "uvloop<0.22"), ("mlserver", "fastapi", "uvicorn", "uvloop")),
    Wanted(BENTOML, ("bentoml==1.4.39",), ("bentoml", "starlette", "uvicorn")),
    Wanted(RAY, ("ray[serve]==2.60.0",), ("ray", "starlette", "uvicorn")),
)


def measure_peers(run: Run) -> Part:
    """One peer after another, so that what one does while it is idle is in nobody else's figures."""
    told: list[Goal] = []
    measured: dict[str, list[Series]] = {}
    with running_host(run.folder / "host") as host:
        ours = deploy_target(host, ONE)
        for name, make_server in SERVERS.items():
            run.say(f"  {name}")
            try:
                measured[name] = _measure_one(run, name, make_server, ours)
                told += _goals(name, measured[name])
            except UnmeasuredError as error:
                told.append(unmeasured(f"req/s over {name}, body A", f"left out: {error}"))
    rows = [_beside(name, each) for name, series in measured.items() for each in series]
    return Part("peers", tuple(told), (shots_table(rows),) if rows else (), measured)


def _beside(name: str, series: Series) -> Series:
    target = f"{ONE} (beside {name})" if series.target == ONE else series.target
    return Series(series.cell, target, series.shots)


def _measure_one(
    run: Run, name: str, make_server: Callable[[Environment, int, Path], Server], ours: Target
) -> list[Series]:
    environment = run.environments[name]
    if environment.missing is not None:
        raise UnmeasuredError(environment.missing)
    folder = run.folder / name.lower().replace(" ", "-")
    folder.mkdir()
    with running(make_server(environment, free_port(), folder)) as peer:
        return measure(Contest([ours, peer], LOAD_CELLS, bodies()), run)


def _goals(name: str, series: list[Series]) -> list[Goal]:
    told = []
    for cell in LOAD_CELLS:
        ours, theirs = find(series, cell, ONE), find(series, cell, name)
        assert ours is not None and theirs is not None
        ratio = paired(ours.values("rate"), theirs.values("rate"))
        told.append(at_least(f"req/s over {name}, body A, {cell.connections} connections", ratio, LEAST))
    return told


def _litserve(environment: Environment, port: int, folder: Path) -> Server:
    command = [environment.bin("python"), "-m", f"{SUBJECT}.litserve_server", str(port)]
    return Server(LITSERVE, command, f"http://127.0.0.1:{port}/predict", folder, {"HOME": str(folder)})


def _mlserver(environment: Environment, port: int, folder: Path) -> Server:
    settings = {
        "host": "127.0.0.1",
        "http_port": port,
        "grpc_port": free_port(),
        "metrics_endpoint": None,
        "parallel_workers": 1,
        "debug": False,
    }
    model = {"name": "threshold", "implementation": f"{SUBJECT}.mlserver_runtime.Threshold"}
    (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    (folder / "model-settings.json").write_text(json.dumps(model), encoding="utf-8")
    command = [environment.bin("mlserver"), "start", str(folder)]
    return Server(MLSERVER, command, f"http://127.0.0.1:{port}/invoke", folder, {"HOME": str(folder)})


def _bentoml(environment: Environment, port: int, folder: Path) -> Server:
    command = [environment.bin("bentoml"), "serve", f"{SUBJECT}.bentoml_service:Threshold", "-q"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    environ = {"HOME": str(folder), "BENTOML_HOME": str(folder), "BENTOML_DO_NOT_TRACK": "true"}
    return Server(BENTOML, command, f"http://127.0.0.1:{port}/invoke", folder, environ)


def _ray(environment: Environment, port: int, folder: Path) -> Server:
    command = [environment.bin("python"), "-m", f"{SUBJECT}.ray_deployment", str(port), str(folder)]
    environ = {"HOME": str(folder), "RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
    return Server(RAY, command, f"http://127.0.0.1:{port}/invoke", folder, environ)


SERVERS: dict[str, Callable[[Environment, int, Path], Server]] = {
    LITSERVE: _litserve,
    MLSERVER: _mlserver,
    BENTOML: _bentoml,
    RAY: _ray,
}
