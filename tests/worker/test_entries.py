"""Callables in the user's own folders run as functions, with as many arguments as they take."""

from functools import partial
from pathlib import Path

import pytest

from tests.hosts import RunningHost, StartHost, wait_until
from tests.worker.deploying import answer, deploy, refusal

TELEMETRY = """
from .limits import LOWEST
import shared
def telm_temperature(payload):
    return {"temperature": LOWEST + 1, "payload": payload}
def constant():
    return shared.NAME
def handler(event, context):
    return [event, context.function_name]
async def slow(event):
    return event.upper()
"""
FILES = {
    "code/industry/telemetry.py": TELEMETRY,
    "code/industry/limits.py": "LOWEST = 40\n",
    "more/shared.py": "NAME = '共享'\n",
    "more/broken.py": "\n\nimport absent_module\n",
    "more/wrong.py": "def f(:\n",
}
CONFIG = "funcs:\n" + "".join(
    f"- {{modelName: {name}, entry: {entry}, pythonPath: [../code, ../more]}}\n"
    for name, entry in {
        "temperature": "industry.telemetry.telm_temperature",
        "constant": "industry.telemetry.constant",
        "both": "industry.telemetry.handler",
        "slow": "industry.telemetry.slow",
        "broken": "broken.f",
        "wrong": "wrong.f",
        "nameless": "industry.telemetry.nothing",
        "nowhere": "industry.elsewhere.f",
    }.items()
)


def write_files(folder: Path) -> None:
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def error_of(host: RunningHost, name: str) -> str:
    functions = host.client.get(f"{host.url}/api/functions").json()["functions"]
    found: dict[str, str] = next((each for each in functions if each["name"] == name), {})
    reason = found.get("last_error") or ""
    return "" if reason.startswith("it is being") else reason


def result(host: RunningHost, name: str, body: str) -> object:
    wait_until(lambda: host.invoke(name, body).status_code == 200, f"{name} answers: {host.log()}")
    return host.invoke(name, body).json()


def test_callables_of_a_python_path_are_functions_and_those_that_fail_say_where(
    start_host: StartHost, tmp_path: Path
) -> None:
    write_files(tmp_path)
    host = start_host(CONFIG)
    text = '{"type":"Pickup truck", "n": 1.0}\r\n\n'
    assert result(host, "temperature", text) == {"temperature": 41, "payload": text}
    assert result(host, "constant", "no JSON") == "共享"
    assert result(host, "both", "温度\n") == ["温度\n", "both"]
    assert result(host, "slow", "abc") == "ABC"
    more = tmp_path / "more"
    for name, reason in {
        "broken": f"{more}/broken.py:3: ModuleNotFoundError: No module named 'absent_module'",
        "wrong": f"{more}/wrong.py:1: SyntaxError: ",
        "nameless": "telemetry.py has no function `nothing`; it defines constant, handler, slow",
        "nowhere": "there is no industry/elsewhere.py in the package, ",
    }.items():
        told = wait_until(partial(error_of, host, name), f"the list says why {name} is not there")
        assert reason in told
        assert f"{name}: {told}" in host.log()
    host.stop()
    (tmp_path / "code/industry/limits.py").write_text("LOWEST = 50\n")
    host.start()
    assert result(host, "temperature", "x") == {"temperature": 51, "payload": "x"}
    assert host.describe("temperature")["aliases"] == {"live": 1}


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("none", "def index():\n    return 0\n", 0),
        ("one", "def index(event):\n    return event\n", {"n": 1}),
        ("keyword", "def index(event, *, unit='C'):\n    return unit\n", "C"),
        ("two", "def index(event, context=None):\n    return context is None\n", False),
        ("many", "def index(*given):\n    return len(given)\n", 2),
        ("three", "def index(event, context, unit='C'):\n    return unit\n", "C"),
        ("object", "class Model:\n    def __call__(self, event):\n        return 5\nindex = Model()\n", 5),
        ("bound", "class Model:\n    def run(self, event):\n        return 6\nindex = Model().run\n", 6),
        ("builtin", "index = len\n", 1),
        (
            "wrapped",
            "import functools\ndef f(event):\n    return 7\n"
            "@functools.wraps(f)\ndef index(*given):\n    return f(*given)\n",
            7,
        ),
        (
            "narrowed",
            "import functools\ndef f(event):\n    return 8\n"
            "@functools.wraps(f)\ndef index(event, context):\n    return f(event)\n",
            8,
        ),
        ("coroutine", "async def index():\n    return 9\n", 9),
    ],
)
def test_an_entry_point_is_called_with_what_it_takes(
    shared_host: RunningHost, name: str, code: str, expected: object
) -> None:
    deploy(shared_host, name, code)
    assert answer(shared_host, name, {"n": 1}) == expected


@pytest.mark.parametrize("parameters", ["a, b, c", "event, *, unit"])
def test_an_entry_point_that_needs_more_than_event_and_context_is_refused(
    shared_host: RunningHost, parameters: str
) -> None:
    told = refusal(shared_host, "needy", f"\ndef index({parameters}):\n    return 1\n")
    why = "index.py:2: the entry point cannot be called with (event, context): it is defined with"
    assert told == f"{why} ({parameters})"


def test_a_package_may_name_folders_of_the_host_and_finds_its_own_modules_first(
    start_host: StartHost, tmp_path: Path
) -> None:
    host = start_host(f"funcs: [{{modelName: first, reads: [{tmp_path}]}}]")
    (tmp_path / "helper.py").write_text("NAME = 'theirs'\n")
    (tmp_path / "other.py").write_text("NAME = 'other'\n")
    index = "import helper, other\ndef index(event, context):\n    return [helper.NAME, other.NAME]\n"
    deploy(host, "first", index, f"python_path: [{tmp_path}]\n", {"helper.py": "NAME = 'own'\n"})
    assert answer(host, "first") == ["own", "other"]
    told = host.deploy({"index.py": index, "function.yaml": "python_path: [code]\n"}, "relative")
    assert "'code' is not a folder of the host; write its whole path, from / on" in told["detail"]
