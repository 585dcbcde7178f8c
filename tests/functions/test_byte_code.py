"""Byte code is written without running anything, and its absence is no failure."""

import asyncio
import sys
from pathlib import Path

import psutil
import pytest

from functions.byte_code import write_byte_code
from tests.hosts import wait_until


def test_what_compiles_gets_byte_code_and_nothing_of_it_is_run(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    (tmp_path / "inner").mkdir()
    (tmp_path / "index.py").write_text(f"open({str(marker)!r}, 'w')\n")
    (tmp_path / "inner" / "sitecustomize.py").write_text(f"open({str(marker)!r}, 'w')\n")
    (tmp_path / "broken.py").write_text("def index(:\n")
    (tmp_path / "deep.py").write_text("(" * 5000 + ")" * 5000)
    asyncio.run(write_byte_code(Path(sys.executable), [tmp_path, tmp_path / "nowhere"]))
    tag = sys.implementation.cache_tag
    assert sorted(path.name for path in tmp_path.rglob("*.pyc")) == [
        f"index.{tag}.pyc",
        f"sitecustomize.{tag}.pyc",
    ]
    assert not marker.exists()


def test_an_interpreter_that_does_not_run_is_left_for_the_start_to_tell(tmp_path: Path) -> None:
    asyncio.run(write_byte_code(tmp_path / "python", [tmp_path]))


def test_a_compiler_is_killed_when_the_deploy_is_cut_off(tmp_path: Path) -> None:
    marker, python = tmp_path / "pid", tmp_path / "python"
    tell = f"echo $$ > {marker}.new\n/bin/mv {marker}.new {marker}\n"
    python.write_text(f"#!/bin/sh\n{tell}exec /bin/sleep 100\n")
    python.chmod(0o755)

    async def scene() -> None:
        compiling = asyncio.ensure_future(write_byte_code(python, [tmp_path]))
        await asyncio.to_thread(wait_until, marker.exists, "the compiler runs")
        compiling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await compiling

    asyncio.run(scene())
    assert not psutil.pid_exists(int(marker.read_text()))
