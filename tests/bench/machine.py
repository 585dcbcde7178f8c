"""On what and with what the figures were made: the head of the report."""

import datetime
import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path

import psutil

from tests.bench.load import find_wrk
from tests.bench.mqtt import find_mosquitto
from tests.bench.peers import FRAMEWORK, Environment
from tests.bench.plan import Plan
from tests.hosts import ROOT

OURS = ("starlette", "uvicorn", "uvloop", "httptools", "gunicorn", "paho-mqtt")
THEIRS = ("flask", "werkzeug", "gunicorn")
BUSY = 0.5


def describe(environment: Environment, plan: Plan) -> dict[str, str]:
    """What a reader must know to compare: read it before the load begins."""
    return {
        # Without the names of files: they are nobody's business, and this goes into the documentation.
        "command": " ".join(["python -m tests.bench", *(each for each in sys.argv[1:] if each[:2] == "--")]),
        "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
        "machine": _machine(),
        "kernel": f"{platform.system()} {platform.release().partition('-')[0]}",
        "Python": platform.python_version(),
        "load before": _load(),
        "plan": f"{plan.name}: {plan.rounds} rounds of {plan.seconds} s for each row of the table",
        "fnhost": _commit(),
        "fnhost and starlette": _versions({name: importlib.metadata.version(name) for name in OURS}),
        FRAMEWORK: _framework(environment),
        "wrk": _wrk_version(),
        "mosquitto": _mosquitto_version(),
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


def _framework(environment: Environment) -> str:
    if environment.missing is not None:
        return f"left out: {environment.missing}"
    own = environment.versions[FRAMEWORK]
    return f"{own}; {_versions({name: environment.versions[name] for name in THEIRS})}"


def _versions(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _wrk_version() -> str:
    # It has no option for it alone: `-v` prints the usage after its version and fails.
    ran = subprocess.run([find_wrk() or "wrk", "-v"], capture_output=True, text=True, check=False)
    return " ".join((ran.stdout + ran.stderr).split("\n")[0].split()[1:2])


def _mosquitto_version() -> str:
    # Nor has it: `-h` prints "mosquitto version 2.0.11" before its usage, and fails.
    ran = subprocess.run([find_mosquitto() or "mosquitto", "-h"], capture_output=True, text=True, check=False)
    return (ran.stdout + ran.stderr).split("\n")[0].rpartition(" ")[2]
