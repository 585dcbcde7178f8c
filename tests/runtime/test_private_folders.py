"""Folders of functions: made, handed from user to user, and never in a place that a function can change."""

import os
from pathlib import Path

import pytest

from runtime.boxes.folders import make_passage, make_private

FIRST, SECOND = 300_001, 300_002

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")


def test_a_folder_goes_to_its_user_with_what_is_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "output" / "f"
    make_private(folder, FIRST)
    (folder / "inner").mkdir()
    os.chown(folder / "inner", FIRST, FIRST)
    make_private(folder, SECOND)
    assert (folder.stat().st_uid, (folder / "inner").stat().st_uid) == (SECOND, SECOND)
    assert (folder.parent.stat().st_uid, folder.stat().st_mode & 0o777) == (0, 0o700)


def test_a_link_in_the_place_of_a_folder_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    (target := tmp_path / "target").mkdir(mode=0o755)
    (link := tmp_path / "f").symlink_to(target)
    with pytest.raises(OSError, match="Not a directory"):
        make_private(link, FIRST)
    assert (target.stat().st_uid, target.stat().st_mode & 0o777) == (0, 0o755)


def test_nothing_is_made_where_a_function_could_put_a_link_until_the_place_is_taken_back(
    tmp_path: Path,
) -> None:
    (home := tmp_path / "shared").mkdir(mode=0o700)
    os.chown(home, FIRST, FIRST)
    with pytest.raises(OSError, match="another user's folder"):
        make_private(home / "f", FIRST)
    make_passage(home)
    make_private(home / "f", FIRST)
    assert (home.stat().st_uid, home.stat().st_mode & 0o777, (home / "f").stat().st_uid) == (0, 0o711, FIRST)
