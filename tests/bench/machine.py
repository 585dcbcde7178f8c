"""On what and with what the figures were made: the head of the report."""

import datetime
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

from tests.bench.part import find_tool
from tests.bench.plan import Plan
from tests.bench.venvs import Environment
from tests.hosts import ROOT

OURS = ("starlette", "uvicorn", "uvloop", "httptools", "gunicorn", "paho-mqtt")
BUSY = 0.5
TOOLS = {
    # The first two have no option for it alone: they print it before their usage, and fail.
    "wrk": ("-v", r"wrk (\S+)"),
    "mosquitto": ("-h", r"mosquitto version (\S+)"),
    "nginx": ("-v", r"nginx/(\S+)"),
}


def describe(environments: Mapping[str, Environment], plan: Plan) -> dict[str, str]:
    """What a reader must know to compare: read it before the load begins."""
    return {
        # Without the names of files: they are nobody's business, and this goes into the documentation.
        "command": " ".join(["python -m tests.bench", *(each for each in sys.argv[1:] if "/" not in each)]),
        "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
        "machine": _machine(),
        "kernel": f"{platform.system()} {platform.release().partition('-')[0]}",
        "Python": platform.python_version(),
        "load before": _load(),
        "plan": f"{plan.name}: {plan.rounds} rounds of {plan.seconds} s for each row of the table",
        "fnhost": _commit(),
        "fnhost and starlette": _versions({name: importlib.metadata.version(name) for name in OURS}),
        **{name: _peer(environment) for name, environment in environments.items()},
        **{name: _told(name, *asked) for name, asked in TOOLS.items()},
    }


def _machine() -> str:
    memory = round(psutil.virtual_memory().total / 2**30)
    return f"{len(os.sched_getaffinity(0))} cores ({_processor()}), {memory} GiB"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _load() -> str:
    load = os.getloadavg()
    note = " (not quiet: others use this machine)" if load[0] > BUSY else ""
    return " ".join(f"{each:.2f}" for each in load) + note


def _commit() -> str:
    ran = subprocess.run(
        ["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return ran.stdout.strip() or "outside of a git checkout"


def _peer(environment: Environment) -> str:
    return environment.versions if environment.missing is None else f"left out: {environment.missing}"


def _versions(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _told(name: str, option: str, version: str) -> str:
    if (path := find_tool(name)) is None:
        return "not installed"
    ran = subprocess.run([path, option], capture_output=True, text=True, check=False)
    found = re.search(version, ran.stdout + ran.stderr)
    return found[1] if found else "of an unknown version"
