"""Packages keep their own modules, versions, files and threads, whatever the host has."""

from pathlib import Path

import cloudpickle
import pytest

from tests.functions.wheelhouse import digest_of, make_wheel
from tests.hosts import RunningHost, wait_until
from tests.worker.deploying import answer, deploy, refusal, wait_for_line

OUR_NAMES = ("conf", "host", "functions", "triggers", "frames", "control", "box", "setup", "logs", "payload")


def test_a_package_with_modules_named_like_the_hosts_gets_its_own(shared_host: RunningHost) -> None:
    index = f"""
import importlib
modules = {{name: importlib.import_module(name) for name in {OUR_NAMES!r} + ("runtime", "runtime.worker")}}
def index(event, context):
    import runtime.worker.arbiter, tests
    return [module.__file__.startswith(context.package_dir) for module in (*modules.values(), tests)]
"""
    files = {
        f"{name}.py": "" for name in (*OUR_NAMES, "tests", "runtime/__init__", "runtime/worker/__init__")
    }
    deploy(shared_host, "names", index, files={**files, "runtime/worker/arbiter.py": ""})
    assert answer(shared_host, "names") == [True] * (len(OUR_NAMES) + 3)


def test_a_package_does_not_see_the_hosts_own_modules_and_dependencies(shared_host: RunningHost) -> None:
    index = """
import importlib.util
def index(event, context):
    names = ("host", "conf", "runtime", "functions", "triggers", "gunicorn", "starlette", "pydantic")
    return [name for name in names if importlib.util.find_spec(name)]
"""
    deploy(shared_host, "alone", index)
    assert answer(shared_host, "alone") == []
    detail = refusal(shared_host, "unarmed", "import gunicorn\ndef index(event, context):\n    return 1\n")
    assert detail == "index.py:1: ModuleNotFoundError: No module named 'gunicorn'"


def test_a_package_gets_its_own_versions_of_what_the_host_uses_too(
    shared_host: RunningHost, tmp_path: Path
) -> None:
    names = ("gunicorn", "cloudpickle", "starlette", "pydantic", "uvloop")
    index = f"""
import asyncio, importlib
versions = [importlib.import_module(name).version for name in {names!r}]
async def start(context):
    await asyncio.sleep(0)
async def index(event, context):
    return versions
"""
    wheels = {f"wheels/{make_wheel(tmp_path, name, '0.0.7').name}": b"" for name in names}
    files: dict[str, str | bytes] = {name: (tmp_path / Path(name).name).read_bytes() for name in wheels}
    files["requirements.txt"] = "".join(f"{name}==0.0.7\n" for name in names)
    deploy(shared_host, "versions", index, "concurrency: 2\n", files)
    assert answer(shared_host, "versions") == ["0.0.7"] * len(names)


def test_pickles_of_cloudpickle_load_in_a_package_that_does_not_require_it(shared_host: RunningHost) -> None:
    factor = 21
    index = """
import pickle
from pathlib import Path
double = pickle.loads(Path("double.bin").read_bytes())
def index(event, context):
    return double(2)
"""
    deploy(shared_host, "pickled", index, files={"double.bin": cloudpickle.dumps(lambda x: x * factor)})
    assert answer(shared_host, "pickled") == 42


def test_byte_code_of_the_whole_package_is_written_when_it_is_deployed(shared_host: RunningHost) -> None:
    index = """
import os
compiled = {name.partition(".")[0] for name in os.listdir("__pycache__")}
def index(event, context):
    return sorted(compiled)
"""
    deploy(shared_host, "compiled", index, files={"later.py": "raise SystemExit('never imported')"})
    assert answer(shared_host, "compiled") == ["index", "later"]


def test_byte_code_of_a_wheel_is_compiled_for_the_first_package_that_imports_it_only(
    shared_host: RunningHost, tmp_path: Path
) -> None:
    index = """
import keptwheel
def index(event, context):
    try:
        return open(keptwheel.__cached__, "rb").read()[4]
    except FileNotFoundError:
        return "none"
"""
    wheel = make_wheel(tmp_path, "keptwheel", "7.0.1")
    files: dict[str, str | bytes] = {f"wheels/{wheel.name}": wheel.read_bytes()}
    files["requirements.txt"] = "keptwheel"
    deploy(shared_host, "compiles", index, files=files)
    store, name = shared_host.state / "byte-code", digest_of(b"version = '7.0.1'\n")
    wait_until(lambda: list(store.glob(f"python*/{name}")), "its byte code is kept")
    wait_until(lambda: answer(shared_host, "compiles") == 1, "it has it, too")
    deploy(shared_host, "compiled-before", index, files=files)
    assert answer(shared_host, "compiled-before") == 1


def test_data_files_are_opened_by_relative_path_and_as_utf_8(shared_host: RunningHost) -> None:
    index = """
names = open("数据/names.txt").read()
def index(event, context):
    return [names, open("数据/names.txt").read(), __file__.rpartition("/")[2], __name__]
"""
    deploy(shared_host, "data", index, files={"数据/names.txt": "温度"})
    assert answer(shared_host, "data") == ["温度", "温度", "index.py", "index"]


@pytest.mark.parametrize(
    ("name", "code", "why"),
    [
        (
            "threaded",
            "import threading\n"
            "held = threading.Event()\n"
            "thread = threading.Thread(target=held.wait, daemon=True)\n"
            "thread.start()\n"
            "def alive():\n    return thread.is_alive()\n",
            "loading it started 1 thread",
        ),
        (
            "connected",
            "import os, socket\n"
            "pair, maker = socket.socketpair(), os.getpid()\n"
            "def alive():\n    return maker == os.getpid()\n",
            "loading it opened 2 sockets",
        ),
    ],
)
def test_a_package_that_cannot_be_forked_is_loaded_per_instance_and_the_log_says_why(
    shared_host: RunningHost, name: str, code: str, why: str
) -> None:
    index = f"{code}\ndef index(event, context):\n    return alive()\n"
    deploy(shared_host, name, index)
    line = wait_for_line(shared_host, name, lambda line: why in line["line"])
    assert line["line"] == f"not preloaded but loaded per instance: {why}"
    assert answer(shared_host, name) is True


PROCESS = """
import os
loaded_in = os.getpid()
def index(event, context):
    return [loaded_in == os.getpid(), os.environ["OMP_NUM_THREADS"], os.environ["OPENBLAS_NUM_THREADS"]]
"""


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ("", [False, "1", "1"]),
        ("threads: 3\n", [True, "3", "3"]),
        ("preload: false\n", [True, "1", "1"]),
        ("env: {OPENBLAS_NUM_THREADS: 2}\n", [False, "1", "2"]),
    ],
)
def test_numeric_libraries_have_as_many_threads_as_the_manifest_says(
    shared_host: RunningHost, manifest: str, told: list[object]
) -> None:
    deploy(shared_host, "process", PROCESS, manifest)
    assert answer(shared_host, "process") == told
