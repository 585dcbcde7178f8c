"""Fetches the wheels of all that a package requires, so that its environment is built offline.

uv installs and does not download; pip does, in a venv that is made for it.
"""

import asyncio
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from functions.environment import BuildLog, Uv, clean_environment
from functions.errors import BuildError
from functions.interpreters import find_python
from host.authoring.faults import AuthoringError

PIP_PREFIX = "PIP_"
INDEXES = {
    "PIP_INDEX_URL": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    "PIP_EXTRA_INDEX_URL": ("UV_INDEX", "UV_EXTRA_INDEX_URL"),
    "PIP_FIND_LINKS": ("UV_FIND_LINKS",),
}
"""What pip calls an index, and the variables by which uv knows it."""
NAMED = re.compile(r"^[\w.-]+=(?=\w+:)")
"""uv may give an index a name, as `internal=https://...`."""
FAULT = "ERROR: "
OFFLINE = "--no-index"


@dataclass(frozen=True)
class WheelOrder:
    """Requirements, the Python version that they are for (None: the host's own), and folders.

    Wheels of the package in `own` (None: none) are taken before an index is asked; all end up in `target`.
    """

    requirements: tuple[str, ...]
    python: str | None
    own: Path | None
    target: Path


def fetch_wheels(order: WheelOrder, log: Callable[[str], None]) -> None:
    """Fetch them for this platform; raises AuthoringError where one cannot be had as a wheel."""
    with TemporaryDirectory(prefix="fnhost-") as folder:
        asyncio.run(_fetch(order, Path(folder), log))


async def _fetch(order: WheelOrder, folder: Path, log: Callable[[str], None]) -> None:
    lines: list[str] = []

    def note(line: str) -> None:
        lines.append(line)
        log(line)

    uv_log = BuildLog(folder / "log", note)
    env = clean_environment(os.environ)
    try:
        python = await find_python(order.python, env)
        venv = folder / "venv"
        await _make_venv(python, venv, env)
        variables, program = {**env, **pip_variables(os.environ)}, str(venv / "bin" / "python")
        download = _download(order, folder)
        if not (order.own and await _succeeds(folder, variables, program, [*download, OFFLINE])):
            await Uv(variables, uv_log, program).run(download)
    except BuildError as error:
        told = next((line.removeprefix(FAULT) for line in reversed(lines) if line.startswith(FAULT)), None)
        raise AuthoringError(f"the wheels cannot be fetched: {told or error}") from None
    finally:
        uv_log.close()


async def _make_venv(python: Path, venv: Path, env: Mapping[str, str]) -> None:
    """With pip: uv fetches that from an index, and Python brings one, slower, for where none is."""
    seeding = ["venv", "--quiet", "--seed", "--python", str(python), str(venv)]
    if await _succeeds(venv.parent, {"UV_HTTP_RETRIES": "0", **env}, "", seeding):
        return
    if not await _succeeds(venv.parent, env, str(python), ["-m", "venv", "--clear", str(venv)]):
        raise BuildError(
            f"there is no pip to do it with: no index answers, and {python} has no ensurepip; add that"
            " (`sudo apt-get install python3-venv`), or go online"
        )


async def _succeeds(folder: Path, env: Mapping[str, str], program: str, arguments: list[str]) -> bool:
    """Whether one way leads there; where it does not, there is another, and nobody hears of it."""
    log = BuildLog(folder / "tried.log", lambda line: None)
    try:
        await Uv(env, log, program).run(arguments)
    except BuildError:
        return False
    finally:
        log.close()
    return True


def _download(order: WheelOrder, folder: Path) -> list[str]:
    listing = folder / "requirements.txt"
    listing.write_text("".join(f"{line}\n" for line in order.requirements), encoding="utf-8")
    own = ["--find-links", str(order.own)] if order.own else []
    quiet = ["-qq", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:"]
    return ["-m", "pip", "download", *quiet, *own, "-d", str(order.target), "-r", str(listing)]


def pip_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """What pip may know: its own settings, and the indexes that are set up for uv."""
    told = {name: value for name, value in environ.items() if name.startswith(PIP_PREFIX)}
    for name, others in INDEXES.items():
        if found := next((environ[other] for other in others if environ.get(other)), None):
            told.setdefault(name, " ".join(NAMED.sub("", each) for each in found.split()))
    return told
