"""Makes the folder of a new package from a template."""

import json
import shutil
from pathlib import Path

from conf.names import check_name
from functions.package_templates import template_path
from host.authoring.faults import AuthoringError

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
    try:
        folder.mkdir(exist_ok=True)
        if first := next(folder.iterdir(), None):
            raise AuthoringError(
                f"{folder} is not empty (it has {first.name}); choose another name, or empty it first"
            )
        shutil.copytree(
            template_path(template),
            folder,
            ignore=shutil.ignore_patterns("__pycache__"),
            copy_function=shutil.copyfile,
            dirs_exist_ok=True,
        )
        _replace(folder / YAML, json.dumps(name, ensure_ascii=False))
        _replace(folder / TEXT, name)
    except FileExistsError:
        raise AuthoringError(f"{folder} is a file; choose another name") from None
    except OSError as error:
        raise AuthoringError(f"{folder} cannot be made ({error.strerror}); go to a folder of yours") from None
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _replace(file: Path, name: str) -> None:
    file.write_text(file.read_text("utf-8").replace(PLACEHOLDER, name), encoding="utf-8")
