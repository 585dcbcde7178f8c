"""`fnhost status`: whether a host runs, and how it is."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.running import DEADLINE, command, environment, fnhost
from tests.cli.stub_host import StubHost
from tests.hosts import StartHost, wait_until

STATUS = {
    "version": "0.1.0", "pid": 12, "user": "edge", "since": 0.0, "addresses": ["http://127.0.0.1:5888"],
    "config": None, "state": {"path": "/state", "used": None, "most": None}, "ready": False,
    "checks": [
        {"name": "delivery", "ok": False, "detail": "it is \x1b full", "required": True, "remedy": "free"},
        {"name": "host", "ok": True, "detail": "", "required": True, "remedy": ""},
    ],
    "functions": {"total": 3, "instances": 2, "states": {"ready": 2, "failing": 1}},
    "memory": {"used": 1048576, "budget": 2097152},
    "brokers": [{"broker": "b1", "connected": 1, "connections": 2}],
    "waiting": {"events": 1, "results": 2, "dead_letters": 3},
}  # fmt: skip


def test_a_host_that_is_not_ready_is_shown_with_what_to_do(stub: StubHost) -> None:
    stub.prepare("GET /api/status", STATUS)
    result = fnhost(stub.url, "status")
    assert result.exit_code == 6
    for line in (
        "fnhost 0.1.0 is not ready",
        "address:    http://127.0.0.1:5888",
        "state:      /state (its size is being measured)",
        "functions:  3 (1 failing, 2 ready), 2 instances",
        "memory:     1 MiB of 2 MiB",
        "brokers:    b1 (1 of 2 connections stand)",
        "waiting:    1 events, 2 results; 3 dead letters",
        "not ready: delivery: it is \\x1b full; free",
    ):
        assert line in result.stdout.splitlines()
    assert json.loads(fnhost(stub.url, "status", "-o", "json").stdout) == STATUS


def test_where_no_host_answers_it_says_how_to_start_one(
    nowhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {f"https://127.0.0.1:{port}": "t" for port in range(7000, 7005)}
    monkeypatch.setattr("host.neighbours.find_hosts", lambda env: found)
    result = fnhost(nowhere, "status")
    assert result.exit_code == 3
    assert "`fnhost serve`" in result.stderr
    told = [f"a host of yours listens: `fnhost status --url {each}`" for each in list(found)[:3]]
    assert result.stderr.splitlines()[-4:] == [*told, "and so do 2 more"]


def test_a_host_that_runs_is_told_with_its_real_address_and_found_by_its_state(
    start_host: StartHost, nowhere: str, tmp_path: Path
) -> None:
    config = "mqtts: [{name: b1, broker: 'tcp://127.0.0.1:1', status: s}]\n"
    home = {"XDG_RUNTIME_DIR": "", "HOME": str(tmp_path)}
    host = start_host(config, home)
    assert host.deploy({"index.py": "def index(event, context):\n    return 1\n"}, "f")["type"] == "done"

    def asked() -> dict[str, object]:
        told: dict[str, object] = host.client.get(f"{host.url}/api/status").json()
        return told

    told = asked()
    assert (told["ready"], told["pid"], told["addresses"]) == (True, host.process.pid, [host.url])
    assert told["config"] == str(host.folder / "config.yaml")
    assert told["functions"]["total"] == 1  # type: ignore[index]
    wait_until(lambda: asked()["state"]["used"], "the state folder is measured")  # type: ignore[index]
    failing = [check for check in told["checks"] if not check["ok"]]  # type: ignore[attr-defined]
    assert all(check["remedy"] for check in failing)
    env = environment(**home, FNHOST_STATE=str(host.state))
    done = subprocess.run(
        command("status", "--url", nowhere),
        env=env,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 3
    assert f"the host that uses {host.state} listens on {host.url}" in done.stderr
