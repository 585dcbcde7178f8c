"""The peers' venvs: each has one of its own, made once, with pinned versions."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

from tests.hosts import ROOT

FOLDER = ROOT / ".bench"


@dataclass(frozen=True)
class Wanted:
    """A peer: what is installed for it, and the packages whose versions the report names."""

    name: str
    requirements: tuple[str, ...]
    told: tuple[str, ...]


@dataclass(frozen=True)
class Environment:
    """The venv of a peer: its versions by package, or why it could not be had."""

    folder: Path
    versions: str
    missing: str | None = None

    def bin(self, program: str) -> str:
        """The path of a program in it."""
        return str(self.folder / "bin" / program)


def build_environment(wanted: Wanted) -> Environment:
    """Install a peer, unless it is there."""
    folder = FOLDER / wanted.name.lower().replace(" ", "-")
    python = str(folder / "bin" / "python")
    for command in (
        ["venv", "--allow-existing", "--python", sys.executable, str(folder)],
        ["pip", "install", "--python", python, *wanted.requirements],
    ):
        ran = _run_uv(command)
        if ran.returncode:
            # uv's last lines name the cause; the report is one line a peer.
            told = " ".join(ran.stderr.split())[-300:]
            return Environment(folder, "", f"{wanted.requirements[0]} could not be installed: {told}")
    listed = json.loads(_run_uv(["pip", "list", "--python", python, "--format", "json"]).stdout)
    versions = {row["name"]: row["version"] for row in listed}
    return Environment(folder, ", ".join(f"{name} {versions[name]}" for name in wanted.told))


def _run_uv(arguments: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([find_uv_bin(), *arguments], capture_output=True, text=True, check=False)
