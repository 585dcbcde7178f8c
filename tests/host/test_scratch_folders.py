"""Folders of commands that were killed are removed by the next command, and those in use are not."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from host.private.folder import scratch_folder

PROGRAM = """
import sys
from host.private.folder import scratch_folder
with scratch_folder("fnhost-dev-") as folder:
    (folder / "token").write_text("secret")
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_command_left_is_removed_and_what_is_in_use_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    program = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={"TMPDIR": str(tmp_path)}
    ) as command:
        assert command.stdout is not None
        left = Path(command.stdout.readline().strip())
        with scratch_folder("fnhost-dev-") as own:
            assert left.parent == own.parent == tmp_path
            command.kill()
            command.wait()
            assert (left / "token").exists()
            with scratch_folder("fnhost-dev-"):
                assert own.exists() and not left.exists()
    assert not list(tmp_path.iterdir())
