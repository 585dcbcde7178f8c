"""How the tests run `fnhost`: inside this process, as a process, and on a terminal."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from click.testing import CliRunner, Result

import host
from host.cli import main

ROOT = Path(host.__file__).parent.parent
DEADLINE = 90.0  # seconds


def fnhost(url: str, *words: str, stdin: bytes = b"") -> Result:
    """Runs the command inside this process; nothing but a clean exit may come out of it."""
    result = CliRunner().invoke(main, words, input=stdin, env={"FNHOST_URL": url, "FNHOST_DEBUG": "1"})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def command(*words: str) -> list[str]:
    """The command line of a process that is `fnhost`."""
    return [sys.executable, "-m", "host.cli", *words]


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without what would change the outcome, and with `variables`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FNHOST_", "NO_COLOR"))}
    return {**kept, "PYTHONPATH": str(ROOT), "TERM": "xterm", **variables}


def on_terminal(words: Sequence[str], env: dict[str, str], typed: bytes = b"") -> tuple[int, str]:
    """Runs the command with a terminal on all three streams: exit code and what was to be seen."""
    master, slave = pty.openpty()
    process = subprocess.Popen(command(*words), stdin=slave, stdout=slave, stderr=slave, env=env)
    os.close(slave)
    os.write(master, typed)
    try:
        seen = _read_all(master)
        return process.wait(DEADLINE), seen
    finally:
        process.kill()
        process.wait()
        os.close(master)


def read_until(terminal: int, text: str) -> str:
    """What is to be seen on a terminal until `text` is, and with it."""
    seen, end = "", time.monotonic() + DEADLINE
    while text not in seen:
        left = end - time.monotonic()
        assert left > 0 and select.select([terminal], [], [], left)[0], (
            f"{text!r} is not to be seen: {seen!r}"
        )
        seen += os.read(terminal, 65_536).decode(errors="replace")
    return seen


def _read_all(master: int) -> str:
    """Everything until the other side is closed, which reading reports as an input/output error."""
    seen, end = b"", time.monotonic() + DEADLINE
    while (left := end - time.monotonic()) > 0:
        if not select.select([master], [], [], left)[0]:
            break
        try:
            seen += os.read(master, 65_536)
        except OSError:
            break
    return seen.decode()
