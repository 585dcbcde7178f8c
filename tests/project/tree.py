"""The project's files as git knows them, and copies of the project in which its commands can be run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def tracked_files() -> list[str]:
    """Every file that belongs to the project, by its path from the top."""
    # The checkout may belong to another user than the one who runs the tests.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


def copy_project(target: Path) -> Path:
    """A copy of the project in the new folder `target`, whose `.venv` leads to the present interpreter."""
    for name in tracked_files():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)
    commands = target / ".venv" / "bin"
    commands.mkdir(parents=True)
    _write_script(commands / "python", f'exec "{sys.executable}" "$@"')
    _write_script(commands / "fnhost", f'PYTHONPATH="{target}" exec "{sys.executable}" -m host.cli "$@"')
    (commands / "activate").write_text(f'PATH="{commands}:$PATH"\n')
    # Newer than pyproject.toml: make takes the venv for finished.
    (target / ".venv" / ".ready").touch()
    return target


def clean_environment(**variables: str) -> dict[str, str]:
    """This process's environment without what an outer make or host would pass on."""
    ours = ("FNHOST_", "MAKE", "MFLAGS", "PYTEST_", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, **variables}


def _write_script(file: Path, line: str) -> None:
    file.write_text(f"#!/bin/sh\n{line}\n")
    file.chmod(0o755)
