"""Levels of isolation: what stands for what, what is too little, and what `fnhost doctor` says of it."""

import json
from pathlib import Path

import pytest

from conf.isolation import Isolation
from host.boxes import IsolationError, judge, make_boxes
from host.state import StateDir
from runtime.boxes.places import interpreter_reads, system_reads
from runtime.boxes.walls import NEEDED, WALLS, Lack, reached
from runtime.overlay import Overlay
from tests.cli.running import fnhost
from tests.hosts import StartHost

OLD_KERNEL = {"landlock": Lack("the kernel has no Landlock", "use Linux 5.13 or newer")}


def isolation(**told: str) -> Isolation:
    return Isolation.model_validate(told)


@pytest.mark.parametrize(
    ("missing", "level"),
    [
        (set(), "strong"),
        ({"namespace", "cgroup-cpu"}, "strong"),
        ({"uid"}, "standard"),
        ({"cgroup-memory"}, "standard"),
        ({"landlock"}, "basic"),
        ({"seccomp", "uid"}, "basic"),
        ({"limits"}, "none"),
    ],
)
def test_a_level_is_reached_when_none_of_its_walls_is_missing(missing: set[str], level: str) -> None:
    assert reached(set(WALLS) - missing) == level


@pytest.mark.parametrize("level", ["none", "basic", "standard", "strong"])
def test_a_level_that_is_asked_for_is_what_comes_of_it_on_a_machine_that_has_all(level: str) -> None:
    found = judge(isolation(level=level, min=level), {})
    assert (found.level, found.refusal, found.lacks) == (level, None, {})


def test_the_best_is_what_the_machine_has() -> None:
    found = judge(isolation(), OLD_KERNEL)
    assert (found.level, found.refusal, set(found.lacks)) == ("basic", None, {"landlock"})
    assert judge(isolation(level="none"), OLD_KERNEL).lacks == {}


def test_below_the_least_is_refused_with_what_is_missing_and_what_to_do() -> None:
    refusal = judge(isolation(min="standard"), OLD_KERNEL).refusal
    assert refusal == (
        "isolation is only basic, and `isolation.min` is standard: "
        "landlock is missing (the kernel has no Landlock; use Linux 5.13 or newer)"
    )


def test_a_host_below_its_least_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.boxes.machine._probe_seccomp", lambda: Lack("no", "yes"))
    state = StateDir(tmp_path / "state")
    state.lock()
    with pytest.raises(IsolationError, match=r"seccomp is missing \(no; yes\)"):
        make_boxes(isolation(min="standard"), state, Overlay(*[tmp_path] * 3))
    state.unlock()


def test_what_every_function_may_read_leaves_out_what_is_secret() -> None:
    reads = {Path(each) for each in system_reads()}
    assert Path("/usr") in reads and Path("/etc/passwd") in reads
    secret = [Path("/etc/shadow"), Path("/root/x"), Path("/home/x"), Path("/tmp/x"), Path("/etc/ssl/private")]
    assert not [each for each in secret if {each, *each.parents} & reads]


def test_a_venv_is_read_with_the_installation_behind_it(tmp_path: Path) -> None:
    home = tmp_path / "python" / "bin"
    venv = tmp_path / "venv"
    for made in (home, venv / "bin"):
        made.mkdir(parents=True)
    (home / "python3.11").touch()
    (venv / "bin" / "python").symlink_to(home / "python3.11")
    (venv / "pyvenv.cfg").write_text(f"home = {home}\nversion = 3.11\n")
    python = venv / "bin" / "python"
    assert interpreter_reads(python, python) == (venv, tmp_path / "python")
    (venv / "pyvenv.cfg").write_text("home = /etc/x\n", encoding="utf-8")  # as a wheel may leave it
    assert interpreter_reads(python, home / "python3.11") == (venv, tmp_path / "python")
    assert Path("/") not in interpreter_reads(Path("/bin/sh"), Path("/bin/sh"))


def test_the_doctor_tells_every_wall_and_what_to_do_without_a_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.boxes.machine._probe_landlock", lambda: OLD_KERNEL["landlock"])
    told = fnhost("", "doctor", "--listen", "127.0.0.1:0", "--state", str(tmp_path / "state"))
    assert told.exit_code == 0
    assert all(wall in told.stdout for wall in WALLS)
    assert "use Linux 5.13 or newer" in told.stdout and "isolation is basic" in told.stdout
    assert not (tmp_path / "state").exists()


def test_the_doctor_fails_where_the_host_would_refuse_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.boxes.machine._probe_landlock", lambda: OLD_KERNEL["landlock"])
    config = tmp_path / "c.yaml"
    config.write_text("isolation: {min: standard}")
    told = fnhost("", "doctor", "-o", "json", "-c", str(config), "--state", str(tmp_path / "state"))
    assert told.exit_code == 1
    answer = json.loads(told.stdout)
    sections = {each["section"]: each for each in answer["sections"]}
    findings = {each["name"]: each for each in sections["box"]["findings"]}
    assert sections["state"]["sound"] and not sections["box"]["sound"] and not answer["sound"]
    assert "landlock is missing" in findings["isolation.min"]["what"]
    assert set(findings) == {*WALLS, "isolation.min"}


def test_the_doctor_tells_of_a_folder_that_keeps_users_of_functions_out(open_folder: Path) -> None:
    (state := open_folder / "state").mkdir(mode=0o711)
    (state / "overlay").mkdir(mode=0o700)
    told = fnhost("", "doctor", "--state", str(state)).stdout
    assert f"{state}/overlay is closed to other users" in told and "isolation is standard" in told


def test_a_function_tells_what_it_runs_in(start_host: StartHost) -> None:
    host = start_host("isolation: {level: basic, min: basic}")
    assert host.deploy({"index.py": "def index(event, context): return 1"}, "f")["type"] == "done"
    box = host.describe("f")["box"]
    assert box["level"] == "basic" and set(box["walls"]) >= NEEDED["basic"] and box["missing"] == {}
    assert "ISOLATION IS WEAK, only basic" in host.log()
    shown = fnhost(host.url, "describe", "f").stdout
    assert "box:         basic (no_new_privs, limits)" in shown
    host.stop()
    assert not list((host.state / "tmp").iterdir())
