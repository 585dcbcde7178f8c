"""Functions in subinterpreters, deployed to a real host."""

import json
import os
from pathlib import Path

import pytest

from tests.hosts import RunningHost, StartHost, wait_until
from tests.newer_python import VERSION, find_newer

INDEX = """
import os
from pathlib import Path

def index(event, context):
    print("seen by", context.function_name)
    Path(context.output_dir, "mark").write_text(context.function_name)
    return {"pid": os.getpid(), "version": context.function_version, "other": sorted(event)}
"""
MANIFEST = f'isolation: subinterpreter\npython: "{VERSION}"\n'


@pytest.fixture(scope="module", autouse=True)
def python() -> Path:
    """One that has subinterpreters, or no test here."""
    return find_newer()


def package(index: str = INDEX, manifest: str = MANIFEST) -> dict[str, str]:
    return {"index.py": index, "function.yaml": manifest}


def ask(host: RunningHost, name: str) -> dict[str, object]:
    answer = host.invoke(name, {})
    assert answer.status_code == 200, answer.text
    told: dict[str, object] = json.loads(answer.text)
    return told


def test_functions_are_deployed_into_one_process_replaced_and_removed_there(start_host: StartHost) -> None:
    host = start_host()
    for name in ("one", "two"):
        assert host.deploy(package(), name)["type"] == "done"
    first = ask(host, "one")
    assert ask(host, "two")["pid"] == first["pid"]
    assert host.deploy(package(INDEX + "\n"), "one")["revision"] == 2
    assert (ask(host, "one")["version"], ask(host, "one")["pid"]) == ("2", first["pid"])
    assert host.client.delete(f"{host.url}/api/functions/one").is_success
    assert ask(host, "two")["pid"] == first["pid"]
    wait_until(lambda: host.logs("two"), "its log has come")
    assert {(line["line"], line["revision"]) for line in host.logs("two")} == {("seen by two", "two@1")}
    ours = {each.pid for each in host.processes()}
    assert first["pid"] in ours and len(ours) == 3, "the host, an arbiter, and the one process"
    assert host.stop() == 0
    assert not any(os.path.exists(f"/proc/{pid}") for pid in ours - {host.process.pid})


def test_a_host_that_is_killed_leaves_no_subinterpreter_behind(start_host: StartHost) -> None:
    host = start_host()
    host.deploy(package(), "one")
    pid = ask(host, "one")["pid"]
    host.kill()
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "the shared process has ended")


def test_what_cannot_be_isolated_so_is_refused_at_deploy(shared_host: RunningHost) -> None:
    told = shared_host.deploy(package(manifest='isolation: subinterpreter\npython: "3.12"\n'), "old")
    assert "needs Python 3.13 or newer" in told["detail"] and told["status"] == 422
    told = shared_host.deploy(package("import faulthandler\n" + INDEX), "native")
    assert "faulthandler is an extension module" in told["detail"], told
    assert "`isolation: process`" in told["detail"]
