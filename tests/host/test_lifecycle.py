"""The host's own life: starting, stopping, being killed, coming back, and parts from elsewhere."""

import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil

from tests.hosts import ROOT, RunningHost, StartHost, wait_until, zip_of

ECHO = "def index(event, context):\n    return event\n"
PARENT = """
import subprocess, sys
child = None
def start(context):
    global child
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
def index(event, context):
    return child.pid
"""


def test_nothing_of_a_killed_host_is_left_and_the_next_start_has_all_functions(
    start_host: StartHost,
) -> None:
    host = start_host()
    assert (
        host.deploy({"index.py": ECHO, "function.yaml": "scale: {min: 2, max: 4}\n"}, "one")["revision"] == 1
    )
    host.deploy({"index.py": "def index(event, context):\n    return 1\n"}, "two")
    host.deploy({"index.py": "def index(event, context):\n    return 2\n"}, "two")
    host.client.post(f"{host.url}/api/functions/one/scale", json={"instances": 3})
    wait_until(lambda: host.describe("one")["instances"] == 3, "three instances")
    assert len(host.processes()) >= 7
    host.kill()
    wait_until(lambda: not host.processes(), "no process is left")
    host.start()
    assert host.invoke("one", {"t": 1}).json() == {"t": 1}
    assert host.invoke("two", b"{}").json() == 2
    wait_until(lambda: host.describe("one")["instances"] == 3, "as many instances as before")


def test_a_functions_own_child_that_outlived_a_killed_host_is_killed_at_the_next_start(
    start_host: StartHost,
) -> None:
    host = start_host()
    host.deploy({"index.py": PARENT, "function.yaml": "processes: 1"}, "parent")
    child = psutil.Process(host.invoke("parent", b"{}").json())
    host.kill()
    host.start()
    wait_until(lambda: not _runs(child), "the child is gone")
    assert "left behind" in host.log()


def test_a_functions_own_child_ends_with_its_pool(start_host: StartHost) -> None:
    host = start_host()
    host.deploy({"index.py": PARENT, "function.yaml": "processes: 1"}, "parent")
    child = psutil.Process(host.invoke("parent", b"{}").json())
    host.client.delete(f"{host.url}/api/functions/parent")
    wait_until(lambda: not _runs(child), "the child is gone")


def _runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_sigterm_answers_what_runs_and_what_waits_and_then_ends_with_0(start_host: StartHost) -> None:
    host = start_host()
    held = (
        "import os, time\ndef index(event, context):\n"
        "    while not os.path.exists(os.path.join(context.output_dir, 'go')):\n        time.sleep(0.01)\n"
        "    return 1\n"
    )
    host.deploy({"index.py": held, "function.yaml": "scale: {max: 1}\n"}, "held")
    with ThreadPoolExecutor(3) as threads:
        callers = [threads.submit(host.invoke, "held", b"{}") for _ in range(3)]
        wait_until(lambda: host.describe("held")["queued"] == 2, "one runs and two wait")
        host.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "the running ones finish" in host.log(), "the host stops")
        (host.state / "output" / "held" / "go").touch()
        assert [caller.result().status_code for caller in callers] == [200, 200, 200]
    assert host.process.wait(60) == 0
    assert not host.processes()


def test_neither_a_deploy_nor_a_reader_of_logs_keeps_the_host_from_stopping(start_host: StartHost) -> None:
    host = start_host()
    host.deploy({"index.py": ECHO}, "one")
    told: list[object] = []
    slow = zip_of({"index.py": f"import time\ntime.sleep(60)\n{ECHO}"})
    deploy = threading.Thread(target=lambda: told.append(host.deploy_zip(slow, "slow")[-1]))
    reader = threading.Thread(target=lambda: told.append(_follow(host)))
    deploy.start()
    reader.start()
    wait_until(lambda: any(_is_slow(each) for each in host.processes()), "the deploy is under way")
    host.process.send_signal(signal.SIGTERM)
    assert host.process.wait(60) == 0
    deploy.join(60)
    reader.join(60)
    assert len(told) == 2


def _follow(host: RunningHost) -> int:
    url = f"{host.url}/api/functions/one/logs"
    return host.client.get(url, params={"follow": "1"}).status_code


def _is_slow(process: psutil.Process) -> bool:
    try:
        return process.environ().get("FNHOST_FUNCTION") == "slow"
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def test_a_second_signal_ends_the_host_at_once_and_leaves_nothing(start_host: StartHost) -> None:
    host = start_host()
    slow = "import time\ndef index(event, context):\n    time.sleep(100)\n    return 1\n"
    host.deploy({"index.py": slow, "function.yaml": "timeout: 200s\n"}, "slow")
    caller = threading.Thread(target=lambda: _invoke_quietly(host))
    caller.start()
    wait_until(lambda: host.describe("slow")["in_flight"] == 1, "it runs")
    host.process.send_signal(signal.SIGINT)
    wait_until(lambda: "stopping" in host.log(), "it is stopping")
    host.process.send_signal(signal.SIGINT)
    assert host.process.wait(60) == 130
    wait_until(lambda: not host.processes(), "no process is left")
    caller.join(60)


def _invoke_quietly(host: RunningHost) -> None:
    try:
        host.invoke("slow", b"{}")
    except httpx.HTTPError:
        return


def test_an_arbiter_that_is_killed_is_replaced_with_its_instances(start_host: StartHost) -> None:
    host = start_host()
    host.deploy({"index.py": ECHO}, "one")
    (arbiter,) = (each for each in host.processes() if each.ppid() == host.process.pid)
    arbiter.kill()
    wait_until(lambda: not _runs(arbiter), "it is dead")
    assert host.invoke("one", {"t": 1}).json() == {"t": 1}


def test_an_arbiter_that_hangs_does_not_keep_the_host_from_stopping(start_host: StartHost) -> None:
    host = start_host()
    host.deploy({"index.py": ECHO}, "one")
    (arbiter,) = (each for each in host.processes() if each.ppid() == host.process.pid)
    arbiter.suspend()
    assert host.stop() == 0
    assert not host.processes()


def test_a_function_that_exits_while_it_starts_again_does_not_busy_the_host(start_host: StartHost) -> None:
    host = start_host()
    flag = host.folder / "flag"
    index = (
        "import os, pathlib\n"
        f"def start(context):\n    if pathlib.Path({str(flag)!r}).exists():\n        os._exit(3)\n" + ECHO
    )
    host.deploy({"index.py": index}, "loop")
    flag.touch()
    psutil.Process(host.describe("loop")["instances_detail"][0]["pid"]).kill()
    wait_until(lambda: host.describe("loop")["state"] == "failing", "it is seen to fail")
    wait_until(lambda: host.invoke("loop", b"{}").status_code == 503, "callers are told at once")
    first = host.describe("loop")["instances_detail"]
    flag.unlink()
    wait_until(lambda: host.invoke("loop", {"t": 1}).status_code == 200, "it comes back by itself")
    assert len(first) <= 1


def test_a_taken_port_and_a_state_in_use_are_told_in_one_line(start_host: StartHost, tmp_path: Path) -> None:
    host = start_host()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = _serve(tmp_path / "other", f"127.0.0.1:{port}")
        assert told.returncode == 1
        assert f"127.0.0.1:{port}" in told.stderr
        assert "--listen" in told.stderr
    told = _serve(host.state, "127.0.0.1:0")
    assert told.returncode == 1
    assert "another fnhost" in told.stderr
    assert "Traceback" not in told.stderr


def _serve(state: Path, listen: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "host.cli", "serve", "--state", str(state), "--listen", listen]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def test_readiness_is_told_with_its_reasons(start_host: StartHost) -> None:
    host = start_host("mqtts: [{name: b1, broker: 'tcp://127.0.0.1:1'}]\n")
    host.deploy({"index.py": ECHO}, "one")
    assert host.client.get(f"{host.url}/livez").status_code == 200
    answer = host.client.get(f"{host.url}/readyz")
    assert answer.status_code == 200
    assert {"host", "function one"} <= {check["name"] for check in answer.json()["checks"]}
    assert host.client.get(f"{host.url}/").json()["data"] == "hello world!"
    assert host.client.get(f"{host.url}/queue_size_metrics").json() == {"queue_size_metrics": []}
    assert host.client.get(f"{host.url}/nothing").status_code == 404


PLUGIN = """
from host.lifecycle import Part
from runtime.events import Event

class Ticker(Part):
    name, priority = "{name}", {priority}

    def __init__(self, info):
        self.info = info

    async def setup(self):
        print("{name} setup", flush=True)

    async def start(self):
        answer = await self.info.dispatch("one", Event(b'{{"from": "{name}"}}', trigger="ticker"))
        print("{name} start", answer.body, flush=True)

    async def stop(self):
        print("{name} stop", flush=True)
"""


def install_plugin(folder: Path, name: str, group: str, priority: int) -> None:
    """Another distribution with one entry point, as an installer would lay it out."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {name}:Ticker\n")
    (folder / f"{name}.py").write_text(PLUGIN.format(name=name, priority=priority))


def test_parts_and_triggers_of_other_distributions_run_in_order_of_priority(
    start_host: StartHost, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    install_plugin(site, "later", "fnhost.parts", 700)
    install_plugin(site, "sooner", "fnhost.triggers", 600)
    package = tmp_path / "one.zip"
    package.write_bytes(zip_of({"index.py": ECHO}))
    host = start_host(f"funcs: [{{modelName: one, package: {package}}}]\n")
    wait_until(lambda: host.invoke("one", b"{}").status_code == 200, "it is deployed")
    host.stop()
    host._env["PYTHONPATH"] = f"{ROOT}:{site}"
    host.start()
    assert host.stop() == 0
    said = [line for line in host.log().splitlines() if line.startswith(("sooner", "later"))]
    assert [line.rpartition(" b'")[0] or line for line in said] == [
        "sooner setup",
        "later setup",
        "sooner start",
        "later start",
        "later stop",
        "sooner stop",
    ]
    assert '{"from": "later"}' in host.log()


def test_a_part_that_cannot_start_is_named_and_nothing_is_left_running(
    start_host: StartHost, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    install_plugin(site, "broken", "fnhost.parts", 600)
    command = [sys.executable, "-m", "host.cli", "serve", "--listen", "127.0.0.1:0"]
    command += ["--state", str(tmp_path / "state")]
    env = {"PYTHONPATH": f"{ROOT}:{site}", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    told = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert told.returncode == 1
    assert "broken failed to start" in told.stderr
    assert "there is no function 'one'" in told.stderr
