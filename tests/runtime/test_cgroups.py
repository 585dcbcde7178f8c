"""Control groups: the real ones of version 1 where they can be written, and version 2 in a fake tree."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.boxes.cgroups import Branch, Cgroups, GroupLimits, find_branches
from tests.hosts import wait_until

LIMITS = GroupLimits(memory=64 * 2**20, cores=0.5, tasks=50)


@pytest.fixture
def sleeper() -> "Iterator[subprocess.Popen[bytes]]":
    """A process that does nothing."""
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


def real_groups() -> Cgroups:
    branches = {name: each for name, each in find_branches()[0].items() if not each.unified}
    if len(branches) < 3:
        pytest.skip("no memory, cpu and pids cgroups of version 1 that can be written here")
    return Cgroups(branches, f"t{os.urandom(8).hex()}")


def test_a_group_of_version_1_holds_a_process_and_goes_with_it(sleeper: "subprocess.Popen[bytes]") -> None:
    group = real_groups().group("f@1.1")
    assert group.join(sleeper.pid, LIMITS) == {}
    paths = {line.split(":", 2)[1]: line for line in Path(f"/proc/{sleeper.pid}/cgroup").read_text().split()}
    assert all("f@1.1" in paths[controller] for controller in ("memory", "cpu", "pids"))
    folders = [branch.folder for branch in find_branches()[0].values()]
    found = {name: next(each.glob(f"*f@1.1/{name}"), None) for each in folders for name in os.listdir(each)}
    assert found["memory.limit_in_bytes"] is not None
    assert found["memory.limit_in_bytes"].read_text().strip() == str(LIMITS.memory)
    assert group.new_memory_kills() == 0
    assert group.remove()
    assert sleeper.wait(10) == -9
    assert not [left for each in folders for left in each.glob("*f@1.1")]


def test_what_the_kernel_kills_for_want_of_memory_is_counted_once(tmp_path: Path) -> None:
    group = real_groups().group("hog@1.1")
    script = "import sys; sys.stdin.readline(); b = bytearray(256 * 2**20)"
    with subprocess.Popen(["python3", "-c", script], stdin=subprocess.PIPE) as hog:
        assert group.join(hog.pid, LIMITS) == {}
        hog.communicate(b"go\n", timeout=60)
    assert hog.returncode == -9
    assert (group.new_memory_kills(), group.new_memory_kills()) == (1, 0)
    assert group.remove()


def test_what_an_earlier_life_left_in_its_groups_is_killed(sleeper: "subprocess.Popen[bytes]") -> None:
    groups = real_groups()
    groups.group("f@1.1").join(sleeper.pid, LIMITS)
    assert groups.clear() >= 1
    assert sleeper.wait(10) == -9
    assert groups.clear() == 0


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A process's own view of a machine with version 2 only."""
    folder = tmp_path / "proc"
    (folder / "self").mkdir(parents=True)
    (folder / "self" / "cgroup").write_text("0::/system.slice/fnhost.service\n")
    mount = f"30 1 0:26 / {tmp_path}/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
    (folder / "self" / "mountinfo").write_text(f"22 1 0:21 / /proc rw - proc proc rw\n{mount}")
    own = tmp_path / "cgroup" / "system.slice" / "fnhost.service"
    own.mkdir(parents=True)
    (own / "cgroup.controllers").write_text("cpu memory pids\n")
    (own / "cgroup.procs").write_text("")
    (own / "cgroup.subtree_control").write_text("")
    return folder


def test_version_2_hands_its_controllers_down_to_groups_beside_the_host(proc: Path, tmp_path: Path) -> None:
    own = tmp_path / "cgroup" / "system.slice" / "fnhost.service"
    branches, lacks = find_branches(proc)
    assert lacks == {} and set(branches.values()) == {Branch(own, True)}
    groups = Cgroups(branches, "0123456789abcdef")
    assert groups.prepare() == {}
    assert (own / "fnhost-host" / "cgroup.procs").read_text() == str(os.getpid())
    group = groups.group("f@1.1")
    assert group.join(4242, LIMITS) == {}
    made = own / "fnhost-0123456789ab-f@1.1"
    told = {name: (made / name).read_text() for name in ("memory.max", "cpu.max", "pids.max", "cgroup.procs")}
    assert told == {
        "memory.max": str(LIMITS.memory),
        "cpu.max": "50000 100000",
        "pids.max": "50",
        "cgroup.procs": "4242",
    }
    (made / "memory.events").write_text("low 0\noom 3\noom_kill 2\n")
    assert (group.new_memory_kills(), group.new_memory_kills()) == (2, 0)


def test_a_controller_that_is_not_handed_to_us_is_missed_with_its_remedy(proc: Path, tmp_path: Path) -> None:
    own = tmp_path / "cgroup" / "system.slice" / "fnhost.service"
    (own / "cgroup.controllers").write_text("cpu pids\n")
    branches, lacks = find_branches(proc)
    assert set(branches) == {"cpu", "pids"}
    assert "has no memory controller" in lacks["cgroup-memory"].why
    assert "cgroup_enable=memory" in lacks["cgroup-memory"].remedy


def test_in_a_container_the_mount_is_where_we_are(proc: Path, tmp_path: Path) -> None:
    mount = f"30 1 0:26 /docker/abc {tmp_path}/cgroup rw - cgroup cgroup rw,memory\n"
    (proc / "self" / "mountinfo").write_text(mount)
    (proc / "self" / "cgroup").write_text("4:memory:/docker/abc/inner\n3:pids:/elsewhere\n")
    (tmp_path / "cgroup" / "inner").mkdir()
    branches, lacks = find_branches(proc)
    assert branches == {"memory": Branch(tmp_path / "cgroup" / "inner", False)}
    assert "no control groups are mounted" in str(lacks["cgroup-pids"])


def test_groups_of_version_2_are_killed_as_a_whole(proc: Path, tmp_path: Path) -> None:
    own = tmp_path / "cgroup" / "system.slice" / "fnhost.service"
    groups = Cgroups(find_branches(proc)[0], "0123456789abcdef")
    left = own / "fnhost-0123456789ab-f@1.7"
    left.mkdir()
    (left / "cgroup.kill").write_text("")
    # The kernel's file system lets a folder go with its files in it; this one does once they are gone.
    deleted: list[str] = []

    def kill() -> None:
        wait_until(lambda: (left / "cgroup.kill").read_text() == "1", "the group is killed")
        (left / "cgroup.kill").unlink()
        deleted.append("killed")

    import threading

    thread = threading.Thread(target=kill)
    thread.start()
    groups.clear()
    thread.join()
    assert deleted == ["killed"] and not left.exists()


def test_old_groups_of_hosts_that_never_came_back_go_once_they_are_empty(proc: Path, tmp_path: Path) -> None:
    own = tmp_path / "cgroup" / "system.slice" / "fnhost.service"
    made = {name: own / f"fnhost-{name}-f@1.1" for name in ("old", "new", "busy")}
    for each in made.values():
        each.mkdir()
    (made["busy"] / "cgroup.procs").write_text("1\n")
    for name in ("old", "busy"):
        os.utime(made[name], (0, 0))
    assert Cgroups(find_branches(proc)[0], "0123456789abcdef").clear() == 0
    assert [name for name, each in made.items() if each.exists()] == ["new", "busy"]
