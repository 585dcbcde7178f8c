"""Finds the Python interpreter of the version that a package asks for, among those installed."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from functions.errors import BuildError
from functions.uv_program import find_uv

TIME_LIMIT = 20.0  # seconds for one interpreter to say its version
ASK_VERSION = "import sys; print('%d.%d.%d' % sys.version_info[:3])"


async def find_python(version: str | None, env: Mapping[str, str]) -> Path:
    """An interpreter of `version` ("3.12" or "3.12.1"); None is the host's own, outside of any venv.

    Looks where uv looks and among pyenv's versions; one that does not run is passed over. Nothing is
    downloaded. Raises BuildError.
    """
    own = Path(getattr(sys, "_base_executable", sys.executable))
    if version is None:
        return own
    for candidate in [own, *_pyenv_pythons(version, env), *await _uv_pythons(version, env)]:
        if _fits(await _output([str(candidate), "-I", "-S", "-c", ASK_VERSION], env), version):
            return candidate
    raise BuildError(
        f"Python {version} is not installed here; install it, or change `python` in function.yaml or config"
    )


def _pyenv_pythons(version: str, env: Mapping[str, str]) -> list[Path]:
    """The newest first."""
    home = env.get("PYENV_ROOT") or str(Path(env.get("HOME", "/")) / ".pyenv")
    minor = ".".join(version.split(".")[:2])
    found = Path(home, "versions").glob(f"{minor}.*/bin/python{minor}")
    return sorted(found, key=lambda path: (len(path.parts[-3]), path), reverse=True)


async def _uv_pythons(version: str, env: Mapping[str, str]) -> list[Path]:
    command = [find_uv(), "python", "list", "--only-installed", "--no-python-downloads", version]
    lines = (await _output(command, env)).splitlines()
    return [Path(line.split(maxsplit=1)[1].split(" -> ")[0]) for line in lines if " " in line]


def _fits(found: str, version: str) -> bool:
    return found.strip().split(".")[: version.count(".") + 1] == version.split(".")


async def _output(command: list[str], env: Mapping[str, str]) -> str:
    """What `command` prints; nothing when it fails, cannot be started or takes too long."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=dict(env),
            cwd=os.sep,
        )
    except OSError:
        return ""
    try:
        async with asyncio.timeout(TIME_LIMIT):
            output, _ = await process.communicate()
    except TimeoutError:
        return ""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return output.decode(errors="replace") if process.returncode == 0 else ""
