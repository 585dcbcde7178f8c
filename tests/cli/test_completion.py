"""`fnhost completion`: shells complete verbs, options and the names of functions."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import DEADLINE, environment, fnhost
from tests.cli.stub_host import StubHost

ASK = """
COMP_WORDS=({words}); COMP_CWORD={last}
_fnhost_completion fnhost
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH with a program that is called `fnhost`."""
    program = tmp_path / "fnhost"
    program.write_text(f"#!{sys.executable}\nfrom host.cli import main\nmain()\n")
    program.chmod(0o755)
    return f"{tmp_path}:/usr/bin:/bin"


def completed(words: str, **variables: str) -> list[str]:
    """What bash offers for the last of these words, as it does for a person who presses Tab."""
    ask = ASK.format(words=words, last=len(words.split()) - 1)
    script = fnhost("", "completion", "bash").stdout + ask
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes_verbs_options_and_functions(path: str, stub: StubHost) -> None:
    assert completed("fnhost des", PATH=path) == ["describe"]
    assert completed("fnhost logs --si", PATH=path) == ["--since"]
    functions = [{"name": name, "state": "ready"} for name in ("industry", "indigo", "trend")]
    stub.prepare("GET /api/functions", {"functions": functions})
    assert completed("fnhost logs ind", PATH=path, FNHOST_URL=stub.url) == ["industry", "indigo"]
    assert completed("fnhost logs --url http://127.0.0.1:1 ind", PATH=path, FNHOST_URL=stub.url) == []


def test_no_host_and_what_is_none_complete_nothing_and_say_nothing(
    path: str, stub: StubHost, nowhere: str
) -> None:
    stub.prepare("GET /api/functions", ["no object"])
    assert completed("fnhost why ind", PATH=path, FNHOST_URL=nowhere) == []
    assert completed("fnhost why ind", PATH=path, FNHOST_URL=stub.url) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_first_line_says_how_to_install_it(shell: str) -> None:
    first, *rest = fnhost("", "completion", shell).stdout.splitlines()
    assert first.startswith("# ") and f"fnhost completion {shell}" in first
    assert any("_FNHOST_COMPLETE=" in line for line in rest)
