"""Real brokers for tests: mosquitto, and amqtt for what speaks MQTT 3.1.1 only."""

import getpass
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

START_TIMEOUT = 60.0

MakeMosquitto = Callable[..., "Mosquitto"]


def free_port() -> int:
    """A loopback port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Whether somebody takes connections on a loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


class Broker:
    """A broker process on a loopback port that it keeps from start to start."""

    def __init__(self, directory: Path, command: Sequence[str], port: int) -> None:
        self.port = port
        self.url = f"tcp://127.0.0.1:{port}"
        self.credentials: tuple[str, str] | None = None
        self._command = command
        self._log = directory / f"broker-{port}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or start it again, and wait until it listens."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + START_TIMEOUT
        while not listens(self.port):
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.01)

    def stop(self) -> None:
        """SIGTERM: with persistence, mosquitto writes its sessions down first."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def kill(self) -> None:
        """SIGKILL: what was not written down is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)
            self._process = None

    def freeze(self) -> None:
        """Let it be silent, with all its connections open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def log(self) -> str:
        """What it has written so far, over all its starts."""
        return self._log.read_text(errors="replace")


class Mosquitto(Broker):
    """mosquitto with `settings` (lines of its config) beside the ones every test wants."""

    def __init__(self, directory: Path, *, persistence: bool = False, settings: Sequence[str] = ()) -> None:
        port = free_port()
        config = directory / f"mosquitto-{port}.conf"
        lines = [
            # As root it would become the user `mosquitto`, who may not write to the test's directory.
            f"user {getpass.getuser()}",
            f"listener {port} 127.0.0.1",
            "allow_anonymous true",
            "set_tcp_nodelay true",
            *settings,
        ]
        if persistence:
            lines += ["persistence true", f"persistence_location {directory}/", f"persistence_file {port}.db"]
        config.write_text("\n".join(lines) + "\n")
        super().__init__(directory, [_mosquitto(), "-c", str(config)], port)


class Amqtt(Broker):
    """amqtt, which refuses MQTT 5."""

    def __init__(self, directory: Path) -> None:
        port = free_port()
        config = directory / f"amqtt-{port}.yaml"
        config.write_text(
            f"listeners: {{default: {{type: tcp, bind: '127.0.0.1:{port}'}}}}\n"
            "plugins: {amqtt.plugins.authentication.AnonymousAuthPlugin: {allow_anonymous: true}}\n"
        )
        code = "from amqtt.scripts.broker_script import main; main()"
        super().__init__(directory, [sys.executable, "-c", code, "-c", str(config)], port)


@pytest.fixture
def make_mosquitto(tmp_path: Path) -> Iterator[MakeMosquitto]:
    """Makes running mosquittos (arguments as the class has them), which end with the test."""
    running: list[Mosquitto] = []

    def make(*, persistence: bool = False, settings: Sequence[str] = ()) -> Mosquitto:
        broker = Mosquitto(tmp_path, persistence=persistence, settings=settings)
        running.append(broker)
        broker.start()
        return broker

    yield make
    for broker in running:
        broker.kill()


@pytest.fixture
def mosquitto(make_mosquitto: MakeMosquitto) -> Mosquitto:
    """A running mosquitto without persistence."""
    return make_mosquitto()


def _mosquitto() -> str:
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.fail("these tests need a real mosquitto: apt-get install mosquitto")
    return found
