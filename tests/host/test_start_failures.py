"""What a person reads of a host that cannot start: `fnhost serve` in its last line, and `fnhost doctor`."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from host.cli import main
from host.doctor.examine import CHECKS
from host.start_failures import explain_start
from host.state import StateDir, StateError
from tests.cli.running import environment, fnhost
from tests.hosts import PATIENCE, StartHost, start_host
from tests.torture.disk import Disk

__all__ = ["start_host"]


SERVE = """
import os, sys
from conf.settings import gather_settings
from host.serve import serve
for state in sys.argv[2:]:
    code = serve(gather_settings({"state": state, "listen": sys.argv[1]}, os.environ))
    print(f"[{code}]", file=sys.stderr)
"""


def serve(*states: Path, listen: str = "127.0.0.1:0") -> list[str]:
    """What hosts that do not start say last, one after the other in one process."""
    words = [sys.executable, "-c", SERVE, listen, *map(str, states)]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=PATIENCE)
    assert "Traceback" not in done.stderr, done.stderr
    *said, end = done.stderr.split("[1]\n")
    assert (end, len(said)) == ("", len(states)), done.stderr
    told = [[json.loads(line) for line in each.splitlines()] for each in said]
    assert [[line["level"] for line in lines].count("error") for lines in told] == [1] * len(states)
    return [str(lines[-1]["message"]) for lines in told]


class Doctor:
    """`fnhost doctor` that looks at some things only, since looking at all of them takes seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def find(self, sections: str, state: Path, *options: str, expected: int = 1) -> dict[str, dict[str, Any]]:
        """What is found in these sections, by section and name, as `SECTION/NAME`."""
        checks = {name: check for name, check in CHECKS.items() if name in sections.split()}
        with self._monkeypatch.context() as patched:
            patched.setattr("host.doctor.examine.CHECKS", checks)
            told = fnhost("", "doctor", "-o", "json", "--state", str(state), *options)
        assert told.exit_code == expected, told.output
        found = json.loads(told.stdout)["sections"]
        return {f"{each['section']}/{one['name']}": one for each in found for one in each["findings"]}


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """The doctor."""
    return Doctor(monkeypatch)


@pytest.fixture
def listener() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_that_is_taken(tmp_path: Path, doctor: Doctor, listener: int) -> None:
    [said] = serve(tmp_path / "state", listen=f"127.0.0.1:{listener}")
    assert said.endswith(
        f"cannot listen on 127.0.0.1:{listener}: Address already in use; `fnhost doctor` says who does,"
        " or choose another with --listen"
    )
    found = doctor.find("port", tmp_path / "state", "--listen", f"127.0.0.1:{listener}")
    finding = found[f"port/127.0.0.1:{listener}"]
    assert finding["state"] == "fault" and finding["what"].startswith("taken by ")
    assert "choose another with --listen" in finding["remedy"]


@pytest.mark.parametrize("below", ["", "below"])
def test_a_state_folder_that_is_a_file(tmp_path: Path, doctor: Doctor, below: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match="has to be a folder; choose another with --state"):
        StateDir(tmp_path / "file" / below).lock()
    finding = doctor.find("state disk", tmp_path / "file" / below)["state/folder"]
    assert finding["what"] == f"{tmp_path}/file is a file, and no folder"
    assert finding["remedy"] == "move it away, or choose another folder with --state"


def test_a_state_folder_that_cannot_be_written(
    tmp_path: Path, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # no mode forbids root anything
    uid, elsewhere = os.geteuid(), "or choose another folder with --state"

    def remedy(state: Path) -> object:
        finding = doctor.find("state", state)["state/folder"]
        assert finding["state"] == "fault" and f"{tmp_path} cannot be written by this user" in finding["what"]
        return finding["remedy"]

    assert remedy(tmp_path) == f"`chmod u+rwx {tmp_path}`, {elsewhere}"
    new = tmp_path / "a" / "b"
    assert remedy(new) == f"`sudo install -d -o {uid} {new}`, {elsewhere}"
    monkeypatch.setattr("os.geteuid", lambda: 65534)
    assert remedy(tmp_path) == f"`sudo chown 65534 {tmp_path}`, {elsewhere}"
    (tmp_path / "host.lock").touch()
    assert remedy(tmp_path) == "choose another folder with --state, such as `--state ~/fnhost`"


def test_an_entry_of_the_state_folder_that_is_of_the_wrong_kind(tmp_path: Path, doctor: Doctor) -> None:
    for name in ("registry.db", "delivery.db", "local.token", "records.db", "packages"):
        entry = tmp_path / name
        kinds = ("folder", "file") if name == "packages" else ("file", "folder")
        entry.touch() if name == "packages" else entry.mkdir(0o755)
        said = f"{entry} has to be a {kinds[0]}, and is a {kinds[1]}"
        remedy = f"`mv {entry} {entry}.aside`, or choose another folder with --state"
        with pytest.raises(StateError) as refused:
            StateDir(tmp_path).lock()
        assert str(refused.value) == f"{said}: {remedy}"
        finding = doctor.find("state", tmp_path)[f"state/{name}"]
        assert (finding["state"], finding["what"], finding["remedy"]) == ("fault", said, remedy)
        entry.rename(tmp_path / f"{name}.aside")


def test_a_state_folder_of_another_host(tmp_path: Path, doctor: Doctor, start_host: StartHost) -> None:
    host = start_host()
    with pytest.raises(StateError, match=r"another fnhost uses .*; stop it, or choose another with --state"):
        StateDir(host.state).lock()
    address, pid = host.url.removeprefix("http://"), host.process.pid
    found = doctor.find("state port", host.state, "--listen", address, expected=0)
    used = found["state/in use"]
    assert f"a host uses it: process {pid}" in used["what"]
    assert used["remedy"] == f"`kill {pid}` stops it; or choose another folder with --state"
    assert "the host that uses the state folder listens here" in found[f"port/{address}"]["what"]
    assert found["state/registry.db"]["what"].startswith("whole")
    taken = doctor.find("port", tmp_path / "other", "--listen", address)[f"port/{address}"]
    assert "a host of this user listens here already" in taken["what"] and "fnhost list" in taken["remedy"]


def damage(file: Path) -> None:
    file.write_bytes(b"no database at all, but as long as one" * 200)


def make_newer(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        application = 0x666E6400 + 99
        database.executescript(
            f"CREATE TABLE of_tomorrow (a); PRAGMA user_version = 99; PRAGMA application_id = {application};"
        )


UNUSABLE: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "registry.db": (damage, "is damaged", "deploy the packages again"),
    "registry.db ": (make_newer, "was written by a newer fnhost", "start that"),
    "delivery.db": (make_newer, "was written by a newer fnhost", "start that"),
    "access.json": (lambda file: file.write_text("{"), "", "mend the file, or delete it and make new ones"),
}


def test_a_state_folder_with_a_file_that_cannot_be_used(tmp_path: Path, doctor: Doctor) -> None:
    folders = []
    for number, (name, (harm, said, remedy)) in enumerate(UNUSABLE.items()):
        folders.append(folder := tmp_path / str(number))
        folder.mkdir()
        harm(file := folder / name.strip())
        before = file.read_bytes()
        found = doctor.find("state", folder)
        [fault] = [each for each in found.values() if each["state"] == "fault"]
        assert said in fault["what"] and str(file) in fault["what"]
        assert remedy in fault["remedy"] and fault["why"]
        assert [(each, each.read_bytes()) for each in folder.iterdir()] == [(file, before)]
    for last, (_, said, remedy) in zip(serve(*folders), UNUSABLE.values(), strict=True):
        assert said in last and remedy in last


def test_a_damaged_delivery_database_is_told_and_no_fault(tmp_path: Path, doctor: Doctor) -> None:
    damage(tmp_path / "delivery.db")
    finding = doctor.find("state", tmp_path, expected=0)["state/delivery.db"]
    assert finding["state"] == "lack" and "the next start saves its sound rows" in finding["why"]


def test_a_disk_that_is_full(tmp_path: Path, doctor: Doctor) -> None:
    disk = Disk(tmp_path / "disk")
    if disk.why_not:
        pytest.skip(disk.why_not)
    try:
        disk.fill()
        [last] = serve(tmp_path / "disk")
        finding = doctor.find("disk", tmp_path / "disk")["disk/free"]
    finally:
        disk.unmount()
    assert f"the disk of {tmp_path}/disk is full: free some of it (`du -xhd 2" in last
    assert last.endswith("or choose another folder with --state")
    assert finding["state"] == "fault" and "the disk is full: 0 bytes of 64 MiB are free" in finding["what"]
    assert finding["remedy"].startswith("free some of it (`du -xhd 2")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device", "/s/x"), "the disk of /s is full"),
        (PermissionError(13, "Permission denied", "/s/x"), "the host cannot start: /s/x Permission denied"),
    ],
)
def test_what_the_system_refuses_is_told_with_the_next_step(error: OSError, said: str) -> None:
    told = explain_start(error, Path("/s"))
    assert told.startswith(said) and "\n" not in told
    assert "--state /s` looks into it" in told or "another folder with --state" in told


def test_a_host_on_this_python_needs_nothing_from_the_path(
    tmp_path: Path, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = doctor.find("python", tmp_path / "state", expected=0)
    assert found["python/uv"]["state"] == "ok" and "which came with fnhost" in found["python/uv"]["what"]


def test_a_machine_without_uv(tmp_path: Path, doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uv", None)
    finding = doctor.find("python", tmp_path / "state", expected=0)["python/uv"]
    assert (finding["state"], finding["what"]) == ("lack", "missing beside fnhost")
    assert finding["remedy"] == f"{sys.executable} -m pip install uv"


def test_a_person_reads_each_finding_with_its_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host.doctor.examine.CHECKS", {name: CHECKS[name] for name in ("state", "brokers")})
    (tmp_path / "file").touch()
    told = fnhost("", "doctor", "--state", str(tmp_path / "file"))
    assert told.exit_code == 1
    assert told.stdout.splitlines()[:4] == [
        "state: 1 to be mended before the host starts",
        f"  fault  folder  {tmp_path}/file is a file, and no folder",
        "                 why: a folder cannot take the place of a file",
        "                 fix: move it away, or choose another folder with --state",
    ]
    assert "the config names no broker" in told.stdout and "`sudo apt-get install mosquitto`" in told.stdout
    assert told.stdout.endswith("`fnhost serve` would refuse to start\n")


def test_a_broker_that_does_not_answer_is_told_and_no_fault(
    tmp_path: Path, doctor: Doctor, nowhere_port: int
) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(f"mqtts:\n- {{name: b1, broker: 'tcp://127.0.0.1:{nowhere_port}'}}\n")
    finding = doctor.find("brokers", tmp_path / "state", "-c", str(config), expected=0)["brokers/b1"]
    assert finding["what"] == f"127.0.0.1:{nowhere_port} cannot be reached: Connection refused"
    assert "apt-get install mosquitto" in finding["remedy"] and "mqtts[0].broker" in finding["remedy"]


@pytest.fixture
def nowhere_port() -> Iterator[int]:
    """A port that is taken and not listened on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_a_broker_that_speaks_no_tls(
    tmp_path: Path, doctor: Doctor, listener: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("host.doctor.brokers.TIME_LIMIT", 0.2)
    config = tmp_path / "c.yaml"
    config.write_text(f"mqtts:\n- {{name: b1, broker: 'mqtts://127.0.0.1:{listener}'}}\n")
    finding = doctor.find("brokers", tmp_path / "state", "-c", str(config), expected=0)["brokers/b1"]
    assert finding["state"] == "lack" and "does not answer within 0.2 s" in finding["what"]


def test_a_config_with_faults_does_not_keep_the_rest_from_being_looked_at(
    tmp_path: Path, doctor: Doctor
) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("lisen: x\n")
    found = doctor.find("config state", tmp_path / "state", "-c", str(config))
    fault = found[f"config/{config}, line 1"]
    assert fault["what"] == "lisen is not a known key" and "did you mean `listen`?" in fault["remedy"]
    assert found["state/folder"]["state"] == "ok"


def test_a_clock_that_was_never_set_is_told(
    tmp_path: Path, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 60.0)
    finding = doctor.find("surroundings", tmp_path / "state", expected=0)["surroundings/clock"]
    assert finding["what"].startswith("it shows 1970-01-01 00:01:00 UTC")
    assert "timedatectl set-ntp true" in finding["remedy"]


def test_a_check_that_fails_itself_does_not_keep_the_others_from_being_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(_: object) -> None:
        raise RuntimeError("no /proc")

    checks = {"memory": break_down, "surroundings": CHECKS["surroundings"]}
    monkeypatch.setattr("host.doctor.examine.CHECKS", checks)
    told = CliRunner().invoke(main, ["doctor", "--state", str(tmp_path)], env={"FNHOST_DEBUG": None})
    assert told.exit_code == 0
    assert "RuntimeError: no /proc" in told.stdout and "surroundings: all is well" in told.stdout
