"""The folders that every arbiter imports from."""

from pathlib import Path

from runtime.overlay import prepare_overlay


def test_what_a_crash_left_half_built_goes_and_what_is_whole_stays(tmp_path: Path) -> None:
    built = prepare_overlay(tmp_path)
    made = (built.arbiter / "gunicorn" / "__init__.py").stat().st_mtime_ns
    (tmp_path / ".building-x1" / "arbiter").mkdir(parents=True)
    assert prepare_overlay(tmp_path) == built
    assert list(tmp_path.iterdir()) == [built.arbiter.parent]
    assert (built.arbiter / "gunicorn" / "__init__.py").stat().st_mtime_ns == made
