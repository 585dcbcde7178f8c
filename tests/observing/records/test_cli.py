"""The verbs about invocations, against a real host: a list, the way of one, once more, and under pdb."""

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from host.cli.invocations import draw_waterfall
from tests.cli.running import DEADLINE, command, environment, fnhost
from tests.heeding import heed_signals
from tests.hosts import RunningHost, wait_until

CODE = """\
import os


def double(t):
    if t < 0:
        raise ValueError(f"no such temperature: {t}")
    return t * 2


def index(event, context):
    t = event["t"]
    context.publish("out/1", {"t": t})
    context.logger.info("colour %s", os.environ["COLOUR"])
    doubled = double(t)
    return {"doubled": doubled, "id": context.request_id}
"""
PROMPT = "(Pdb) "
MANIFEST = 'publish: ["out/#"]\nenv: {COLOUR: red}\n'


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """A host with one function, of which one event failed and one did not."""
    running = RunningHost(tmp_path_factory.mktemp("records"), "records: {sample: 1}\n").start()
    try:
        done = running.deploy({"index.py": CODE, "function.yaml": MANIFEST}, "demo")
        assert done["type"] == "done", done
        assert running.invoke("demo", '{"t": -1}').status_code == 500
        assert running.invoke("demo", '{"t": 2}').status_code == 200
        yield running
    finally:
        running.close()


def id_of(host: RunningHost, result: str) -> str:
    listed = json.loads(fnhost(host.url, "invocations", "--result", result, "-o", "json").stdout)
    return str(listed["records"][-1]["id"])


class Terminal:
    """What a person types, and sees."""

    def __init__(self, master: int, slave: int) -> None:
        self._master = master
        self._slave = slave
        self.name = os.ttyname(slave)
        self.seen = ""

    def settings(self) -> list[Any]:
        """As tcgetattr has them."""
        return termios.tcgetattr(self._slave)

    def await_text(self, text: str, start: int = 0) -> None:
        """Wait until it is seen."""
        self._read_until(lambda: text in self.seen[start:], text)

    def await_prompt(self, start: int = 0) -> None:
        """Wait until pdb asks for the next line, and nothing comes after that."""
        self._read_until(lambda: self.seen[start:].endswith(PROMPT), PROMPT)

    def _read_until(self, is_there: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + DEADLINE
        while not is_there():
            left = end - time.monotonic()
            assert left > 0, f"not seen: {what!r} in {self.seen}"
            if select.select([self._master], [], [], left)[0]:
                self.seen += os.read(self._master, 65_536).decode()

    def ask(self, line: str) -> str:
        """Type a line at the prompt, and wait for the next prompt."""
        start = len(self.seen)
        self.type(line)
        self.await_prompt(start)
        return self.seen[start:]

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._master, f"{line}\n".encode())


@contextmanager
def debugging(host: RunningHost, *words: str) -> Iterator[tuple[Terminal, "subprocess.Popen[bytes]"]]:
    """`fnhost debug` on a terminal."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (33, 91))
    env = environment(FNHOST_URL=host.url, XDG_RUNTIME_DIR=os.environ["XDG_RUNTIME_DIR"])
    words = tuple(command("debug", *words))
    process = subprocess.Popen(
        words, stdin=slave, stdout=slave, stderr=slave, env=env, preexec_fn=heed_signals
    )
    try:
        yield Terminal(master, slave), process
        process.wait(DEADLINE)
    finally:
        process.kill()
        process.wait()
        os.close(slave)
        os.close(master)


def test_invocations_are_listed_and_shown_as_a_waterfall(host: RunningHost) -> None:
    failed = fnhost(host.url, "invocations", "--failed", "--function", "demo", "--since", "1h").stdout
    assert id_of(host, "raised") in failed
    assert "ValueError: no such temperature: -1" in failed
    assert id_of(host, "ok") not in failed
    shown = fnhost(host.url, "invocations", id_of(host, "raised")).stdout
    assert [line.split(":")[1].strip() for line in shown.splitlines() if line.startswith("result")] == [
        "raised"
    ]
    assert [line.split()[0] for line in shown.splitlines() if "█" in line] == ["queued", "started", "ended"]
    assert '{"t": -1}' in shown
    assert 'index.py", line 6, in double' in shown
    missing = fnhost(host.url, "invocations", "nothing")
    assert missing.exit_code == 4
    assert "records:" in missing.stderr


def test_bars_stand_where_the_time_went() -> None:
    stages = {"received": 0.0, "queued": 1.0, "started": 2.0, "ended": 4.0}
    _, queued, started, ended, _ = draw_waterfall(stages)
    assert (queued.count("█"), started.count("█"), ended.count("█")) == (10, 10, 20)
    assert started.index("█") == queued.index("█") + 10
    assert ended.index("█") == queued.index("█") + 20
    assert ended.endswith("+2.000 s")


def test_an_invocation_is_run_again_and_fails_as_it_did(host: RunningHost) -> None:
    good = fnhost(host.url, "replay", id_of(host, "ok"))
    assert (good.exit_code, json.loads(good.stdout)["doubled"]) == (0, 4)
    assert "not sent: a message to out/1" in good.stderr
    bad = fnhost(host.url, "replay", id_of(host, "raised"), "--on", "demo@1")
    assert bad.exit_code == 1
    assert "demo@1: ValueError: no such temperature: -1" in bad.stderr
    assert fnhost(host.url, "replay", id_of(host, "raised"), "--on", "demo@9").exit_code == 4


def test_an_event_is_stepped_through_from_the_first_line_of_its_function(host: RunningHost) -> None:
    event_id = id_of(host, "ok")
    with debugging(host, event_id) as (terminal, process):
        terminal.await_prompt()
        assert 't = event["t"]' in terminal.seen
        assert "{'t': 2}" in terminal.ask("p event")
        stack = terminal.ask("w")
        assert stack.count("index.py(11)") == 1
        assert "runtime/worker" not in stack
        assert "bdb.py" not in stack
        assert 'context.publish("out/1"' in terminal.ask("n")
        assert "102" in terminal.ask("p t + 100")
        terminal.type("c")
        terminal.await_text(f'"id": "{event_id}"')
    assert process.returncode == 0
    assert "colour red" in terminal.seen
    assert "not sent: 8 bytes to out/1" in terminal.seen


def test_a_breakpoint_in_the_users_file_is_hit(host: RunningHost) -> None:
    with debugging(host, id_of(host, "raised"), "--break", "index.py:6") as (terminal, process):
        terminal.await_prompt()
        assert "raise ValueError" in terminal.seen
        assert "99" in terminal.ask("p t + 100")
        assert "doubled = double(t)" in terminal.ask("up")
        start = len(terminal.seen)
        terminal.type("c")
        terminal.await_text("ValueError: no such temperature: -1", start)
    assert process.returncode == 1
    assert "bdb.py" not in terminal.seen[start:]


def test_post_mortem_stops_where_it_raised_and_q_ends_it(host: RunningHost) -> None:
    with debugging(host, id_of(host, "raised"), "--post-mortem") as (terminal, process):
        terminal.await_prompt()
        assert "index.py(6)double()" in terminal.seen
        assert "99" in terminal.ask("p t + 100")
        terminal.type("q")
    assert process.returncode == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_goes_on_when_it_is_ended_from_outside(host: RunningHost, number: signal.Signals) -> None:
    with debugging(host, id_of(host, "ok")) as (terminal, process):
        terminal.await_prompt()
        (child,) = psutil.Process(process.pid).children()
        output = Path(child.environ()["HOME"])
        assert output.is_dir()
        process.send_signal(number)
        process.wait(DEADLINE)
        wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, "it is gone")
    if number != signal.SIGKILL:
        assert process.returncode == 128 + number
        assert not output.exists()
    shutil.rmtree(output, ignore_errors=True)


def test_the_function_has_a_terminal_of_its_own_and_cannot_type_into_the_persons(host: RunningHost) -> None:
    with debugging(host, id_of(host, "ok")) as (terminal, process):
        terminal.await_prompt()
        ours = terminal.settings()
        assert not ours[3] & termios.ICANON
        terminal.ask("import os")
        held = terminal.ask(
            "p [os.path.realpath(f'/proc/self/fd/{each}') for each in os.listdir('/proc/self/fd')]"
        )
        assert "/dev/pts/" in held
        assert f"'{terminal.name}'" not in held
        assert "True" in terminal.ask("p os.getsid(0) == os.getpid()")
        # TIOCSTI asks for one's controlling terminal: what it types comes to itself.
        assert "True" in terminal.ask("p os.tcgetpgrp(os.open('/dev/tty', os.O_RDWR)) == os.getpid()")
        assert "(33, 91)" in terminal.ask("p tuple(os.get_terminal_size(0))[::-1]")
        assert "KeyboardInterrupt" in terminal.ask("\x03")
        terminal.type("q")
        process.wait(DEADLINE)
        assert terminal.settings()[3] & termios.ICANON


def test_places_that_are_none_are_said(host: RunningHost) -> None:
    event_id = id_of(host, "ok")
    assert fnhost(host.url, "debug", event_id, "--break", "index.py").exit_code == 2
    with debugging(host, event_id, "--break", "index.py:9") as (terminal, process):
        terminal.await_text("index.py:9 has no code to stop at; the nearest line with some is 10")
    assert process.returncode == 1
