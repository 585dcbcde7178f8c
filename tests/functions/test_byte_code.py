"""Byte code is written without running anything, and its absence is no failure."""

import sys
from pathlib import Path

from functions.byte_code import write_byte_code


def test_what_compiles_gets_byte_code_and_nothing_of_it_is_run(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    (tmp_path / "inner").mkdir()
    (tmp_path / "index.py").write_text(f"open({str(marker)!r}, 'w')\n")
    (tmp_path / "inner" / "sitecustomize.py").write_text(f"open({str(marker)!r}, 'w')\n")
    (tmp_path / "broken.py").write_text("def index(:\n")
    (tmp_path / "deep.py").write_text("(" * 5000 + ")" * 5000)
    write_byte_code(Path(sys.executable), [tmp_path, tmp_path / "nowhere"])
    tag = sys.implementation.cache_tag
    assert sorted(path.name for path in tmp_path.rglob("*.pyc")) == [
        f"index.{tag}.pyc",
        f"sitecustomize.{tag}.pyc",
    ]
    assert not marker.exists()


def test_an_interpreter_that_does_not_run_is_left_for_the_start_to_tell(tmp_path: Path) -> None:
    write_byte_code(tmp_path / "python", [tmp_path])
