"""Makes the folder of a new package from a template."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conf.names import check_name
from functions.package_templates import template_path
from host.authoring.faults import AuthoringError
from host.full_disk import is_out_of_room, tell_cause, tell_full

PLACEHOLDER = "NAME"
YAML, TEXT = "function.yaml", "README.md"
"""The files in which the name stands; in the first one as YAML reads it, whatever it may look like."""


def make_package(folder: Path, template: str) -> list[Path]:
    """Write the template's files into `folder`, which must be new or empty; returns them, sorted.

    The function is called as the folder is. Raises AuthoringError.
    """
    try:
        name = check_name(folder.absolute().name)
    except ValueError as error:
        raise AuthoringError(str(error)) from None
    is_new = not folder.exists()
    try:
        folder.mkdir(exist_ok=True)
        if first := next(folder.iterdir(), None):
            raise AuthoringError(
                f"{folder} is not empty (it has {first.name}); choose another name, or empty it first"
            )
        with _undone(folder, is_new):
            _write(folder, template, name)
    except FileExistsError:
        raise AuthoringError(f"{folder} is a file; choose another name") from None
    except OSError as error:
        if is_out_of_room(error):
            raise AuthoringError(f"{tell_full(folder.absolute().parent)}, or go to another disk") from None
        why = tell_cause(error)
        raise AuthoringError(f"{folder} cannot be made ({why}); go to a folder of yours") from None
    return sorted(path for path in folder.rglob("*") if path.is_file())


@contextmanager
def _undone(folder: Path, is_new: bool) -> Iterator[None]:
    """What cannot be written as a whole goes again; a folder that was there before is as empty as it was."""
    try:
        yield
    except OSError:
        for path in [folder] if is_new else list(folder.iterdir()):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        raise


def _write(folder: Path, template: str, name: str) -> None:
    shutil.copytree(
        template_path(template),
        folder,
        ignore=shutil.ignore_patterns("__pycache__"),
        copy_function=shutil.copyfile,
        dirs_exist_ok=True,
    )
    _replace(folder / YAML, json.dumps(name, ensure_ascii=False))
    _replace(folder / TEXT, name)


def _replace(file: Path, name: str) -> None:
    file.write_text(file.read_text("utf-8").replace(PLACEHOLDER, name), encoding="utf-8")
