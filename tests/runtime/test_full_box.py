"""What the host does of a box: its user, its folders, and what is left when it has ended."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast
from unittest import mock

import pytest

from runtime.boxes.box import BoxGrounds
from runtime.boxes.boxes import Boxes
from runtime.boxes.cgroups import GroupLimits
from runtime.boxes.places import SHARED_MEMORY
from runtime.boxes.uids import Uids
from runtime.spec import PoolSpec
from tests.runtime.test_uids import start_as
from tests.worker.boxed import reachable_python

ANY = cast(int, mock.ANY)
IDS = range(300_000, 301_024)


class Groups:
    """Control groups that only note what they are told."""

    def __init__(self) -> None:
        self.joined: list[GroupLimits] = []

    def group(self, label: str) -> "Groups":
        return self

    def join(self, pid: int, limits: GroupLimits) -> dict[str, str]:
        self.joined.append(limits)
        return {}

    def remove(self) -> bool:
        return True


@pytest.fixture
def grounds(open_folder: Path) -> Iterator[BoxGrounds]:
    """Every wall but cgroups, in a folder that every user may reach."""
    uids = Uids(open_folder, IDS, open_folder / "locks")
    (open_folder / "tmp").mkdir()
    yield BoxGrounds(open_folder / "tmp", open_folder, (), open_folder, {}, uids=uids)
    uids.close()


@pytest.fixture
def spec(open_folder: Path) -> PoolSpec:
    """A function whose package anybody may read."""
    python, output = Path(reachable_python()), open_folder / "output" / "f"
    return PoolSpec("f", 1, "", python, open_folder, output)


def test_what_a_package_names_weakens_no_box_and_opens_nothing(grounds: BoxGrounds, spec: PoolSpec) -> None:
    named = ("/proc/slabinfo", "/root")
    box = Boxes(grounds).open(replace(spec, python_path=named))
    plan = box.enter(os.getpid())
    box.leave()
    assert plan.uid in IDS and not set(named) & set(plan.reads)


def test_a_process_that_is_shared_owns_only_the_folders_that_it_is_given(
    grounds: BoxGrounds, spec: PoolSpec
) -> None:
    home = spec.output_dir.parent
    box = Boxes(grounds).open(replace(spec, isolation="subinterpreter", output_dir=home))
    plan = box.enter(os.getpid())
    box.give(home / "f")
    box.leave()
    assert (home.stat().st_uid, (home / "f").stat().st_uid) == (0, plan.uid)


def test_what_a_user_leaves_in_shared_memory_goes_with_his_last_box(
    grounds: BoxGrounds, spec: PoolSpec, tmp_path: Path
) -> None:
    boxes = Boxes(grounds)
    old, new = boxes.open(spec), boxes.open(spec)
    uid = old.enter(os.getpid()).uid
    assert uid is not None and new.enter(os.getpid()).uid == uid
    left = Path(SHARED_MEMORY, f"fnhost-test-{uid}-{os.getpid()}")
    left.touch()
    os.chown(left, uid, uid)
    old.leave()
    assert left.exists()
    new.leave()
    assert not left.exists()


def test_only_processes_of_functions_are_killed_and_a_function_that_is_no_more_has_none(
    grounds: BoxGrounds,
) -> None:
    assert grounds.uids is not None
    uid, builder = grounds.uids.uid("f"), grounds.uids.uid("+build+f")
    boxes = Boxes(grounds)
    with start_as(uid) as mine, start_as(IDS.stop - 1) as foreign:
        assert boxes.clear() == 1 and mine.wait(10) == -9 and foreign.poll() is None
        foreign.kill()
    with start_as(builder) as late:
        boxes.keep({"f"})
        assert late.poll() is None and len(grounds.uids.given) == 2
        boxes.keep(())
        assert late.wait(10) == -9 and grounds.uids.given == {}


def test_a_pool_without_a_limit_has_that_of_all(grounds: BoxGrounds, spec: PoolSpec) -> None:
    groups = Groups()
    box = Boxes(replace(grounds, cgroups=groups, memory=7)).open(spec)  # type: ignore[arg-type]
    with start_as(0) as process:
        box.enter(process.pid)
        assert int(Path(f"/proc/{process.pid}/oom_score_adj").read_text()) >= 500
        process.kill()
    assert groups.joined == [GroupLimits(7, None, ANY)]
    box.leave()
