"""A process that enters a box as an arbiter does, and then runs a test's own code."""

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runtime.worker.box_plan import BoxPlan
from runtime.worker.walls import landlock

WORKER = Path(__file__).parents[2] / "runtime" / "worker"
USER = 61000
ROOT = os.geteuid() == 0
WHO: dict[str, dict[str, int | None]] = {
    "own uid": {"uid": USER},
    "root": {},
    "unprivileged": {"user": USER if ROOT else None},
}
SYSTEM = ("/usr", "/lib", "/lib64", "/etc/ssl", "/proc", "/dev/urandom")

DRIVER = """
import importlib.util, json, os, sys, traceback
folder, given = sys.argv[1], json.loads(sys.argv[2])
spec = importlib.util.spec_from_file_location(
    "boxed", folder + "/__init__.py", submodule_search_locations=[folder]
)
sys.modules["boxed"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from boxed import box
from boxed.box_plan import BoxPlan

plan = BoxPlan(**given["plan"])
try:
    walls = box.enter_box(os.getppid(), plan)
    box.check_reach(given["reach"])
except box.BoxError as error:
    print(json.dumps({"walls": {}, "found": str(error)}), flush=True)
    os._exit(5)

def tell(code):
    names = {"found": {}, "given": given}
    try:
        exec(code, names)
    except BaseException:
        names["found"] = traceback.format_exc()
    print(json.dumps({"walls": walls, "found": names["found"]}), flush=True)

if given["instance"]:
    arbiter = os.getpid()
    given["arbiter"] = arbiter
    child = os.fork()
    if not child:
        box.enter_instance(arbiter, plan.standing(walls))
        tell(given["code"])
        os._exit(0)
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) % 256)
tell(given["code"])
"""


@dataclass(frozen=True)
class Told:
    """What came of it: the arbiter's report, what the code left in `found`, and how the process ended."""

    walls: dict[str, str | None]
    found: Any
    status: int


@dataclass(frozen=True)
class Room:
    """A place that every user may reach, with a folder to read and one to write.

    `user` is who enters the box, `uid` who is in it; None: no other one.
    """

    folder: Path
    user: int | None = None
    uid: int | None = None

    @property
    def python(self) -> str:
        """An interpreter that other users may start, too."""
        return reachable_python()

    def plan(self, **changes: Any) -> BoxPlan:
        """A box with every wall."""
        reads = (*SYSTEM, str(self.folder / "worker"), str(self.folder / "reads"), sys_prefix(self.python))
        plan = BoxPlan(uid=self.uid, landlock=True, seccomp=True, network=False, forks=False, reads=reads)
        return plan._replace(writes=(str(self.folder / "writes"), "/dev/null"))._replace(**changes)

    def run(self, plan: BoxPlan, code: str, instance: bool = False, **given: Any) -> Told:
        """Enter the box, with `instance` fork one in it, and run the code there; it sees `given`."""
        reach = given.pop("reach", [])
        message = {"plan": plan._asdict(), "code": code, "instance": instance, "reach": reach, **given}
        done = subprocess.run(
            [self.python, "-I", "-S", self.folder / "driver.py", self.folder / "worker", json.dumps(message)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={"TMPDIR": str(self.folder / "writes"), "HOME": str(self.folder / "writes")},
            **self.as_user(),
        )
        if not done.stdout:
            return Told({}, done.stderr, done.returncode)
        told = json.loads(done.stdout.splitlines()[-1])
        return Told(told["walls"], told["found"], done.returncode)

    def as_user(self) -> dict[str, Any]:
        """What makes a subprocess one of the room's user."""
        if self.user is None:
            return {}
        return {"user": self.user, "group": self.user, "extra_groups": []}


def landlock_abi() -> int:
    """0 where the kernel has no Landlock."""
    try:
        return landlock.abi()
    except OSError:
        return 0


PRIVILEGED = pytest.mark.skipif(not ROOT, reason="only root can give up what root may do")
ANYBODY = [pytest.param(who, marks=[] if who == "unprivileged" else PRIVILEGED, id=who) for who in WHO]


@contextmanager
def room(who: str) -> Iterator[Room]:
    """A room for the test's time: for an `own uid`, for `root` itself, or for somebody `unprivileged`."""
    folder = Path(tempfile.mkdtemp(dir="/tmp", prefix="fnhost-box-"))
    try:
        folder.chmod(0o755)
        shutil.copytree(WORKER, folder / "worker", ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "driver.py").write_text(DRIVER, encoding="utf-8")
        for name, mode in (("reads", 0o777), ("writes", 0o777), ("outside", 0o777)):
            (folder / name).mkdir()
            (folder / name / "file").write_text("kept")
            (folder / name / "file").chmod(0o666)
            (folder / name).chmod(mode)
        yield Room(folder, **WHO[who])
    finally:
        shutil.rmtree(folder)


@functools.cache
def reachable_python() -> str:
    """The present interpreter if everybody may start it, else the system's; skips the test without either."""
    for name in (os.path.realpath(sys.executable), "/usr/bin/python3"):
        if is_reachable(name) and is_new_enough(name):
            return name
    pytest.skip("there is no Python 3.11 that another user may start")


def is_reachable(name: str) -> bool:
    """Whether everybody may run the file."""
    file = Path(name)
    return file.exists() and all(each.stat().st_mode & 0o001 for each in (file, *file.parents))


def is_new_enough(name: str) -> bool:
    """Whether it is a Python that functions run on."""
    probe = "import sys; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([name, "-I", "-c", probe], check=False, timeout=60).returncode == 0


@functools.cache
def sys_prefix(python: str) -> str:
    """Where the interpreter's own library lies."""
    command = [python, "-I", "-S", "-c", "import sys; print(sys.base_prefix)"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


@pytest.fixture(params=ANYBODY, scope="module")
def place(request: pytest.FixtureRequest) -> Iterator[Room]:
    """A room for each kind of user."""
    with room(request.param) as made:
        yield made
