"""What a person is told of an error that nobody foresaw, in place of its traceback."""

import os
from collections.abc import Mapping

VARIABLE = "FNHOST_DEBUG"


def wants_traceback(env: Mapping[str, str]) -> bool:
    """Whether the traceback is to be printed as Python does."""
    return env.get(VARIABLE, "") not in ("", "0")


def has_no_folder(error: Exception) -> bool:
    """Whether it is because the folder that the command was called in is no more."""
    if not isinstance(error, FileNotFoundError):
        return False
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def tell(error: Exception) -> str:
    """A sentence with where the traceback is; it is kept in a file that only this user can read."""
    import tempfile
    import traceback

    said = f"fnhost failed where it should not: {type(error).__name__}: {error}"
    try:
        descriptor, file = tempfile.mkstemp(prefix="fnhost-traceback-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as stream:
            stream.writelines(traceback.format_exception(error))
    except OSError:
        return f"{said}; run it again with {VARIABLE}=1 to see where"
    return f"{said}; report it with {file}, which says where"
