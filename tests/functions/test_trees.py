"""Folders that a function may have written: deleted, measured and handed over however deep, past no link."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions import disk_use
from functions.child import run_child
from functions.trees import delete_tree, give_tree, open_folder

DEEP = 1500
"""Deeper than Python calls itself, and the path longer than PATH_MAX."""


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """A folder that nobody gets to the end of by paths, with 1 MiB there."""
    folder = tmp_path / "output" / "evil"
    folder.mkdir(parents=True)
    back = os.open(".", os.O_RDONLY)
    os.chdir(folder)
    try:
        for _ in range(DEEP):
            os.mkdir("deeper")
            os.chdir("deeper")
        Path("large").write_bytes(bytes(2**20))
    finally:
        os.fchdir(back)
        os.close(back)
    yield folder
    delete_tree(folder)


def test_a_deep_folder_is_deleted_and_what_its_links_lead_to_stays(deep: Path, tmp_path: Path) -> None:
    (kept := tmp_path / "kept").mkdir()
    (kept / "file").touch()
    (deep / "link").symlink_to(kept)
    (deep / "closed").mkdir(mode=0)
    assert delete_tree(deep)
    assert not deep.exists() and (kept / "file").exists()
    (deep.parent / "link").symlink_to(kept)
    assert delete_tree(deep.parent / "link") and (kept / "file").exists()
    assert delete_tree(tmp_path / "nothing" / "there")


def test_a_deep_folder_is_measured_to_its_end(deep: Path, tmp_path: Path) -> None:
    assert disk_use.measure(str(tmp_path), ["output"])["output/evil"] >= 2**20
    command = disk_use.command(str(tmp_path), ("output",))
    told = asyncio.run(run_child(Path(sys.executable), command, 30))
    assert b'{"output/evil": ' in told


def test_only_what_the_owner_of_a_folder_has_in_it_is_handed_over(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives folders away")
    (other := tmp_path / "other").touch()
    (folder := tmp_path / "folder" / "inner").mkdir(parents=True)
    (folder / "own").touch()
    (folder / "theirs").touch()
    os.chown(folder / "theirs", 300_009, 300_009)
    (folder / "second-name").hardlink_to(other)
    (folder / "link").symlink_to(other)
    opened = open_folder(tmp_path / "folder")
    give_tree(opened, 300_007)
    os.close(opened)
    owners = {path.name: path.lstat().st_uid for path in (folder.parent, folder, *folder.iterdir())}
    changed = dict.fromkeys(("folder", "inner", "own"), 300_007)
    assert owners == {**changed, "theirs": 300_009, "second-name": 0, "link": 0}
