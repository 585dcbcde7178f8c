"""The JSON Schema by which a package says what its events look like: for people and forms, never enforced."""

import json
from pathlib import Path, PurePosixPath
from typing import Any

from functions.errors import PackageError

LONGEST = 64 * 1024
DEEPEST = 32
REMEDY = "write a JSON Schema, or the name of a .json file of the package"


def check_input(value: object) -> object:
    """A schema, or the path of its file; raises ValueError."""
    if isinstance(value, str):
        return _check_path(value)
    if value is not None:
        check_schema(value)
    return value


def check_schema(value: object) -> dict[str, Any]:
    """The schema; raises ValueError for what is no object, over 64 KiB of JSON, or over 32 levels deep."""
    if not isinstance(value, dict):
        raise ValueError(f"is no object; {REMEDY}")  # noqa: TRY004 - the manifest collects ValueErrors
    _check_depth(value)
    try:
        size = len(json.dumps(value, allow_nan=False, ensure_ascii=False).encode())
    except (TypeError, ValueError):
        raise ValueError("has a value that JSON cannot say, such as a date; put it in quotes") from None
    if size > LONGEST:
        raise ValueError(f"has {size:,} bytes of JSON; {LONGEST:,} are allowed: shorten it")
    return value


def read_schema(root: Path, path: str) -> dict[str, Any]:
    """The schema in the file `path` of the package in `root`; raises PackageError."""
    file = root / path
    if not file.is_file() or not file.resolve().is_relative_to(root.resolve()):
        raise PackageError(
            f"`input` is to be {path!r}, which is not in the package: add it, or mend that", path
        )
    with file.open("rb") as opened:
        content = opened.read(LONGEST + 1)
    if len(content) > LONGEST:
        raise PackageError(
            f"{path}, the schema of `input`, is larger than {LONGEST:,} bytes; shorten it", path
        )
    schema = _parse(content, path)
    try:
        return check_schema(schema)
    except ValueError as error:
        raise PackageError(f"{path}, the schema of `input`, {error}", path) from None


def _parse(content: bytes, path: str) -> object:
    try:
        return json.loads(content.decode("utf-8-sig"))
    except RecursionError:
        raise PackageError(f"{path}, the schema of `input`, is nested too deeply; flatten it", path) from None
    except ValueError as error:
        raise PackageError(f"{path}, the schema of `input`, is not JSON: {error}; mend it", path) from None


def _check_path(path: str) -> str:
    parts = PurePosixPath(path).parts
    if path.startswith("/") or ".." in parts or "\\" in path or "\0" in path or not path.endswith(".json"):
        raise ValueError(f"{path!r} is not a .json file of the package; {REMEDY}, relative to its folder")
    return path


def _check_depth(schema: object) -> None:
    level, depth = [schema], 0
    while level:
        if depth > DEEPEST:
            raise ValueError(f"is nested deeper than {DEEPEST} levels; flatten it")
        level = [inner for each in level for inner in _inner(each)]
        depth += 1


def _inner(value: object) -> list[object]:
    if isinstance(value, dict) and (strange := [key for key in value if not isinstance(key, str)]):
        raise ValueError(f"has the key {strange[0]!r}, which is no text; put it in quotes")
    found = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [each for each in found if isinstance(each, dict | list)]
