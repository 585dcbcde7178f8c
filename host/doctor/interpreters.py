"""Looks at Python and uv, which environments of functions are made by."""

import os
import platform
import subprocess
import sys

from functions.environment import clean_environment
from functions.errors import BuildError
from functions.uv_program import find_uv
from host.doctor.findings import Case, Finding, Section, conclude

TIME_LIMIT = 20.0
"""Seconds for uv to answer."""
WHY_UV = "no function can be deployed that needs an environment of its own"


def check_interpreters(case: Case) -> Section:
    """This Python, uv, the Pythons that uv finds, and those that the config asks for."""
    own = Finding("Python", "ok", f"{platform.python_version()} ({sys.executable})")
    try:
        uv = find_uv()
    except BuildError:
        lack = Finding("uv", "lack", "missing beside fnhost", WHY_UV, f"{sys.executable} -m pip install uv")
        return conclude("python", [own, lack])
    version = _ask(case, uv, "--version")
    if not version:
        remedy = f"{sys.executable} -m pip install --force-reinstall uv"
        return conclude("python", [own, Finding("uv", "lack", f"{uv} does not run", WHY_UV, remedy)])
    told = Finding("uv", "ok", f"{version.split()[1]} ({uv}, which came with fnhost)")
    installed = _installed(case, uv)
    return conclude("python", [own, told, _tell(installed), *_asked_for(case, installed)])


def _installed(case: Case, uv: str) -> list[str]:
    """Versions such as 3.12.4, as uv lists them: `cpython-3.12.4-linux-x86_64-gnu    /usr/bin/python3.12`."""
    listed = _ask(case, uv, "python", "list", "--only-installed", "--no-python-downloads").splitlines()
    named = [line.split(maxsplit=1)[0].split("-") for line in listed if line.strip()]
    return list(dict.fromkeys([platform.python_version(), *(each[1] for each in named if len(each) > 1)]))


def _tell(installed: list[str]) -> Finding:
    return Finding("for functions", "ok", "Python " + ", ".join(installed))


def _asked_for(case: Case, installed: list[str]) -> list[Finding]:
    config = case.settings.config
    asked = [("python", config.python), *((each.model_name, each.python) for each in config.funcs)]
    return [
        Finding(
            f"Python {version}",
            "lack",
            f"{owner} asks for it, and it is not installed",
            "the function cannot be deployed",
            f"{find_uv()} python install {version}, or another `python` in the config",
        )
        for owner, version in asked
        if version is not None and not any(f"{each}.".startswith(f"{version}.") for each in installed)
    ]


def _ask(case: Case, uv: str, *words: str) -> str:
    """What uv says; nothing when it fails, cannot be started or takes too long."""
    try:
        done = subprocess.run(
            [uv, *words],
            env=clean_environment(case.env),
            cwd=os.sep,
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
