"""`init` runs where the package is loaded, `start` and `shutdown` once per instance; coroutines likewise."""

import os
import signal

import pytest

from tests.hosts import RunningHost, wait_until
from tests.worker.deploying import answer, deploy, instance, refusal, wait_for_line

NOTING = """
import os, pathlib
def note(what):
    with open(os.path.join(os.environ["HOME"], "notes"), "a") as file:
        print(what, os.getpid(), file=file)
"""
PLAIN = """
from noting import note
def init(context):
    note("init")
def start(context):
    note("start")
    context.user_data.state = [context.function_name]
def shutdown(context):
    note("shutdown")
    print("last words")
def index(event, context):
    return context.user_data.state
"""
COROUTINES = PLAIN.replace("def ", "async def ")


def notes(host: RunningHost, name: str) -> list[tuple[str, int]]:
    """What the hooks of a function noted, and in which process."""
    file = host.state / "output" / name / "notes"
    lines = file.read_text().splitlines() if file.exists() else []
    return [(line.split()[0], int(line.split()[1])) for line in lines]


def scale(host: RunningHost, name: str, instances: int) -> None:
    response = host.client.post(f"{host.url}/api/functions/{name}/scale", json={"instances": instances})
    assert response.status_code == 200, response.text
    wait_until(lambda: host.describe(name)["instances"] == instances, f"{instances} instances")


@pytest.mark.parametrize(("name", "index"), [("plain", PLAIN), ("coroutines", COROUTINES)])
def test_each_hook_runs_once_where_it_belongs(shared_host: RunningHost, name: str, index: str) -> None:
    files = {"noting.py": NOTING}
    deploy(shared_host, name, index, files=files)
    scale(shared_host, name, 2)
    wait_until(lambda: len(notes(shared_host, name)) == 3, "two instances have started")
    (init, zygote), *starts = notes(shared_host, name)
    assert init == "init"
    assert [what for what, _ in starts] == ["start", "start"]
    assert len({zygote, *(pid for _, pid in starts)}) == 3
    assert answer(shared_host, name) == [name]
    scale(shared_host, name, 1)
    wait_until(lambda: len(notes(shared_host, name)) == 4, "the instance that is too many has shut down")
    deploy(shared_host, name, index + "\n# changed\n", files=files)
    wait_until(
        lambda: [what for what, _ in notes(shared_host, name)].count("shutdown") == 2, "the old pool ends"
    )
    noted = notes(shared_host, name)
    assert {pid for what, pid in noted if what == "shutdown"} == {pid for _, pid in starts}
    wait_for_line(shared_host, name, lambda line: bool(line["line"] == "last words"))


def test_shutdown_runs_when_the_host_stops_an_instance_by_a_signal(shared_host: RunningHost) -> None:
    deploy(shared_host, "signalled", PLAIN, files={"noting.py": NOTING})
    pid = instance(shared_host, "signalled")
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: ("shutdown", pid) in notes(shared_host, "signalled"), "it shuts down")
    wait_until(lambda: instance(shared_host, "signalled") not in (0, pid), "another takes its place")
    assert answer(shared_host, "signalled") == ["signalled"]


@pytest.mark.parametrize("preload", ["true", "false"])
@pytest.mark.parametrize("hook", ["init", "start"])
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_hook_that_raises_fails_the_deploy_with_its_line(
    shared_host: RunningHost, preload: str, hook: str, kind: str
) -> None:
    index = (
        f"{kind} {hook}(context):\n    raise ValueError('no sensor')\n{kind} index(event, context):\n    0\n"
    )
    detail = refusal(shared_host, "raising", index, f"preload: {preload}\n")
    assert detail == "index.py:2: ValueError: no sensor"


@pytest.mark.parametrize("preload", ["true", "false"])
def test_a_package_that_exits_while_it_is_loaded_fails_the_deploy_and_says_why(
    shared_host: RunningHost, preload: str
) -> None:
    index = "import sys\nsys.exit('no licence')\ndef index(event, context):\n    pass\n"
    detail = refusal(shared_host, "exiting", index, f"preload: {preload}\n")
    assert detail == "index.py:2: SystemExit: no licence"


def test_a_shutdown_that_raises_is_told_in_the_log(shared_host: RunningHost) -> None:
    index = (
        "def shutdown(context):\n    raise ValueError('too late')\ndef index(event, context):\n    return 1\n"
    )
    deploy(shared_host, "untidy", index, "scale: {min: 0, max: 1}\n")
    scale(shared_host, "untidy", 0)
    wait_for_line(shared_host, "untidy", lambda line: line["line"] == "ValueError: too late")
    wait_for_line(shared_host, "untidy", lambda line: "index.py" in line["line"])


def test_entry_points_may_be_named_or_be_called_handler_or_be_objects(shared_host: RunningHost) -> None:
    deploy(shared_host, "old", "def handler(event, context):\n    return 'old'\n")
    assert answer(shared_host, "old") == "old"
    model = (
        "class Model:\n    def __call__(self, event, context):\n        return 'object'\npredict = Model()\n"
    )
    files = {"science/__init__.py": "", "science/model.py": model}
    deploy(shared_host, "named", "", "handler: science.model:predict\n", files)
    assert answer(shared_host, "named") == "object"
    detail = refusal(shared_host, "unnamed", "def predict(event, context):\n    pass\n")
    assert detail.startswith("index.py has no function `index` or `handler`; it defines predict")
