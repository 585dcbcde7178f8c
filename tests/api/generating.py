"""Has schemathesis make requests to a real host from its own document, and reads what it found."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.delivery.burying import LETTER, leave_letters
from tests.hosts import RunningHost

SETTINGS = Path(__file__).parent / "schemathesis.toml"
ECHO = {"index.py": "def index(event, context):\n    return event\n", "function.yaml": "accepts: bytes\n"}
NEIGHBOUR, TARGET = "neighbour", "industry"
CONFIG = "access: {invoke: token}\nfuncs: [{modelName: industry, retry: {attempts: 1}}]\n"
CASES = re.compile(r"(\d+) generated")


@dataclass(frozen=True)
class Amount:
    """How much is tried: `phases` as schemathesis names them, examples for each operation, a seed."""

    phases: str
    examples: int
    seed: int


@dataclass(frozen=True)
class Findings:
    """How many requests were made, and what schemathesis says of those that failed; empty: of none."""

    cases: int
    failures: str


@contextmanager
def exposed_host(folder: Path) -> Iterator[RunningHost]:
    """A host with a function for requests to do what they like with, a neighbour, and some dead letters."""
    host = RunningHost(folder, CONFIG)
    leave_letters(host.state, *(replace(LETTER, function=TARGET) for _ in range(200)))
    host.start()
    try:
        for name in (NEIGHBOUR, TARGET):
            done = host.deploy(ECHO, name)
            assert done["type"] == "done", done
        yield host
    finally:
        host.close()


def generate(host: RunningHost, amount: Amount) -> Findings:
    """Drive the host for a while; raises AssertionError for a run that could not be."""
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(SETTINGS), "run"]
    command += [f"{host.url}/api/openapi.json", "--phases", amount.phases, "--seed", str(amount.seed)]
    command += ["--max-examples", str(amount.examples), "--no-color"]
    command += ["--header", f"Authorization:Bearer {host.local_token()}"]
    done = subprocess.run(command, cwd=host.folder, capture_output=True, text=True, check=False)
    found = CASES.search(done.stdout)
    assert found is not None, done.stdout + done.stderr
    return Findings(int(found[1]), "" if done.returncode == 0 else done.stdout)


def is_unharmed(host: RunningHost) -> bool:
    """Whether the neighbour answers, in the first life of its only revision."""
    token = {"authorization": f"Bearer {host.local_token()}"}
    answer = host.invoke(NEIGHBOUR, json.dumps({"t": 1}), headers=token)
    shown = host.describe(NEIGHBOUR)
    return answer.content == b'{"t": 1}' and shown["counters"]["failed"] == 0 and shown["revision"] == 1
