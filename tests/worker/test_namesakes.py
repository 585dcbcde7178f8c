"""A package may have modules that are called like Python's own, and both are found."""

import pytest

from runtime.worker.standard import CLAIMED
from tests.hosts import Files, RunningHost
from tests.worker.deploying import answer, deploy

NAMES = (
    "asyncio",
    "datetime",
    "email",
    "inspect",
    "pathlib",
    "pickle",
    "ssl",
    "statistics",
    "tempfile",
    "traceback",
)
FILES: Files = {f"{name}.py": f"OURS = {name!r}\n" for name in NAMES}
IMPORTS = "".join(f"import {name} as plain_{name}\nfrom .{name} import OURS as {name}\n" for name in NAMES)
LOOK = f"""
def look():
    plain = [getattr(each, "OURS", 0) for each in ({", ".join(f"plain_{name}" for name in NAMES)})]
    return [plain, [{", ".join(NAMES)}]]
"""
# For each our own side imports something that is called like a module of the package.
ENTRIES = {
    "decorated": "import functools\nindex = functools.wraps(look)(lambda *_: look())\n",
    "coroutine": "async def index(event, context):\n    return look()\n",
    "hook": "async def start(context):\n    pass\ndef index(event, context):\n    return look()\n",
}


@pytest.mark.parametrize("kind", ENTRIES)
def test_a_package_runs_whatever_its_modules_are_called(shared_host: RunningHost, kind: str) -> None:
    deploy(shared_host, f"namesakes-{kind}", IMPORTS + LOOK + ENTRIES[kind], files=FILES)
    plain = ["statistics" if name == "statistics" else 0 for name in NAMES]
    assert answer(shared_host, f"namesakes-{kind}") == [plain, list(NAMES)]


def test_a_failure_of_such_a_package_is_told_as_any_other(shared_host: RunningHost) -> None:
    index = "def index(event, context):\n    return {1} if event else context.model()\n"
    files = {**FILES, "model.pkl": b"cut"}
    deploy(shared_host, "fails", index, files=files)
    assert "is of type set" in shared_host.invoke("fails", {"a": 1}).json()["errorMessage"]
    assert shared_host.invoke("fails", {}).json()["errorType"] == "UnpicklingError"


def test_what_these_modules_import_is_claimed_too(shared_host: RunningHost) -> None:
    index = f"""
import importlib, sys
before = set(sys.modules)
for name in {sorted(CLAIMED)}:
    if name in sys.stdlib_module_names:
        importlib.import_module(name)
import concurrent.futures.thread, email.utils, importlib.metadata, urllib.parse
loaded = sorted(name for name in set(sys.modules) - before if "." not in name and name[0] != "_")
def index(event, context):
    return loaded
"""
    deploy(shared_host, "claims", index)
    loaded = set(answer(shared_host, "claims"))
    assert "inspect" in loaded and not loaded - CLAIMED
