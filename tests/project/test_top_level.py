"""The top level of the repository holds what it should and nothing else."""

from tests.order import SLOW
from tests.project.tree import tracked_files

FOLDERS = {"host", "functions", "triggers", "runtime", "conf", "tests", "docs", ".ci"}
FILES = {
    "Dockerfile",
    "pyproject.toml",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
}


def test_the_top_level_is_what_it_is_said_to_be() -> None:
    top = {name.split("/")[0] for name in tracked_files()}
    assert top == FOLDERS | FILES | {".gitignore"}


def test_no_module_is_named_for_being_useful() -> None:
    stems = {name.rpartition("/")[2].removesuffix(".py") for name in tracked_files() if name.endswith(".py")}
    assert not stems & {"utils", "util", "helpers", "common", "misc", "base", "core", "manager"}


def test_the_files_that_begin_first_are_there() -> None:
    assert {f"tests/{name}" for name in SLOW} <= set(tracked_files())
