"""Turns an exception of the package into a record that can travel: type, message, place, stack without us."""

import traceback
from types import TracebackType
from typing import Any

MAX_STACK_LINES = 60
MAX_TEXT = 4000

Record = dict[str, Any]


class LoadError(Exception):
    """The package cannot be used as it is; the message says where and what to do."""

    def __init__(self, message: str, place: str | None = None) -> None:
        super().__init__(message)
        self.place = place


def describe_failure(error: BaseException, package_dir: str) -> Record:
    """`type`, `message`, `place` (`index.py:12` inside the package, or None) and `stack` (text lines)."""
    if isinstance(error, LoadError):
        return {"type": "LoadError", "message": str(error), "place": error.place, "stack": []}
    trace = skip_our_frames(error.__traceback__, package_dir)
    lines = "".join(traceback.format_exception(type(error), error, trace)).splitlines()
    return {
        "type": type(error).__qualname__,
        "message": _text_of(error)[:MAX_TEXT],
        "place": _place_of(error, trace, package_dir),
        "stack": [line[:MAX_TEXT] for line in lines[-MAX_STACK_LINES:]],
    }


def skip_our_frames(trace: TracebackType | None, package_dir: str) -> TracebackType | None:
    """The traceback from the package's first frame on; None when it never came that far."""
    while trace is not None and not trace.tb_frame.f_code.co_filename.startswith(package_dir):
        trace = trace.tb_next
    return trace


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - a package's exception may have a __str__ that raises
        return "(its message cannot be printed)"


def _place_of(error: BaseException, trace: TracebackType | None, package_dir: str) -> str | None:
    if isinstance(error, SyntaxError) and error.filename:
        return _relative(error.filename, error.lineno or 0, package_dir)
    place = None
    for frame in traceback.extract_tb(trace):
        if frame.filename.startswith(package_dir):
            place = _relative(frame.filename, frame.lineno or 0, package_dir)
    return place


def _relative(filename: str, line: int, package_dir: str) -> str:
    return f"{filename.removeprefix(package_dir).lstrip('/')}:{line}"
