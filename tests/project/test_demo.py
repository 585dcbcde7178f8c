"""The demo starts with nothing set up, shows right answers, and leaves nothing behind."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from click.testing import CliRunner
from paho.mqtt import publish

from host.cli import main
from host.private.child import ChildError, Program, run_child
from tests.hosts import PATIENCE, wait_until
from tests.project.tree import ROOT, clean_environment, copy_project

POINT = '{"t":188,"h":134}'


class RunningDemo:
    """`fnhost demo` on free ports; its temporary folders are below `folder`."""

    def __init__(self, folder: Path, *options: str) -> None:
        command = [sys.executable, "-m", "host.cli", "demo", "--port", "0", "--mqtt-port", "0", *options]
        self.folder = folder
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env=clean_environment(PYTHONPATH=str(ROOT), TMPDIR=str(folder)),
            start_new_session=True,
        )
        self.lines: list[str] = []

    def read_until(self, pattern: str) -> re.Match[str]:
        """Reads its output up to a line with `pattern`; the test's own time limit is the deadline."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"it never said {pattern!r}: {''.join(self.lines)}")

    def family(self) -> list[psutil.Process]:
        """All processes that it has started, down to the instances."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def rest(self) -> str:
        """What it says until its end."""
        assert self.process.stdout is not None
        return self.process.stdout.read()

    def close(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()


def none_runs(family: list[psutil.Process]) -> bool:
    return not any(is_running(process) for process in family)


def is_running(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "temporary"
    made.mkdir()
    return made


@pytest.fixture
def taken_ports() -> Iterator[None]:
    """Ports 5888 and 1883, taken by this test or by somebody else already."""
    with contextlib.ExitStack() as stack:
        for port in (5888, 1883):
            with contextlib.suppress(OSError):
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
        yield


@pytest.mark.usefixtures("taken_ports")
def test_it_ends_well_after_enough_right_answers_with_both_usual_ports_taken(
    tmp_path: Path, folder: Path
) -> None:
    project = copy_project(tmp_path / "project")
    env = clean_environment(TMPDIR=str(folder))
    command = ["make", "demo", "ONCE=1"]
    done = subprocess.run(
        command, cwd=project, env=env, capture_output=True, text=True, check=False, timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen = "Seen: 20 of 20 right answers of industry, 20 of 20 of test, and 1 over HTTP."
    assert done.stdout.splitlines()[-1] == seen
    assert done.stderr == ""
    mqtt_port = re.search(r"Port 1883 is taken, the MQTT port is (\d+)\.", done.stdout)
    web_port = re.search(r"Port 5888 is taken, the web port is (\d+)\.", done.stdout)
    assert mqtt_port and web_port
    assert f"curl -d '{POINT}' http://127.0.0.1:{web_port[1]}/invoke/test\n" in done.stdout
    assert f"mosquitto_pub -h 127.0.0.1 -p {mqtt_port[1]} -t /gridsum/test/telm/in/m_test " in done.stdout
    assert os.listdir(folder) == []


def test_its_lines_to_try_work_and_a_kill_leaves_no_process(folder: Path) -> None:
    demo = RunningDemo(folder)
    try:
        url = demo.read_until(r"curl -d \S+ (\S+)")[1]
        port, topic = demo.read_until(r"mosquitto_pub -h 127.0.0.1 -p (\d+) -t (\S+) -m \S+").groups()
        demo.read_until(r"out  test .* right$")
        assert httpx.post(url, content=POINT, timeout=PATIENCE).content == b'"1"'
        publish.single(topic, '{"t":1,"h":1}', qos=1, hostname="127.0.0.1", port=int(port))
        demo.read_until(r'in  test +\{"t":1,"h":1\}$')
        demo.read_until(r'out  test +"0"$')
        family = demo.family()
        assert len(family) >= 4
        demo.process.kill()
        wait_until(lambda: none_runs(family), f"all are gone: {family}")
    finally:
        demo.close()


def test_ctrl_c_in_the_middle_of_a_deploy_ends_it_well_and_leaves_nothing(folder: Path) -> None:
    demo = RunningDemo(folder)
    try:
        demo.read_until("test: building the environment")
        family = demo.family()
        demo.process.send_signal(signal.SIGINT)
        assert demo.rest().startswith("Stopping.\n")
        assert demo.process.wait(PATIENCE) == 0
        assert none_runs(family) and os.listdir(folder) == []
    finally:
        demo.close()


def test_it_fails_and_says_why_when_the_host_ends(folder: Path) -> None:
    demo = RunningDemo(folder, "--once")
    try:
        demo.read_until("The host listens on")
        family = demo.family()
        hosts = [process for process in family if "serve" in process.cmdline()]
        hosts[0].kill()
        assert "Error: the host ended unexpectedly; it said:\n" in demo.rest()
        assert demo.process.wait(PATIENCE) == 1
        assert none_runs(family) and os.listdir(folder) == []
    finally:
        demo.close()


def test_stopped_too_early_it_says_what_was_missing(folder: Path) -> None:
    demo = RunningDemo(folder, "--once")
    try:
        demo.read_until("The host listens on")
        demo.process.send_signal(signal.SIGTERM)
        wanted = "0 of 20 right answers of industry, 0 of 20 of test, and none over HTTP"
        last = demo.rest().splitlines()[-1]
        assert last.startswith(f"Error: stopped before enough was seen: {wanted}; ")
        assert demo.process.wait(PATIENCE) == 1
    finally:
        demo.close()


def test_without_a_broker_to_embed_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "amqtt", None)
    result = CliRunner().invoke(main, ["demo"])
    assert (result.exit_code, result.output) == (
        2,
        "Error: the demo needs its embedded broker: pip install 'fnhost[demo]'\n",
    )


def test_a_process_that_ends_at_once_is_noticed_at_once_with_what_it_said() -> None:
    async def scene() -> None:
        async with run_child(Program("the child", ["this"], 5)) as child:
            assert await child.wait_for(r"Beautiful is (\w+)") == "better"
        async with run_child(Program("the child", ["no_such_module"], 5)) as child:
            await child.wait_for("(never)")

    with pytest.raises(
        ChildError, match=r"the child ended unexpectedly; it said:\n.*No module named no_such"
    ):
        asyncio.run(scene())
