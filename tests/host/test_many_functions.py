"""A thousand functions on one host: those that nobody calls cost no process, no folder and no time."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.manifest import read_manifest
from functions.registry import Registry
from tests.hosts import RunningHost

MANY = 1000
ECHO = "def index(event, context):\n    return event\n"


def fill(file: Path) -> None:
    """Rows as a thousand deploys leave them."""
    Registry(file).close()
    manifest = read_manifest("scale: {min: 0}\naccepts: text\n").model_dump_json()
    names = [f"f{number:04}" for number in range(MANY)]
    with sqlite3.connect(file) as database:
        database.executemany("INSERT INTO functions VALUES (?, 1, NULL)", [(name,) for name in names])
        revision = "INSERT INTO revisions VALUES (?, 1, 'ab12', '', ?, 'ready', NULL, 1.5)"
        database.executemany(revision, [(name, manifest) for name in names])
        database.executemany("INSERT INTO aliases VALUES (?, 'live', 1)", [(name,) for name in names])
    database.close()


@pytest.fixture(scope="module")
def crowded_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """A host with a thousand functions that nobody has called."""
    host = RunningHost(tmp_path_factory.mktemp("crowded"))
    host.state.mkdir()
    fill(host.state / "registry.db")
    host.start()
    yield host
    host.close()


def test_functions_that_nobody_calls_have_no_process_and_no_folder(crowded_host: RunningHost) -> None:
    shown = crowded_host.client.get(f"{crowded_host.url}/api/functions").json()["functions"]
    cold = [each for each in shown if each["name"].startswith("f")]
    assert [each["name"] for each in cold] == [f"f{number:04}" for number in range(MANY)]
    assert {(each["state"], each["revision"], each["accepts"]) for each in cold} == {("cold", 1, "text")}
    assert list((crowded_host.state / "output").glob("f*")) == []
    checks = crowded_host.client.get(f"{crowded_host.url}/readyz").json()["checks"]
    assert not [each for each in checks if each["name"].startswith("function f")]
    assert crowded_host.describe("f0007")["scale"]["min"] == 0


def test_a_cold_function_among_them_answers_under_each_of_its_names(crowded_host: RunningHost) -> None:
    manifest = "scale: {min: 0}\n"
    crowded_host.deploy({"index.py": ECHO, "function.yaml": manifest}, "real")
    assert crowded_host.stop() == 0
    crowded_host.start()
    assert crowded_host.describe("real")["state"] == "cold"
    assert len(crowded_host.processes()) == 1
    for target in ("real@1", "real@live", "real"):
        assert crowded_host.invoke(target, b'{"a":1}').json() == {"a": 1}
    for target in ("real@", "real@2", "real@01", "real@canary", "f1000"):
        assert crowded_host.invoke(target, b"{}").status_code == 404


def test_a_function_whose_files_are_gone_says_so_and_harms_no_other(crowded_host: RunningHost) -> None:
    answer = crowded_host.invoke("f0001", b"{}")
    assert answer.status_code == 503 and "interpreter" in answer.text
    assert crowded_host.client.get(f"{crowded_host.url}/readyz").status_code == 200
