"""Turns an exception of the package into a record that can travel: type, message, place, stack without us."""

import importlib
import os
import sys
import traceback
from typing import Any

from .box_plan import BoxPlan
from .hints import hint_for
from .masks import Mask

MAX_STACK_LINES = 60
MAX_STACK_TEXT = 64 * 1024
MAX_TEXT = 4000

# A subinterpreter has no gunicorn, and none of its frames.
_FILES = [__file__, *(sys.modules[name].__file__ or "" for name in ("gunicorn",) if name in sys.modules)]
_HIDDEN = (*(f"{os.path.dirname(file)}/" for file in _FILES), "<frozen importlib")
# Hidden only where we called them: the package may call them itself.
_BETWEEN = (f"{os.path.dirname(importlib.__file__)}/", f"{os.path.dirname(os.__file__)}/asyncio/")

OPEN = BoxPlan()

Record = dict[str, Any]


class LoadError(Exception):
    """The package cannot be used as it is; the message says where and what to do."""

    __module__ = "fnhost"

    def __init__(self, message: str, place: str | None = None) -> None:
        super().__init__(message)
        self.place = place


def describe_failure(
    error: BaseException, code_folders: tuple[str, ...], box: BoxPlan = OPEN, mask: Mask = str
) -> Record:
    """`type`, `message`, `place` and `stack` (text lines), masked before they are cut.

    The message ends with a hint where the box caused the error. The place is `index.py:12` in the first of
    the folders, which is the package, a whole path in the others, or None.
    """
    try:
        told = traceback.TracebackException.from_exception(error, compact=True)
        has_frames = _remove_our_frames(told)
        stack = _bounded(mask("".join(told.format())).splitlines())
        place = _place_of(error, told, code_folders)
    except Exception:  # noqa: BLE001 - a package's exception may fail at every touch
        has_frames, stack, place = True, ["(its traceback cannot be printed)"], None
    if isinstance(error, LoadError):
        # Found while loading it is about a file, not about a call.
        place, stack = error.place or place, stack if has_frames else []
    return {
        "type": mask(type(error).__qualname__)[:MAX_TEXT],
        "message": mask(_text_of(error))[:MAX_TEXT] + mask(_hint_of(error, box))[:MAX_TEXT],
        "place": place,
        "stack": stack,
    }


def _hint_of(error: BaseException, box: BoxPlan) -> str:
    try:
        hint = hint_for(error, box)
    except BaseException:  # noqa: BLE001 - a package's exception may raise anything at every touch
        return ""
    return f" ({hint})" if hint else ""


def _remove_our_frames(told: traceback.TracebackException) -> bool:
    """Whether any frame is left, in the exception, its causes and its group."""
    left, todo = False, [told]
    while todo:
        each = todo.pop()
        each.stack = traceback.StackSummary.from_list(_package_frames(each.stack))
        left = left or bool(each.stack)
        inner = (each.__cause__, each.__context__, *(each.exceptions or ()))
        todo += [one for one in inner if one is not None]
    return left


def _package_frames(stack: traceback.StackSummary) -> list[traceback.FrameSummary]:
    frames, behind_us = [], False
    for frame in stack:
        if frame.filename.startswith(_HIDDEN):
            behind_us = True
        elif not (behind_us and frame.filename.startswith(_BETWEEN)):
            frames.append(frame)
            behind_us = False
    return frames


def _bounded(lines: list[str]) -> list[str]:
    """The last lines, since they say most; together they must fit into a frame's head."""
    kept: list[str] = []
    room = MAX_STACK_TEXT
    for line in reversed(lines[-MAX_STACK_LINES:]):
        cut = line[:MAX_TEXT]
        room -= len(cut)
        if room < 0:
            break
        kept.append(cut)
    return kept[::-1]


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # noqa: BLE001 - a package's exception may have a __str__ that raises anything
        return "(its message cannot be printed)"


def _place_of(
    error: BaseException, told: traceback.TracebackException, code_folders: tuple[str, ...]
) -> str | None:
    inside = tuple(f"{folder}/" for folder in code_folders)
    if isinstance(error, SyntaxError) and str(error.filename).startswith(inside):
        return f"{str(error.filename).removeprefix(inside[0])}:{error.lineno or 0}"
    places = [
        f"{frame.filename.removeprefix(inside[0])}:{frame.lineno}"
        for frame in told.stack
        if frame.filename.startswith(inside)
    ]
    return places[-1] if places else None
