"""Functions as users of their own: a whole host that is root, in a folder that others can reach."""

import os
from pathlib import Path

import psutil
import pytest

from conf.isolation import Isolation
from host.boxes import judge, look_around
from tests.functions.wheelhouse import make_sdist, make_wheel
from tests.hosts import StartHost

LOOK = """
import mmap, os, sys, tempfile

def attempt(action):
    try:
        return action()
    except OSError as error:
        return type(error).__name__

def index(event, context):
    do = event.get("do")
    if do == "hog":
        return len(bytearray(event["bytes"]))
    if do == "share":
        shared = mmap.mmap(-1, event["bytes"])
        for at in range(0, event["bytes"], mmap.PAGESIZE):
            shared[at] = 1
        return "done"
    with tempfile.NamedTemporaryFile("w") as file:
        temporary = os.path.dirname(file.name)
    open(os.path.join(context.output_dir, "mine"), "w").write("x")
    state = context.package_dir.rsplit("/packages/")[0]
    return {
        "uid": os.getuid(),
        "prefix": sys.base_prefix,
        "tmp": temporary,
        "listing": attempt(lambda: os.listdir(state + "/packages")),
        "registry": attempt(lambda: open(state + "/registry.db").read(1)),
        "other": [attempt(lambda: open(path).read(1)) for path in event.get("paths", [])],
        "write": attempt(lambda: open(context.package_dir + "/x", "w").close()),
        "child": attempt(lambda: os.fork()),
        "arbiter": attempt(lambda: open(f"/proc/{os.getppid()}/environ").read(1)),
        "host": attempt(lambda: open(f"/proc/{event.get('host', 1)}/environ").read(1)),
    }
"""


@pytest.fixture
def strong_host(start_open_host: StartHost, open_folder: Path) -> StartHost:
    """Where this machine has every wall."""
    standing = judge(Isolation(), look_around(Isolation(), open_folder).lacks)
    if standing.level != "strong":
        pytest.skip(f"this machine is only {standing.level}: {', '.join(map(str, standing.lacks.values()))}")
    return start_open_host


def test_a_function_is_a_user_of_its_own_and_sees_its_own_only(strong_host: StartHost) -> None:
    host = strong_host("isolation: {min: strong}")
    for name in ("a", "b"):
        assert host.deploy({"index.py": LOOK, f"{name}.py": ""}, name)["type"] == "done"
    packages = {name: host.describe(name)["revisions"][0]["sha256"] for name in ("a", "b")}
    paths = [f"{host.state}/packages/{packages['a']}/index.py", f"{host.state}/output/a/mine", "/etc/shadow"]
    told = {name: host.invoke(name, {"paths": paths, "host": host.process.pid}).json() for name in ("a", "b")}
    assert len({each["uid"] for each in told.values()} | {0}) == 3
    assert told["a"]["other"] == ["\n", "x", "PermissionError"]
    assert told["b"]["other"] == ["PermissionError"] * 3
    for each in told.values():
        refused = {each[what] for what in ("listing", "registry", "write", "child", "host")}
        assert refused == {"PermissionError"}
        assert Path(each["tmp"]).parent == host.state / "tmp"
    box = host.describe("a")["box"]
    assert (box["level"], box["missing"]) == ("strong", {})
    uids = {name: os.stat(host.state / "output" / name).st_uid for name in ("a", "b")}
    assert uids == {name: each["uid"] for name, each in told.items()}
    host.stop()
    host.start()
    assert host.invoke("a", {}).json()["uid"] == uids["a"]
    assert "isolation: strong" in host.log() and "WEAK" not in host.log()


def test_running_out_of_memory_is_said_with_the_limit(strong_host: StartHost) -> None:
    host = strong_host()
    manifest = "memory: 96MiB\nscale: {min: 1, max: 1}\n"
    assert host.deploy({"index.py": LOOK, "function.yaml": manifest}, "hog")["type"] == "done"
    alone = host.invoke("hog", {"do": "hog", "bytes": 200 * 2**20})
    assert (alone.status_code, alone.json()["errorType"]) == (500, "MemoryError"), "its own data are limited"
    assert host.invoke("hog", {"do": "share", "bytes": 2**20}).json() == "done"
    killed = host.invoke("hog", {"do": "share", "bytes": 200 * 2**20})
    assert killed.status_code == 502
    assert "was killed: out of memory: the pool's limit of 96 MiB" in killed.json()["detail"]
    assert host.invoke("hog", {"do": "share", "bytes": 2**20}).json() == "done"
    assert not list(Path("/sys/fs/cgroup").glob("*/fnhost-*-hog@2.*"))


SETUP = """
def attempt(action):
    try:
        return str(action())
    except OSError as error:
        return type(error).__name__

tried = [
    os.getuid(),
    attempt(lambda: open("/etc/shadow").read(1)),
    attempt(lambda: open("/tmp/fnhost-was-here", "w").close()),
    attempt(lambda: os.listdir(STATE)),
    os.system("true"),
]
if os.fork() == 0:
    os.setsid()
    os.closerange(0, 1024)
    os.execvp("sleep", ["sleep", "600"])
"""
BUILT = """
import os, needed
def index(event, context):
    return [os.getuid(), needed.built, os.stat(needed.__file__).st_uid]
"""


def test_code_of_a_source_distribution_runs_in_a_box_too(strong_host: StartHost, tmp_path: Path) -> None:
    host = strong_host()
    sdist = make_sdist(tmp_path, "needed", "1.0", SETUP.replace("STATE", repr(str(host.state))))
    archives = {f"wheels/{each.name}": each.read_bytes() for each in (sdist, make_wheel(tmp_path, "a", "1"))}
    package = {"index.py": BUILT, "function.yaml": "build: true", "requirements.txt": "needed"}
    done = host.deploy({**package, **archives}, "built")
    assert done["type"] == "done", done
    uid, (builder, *refused, ran), owner = host.invoke("built", {}).json()
    assert len({0, uid, builder}) == 3 and owner == 0 and ran == 0
    assert refused == ["PermissionError"] * 3
    assert not [each for each in psutil.process_iter(["uids"]) if each.info["uids"].real == builder]
    assert not list((host.state / "tmp").glob("build.*"))
