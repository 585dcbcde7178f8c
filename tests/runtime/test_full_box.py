"""What the host does of a box: its user, its folders, and what is left when it has ended."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.boxes.box import BoxGrounds
from runtime.boxes.boxes import Boxes
from runtime.boxes.uids import Uids
from runtime.spec import PoolSpec
from tests.worker.boxed import reachable_python

IDS = range(300_000, 301_024)


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
