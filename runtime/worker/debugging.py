"""pdb for one event: stops in the package's own files, and shows no frames of ours."""

import bdb
import contextlib
import fcntl
import os
import pdb
import sys
import termios
import traceback
from types import CodeType, FrameType, TracebackType
from typing import Any

from .failures import LoadError
from .single import Outcome, Single

Stack = list[tuple[FrameType, int]]

_OURS = (f"{os.path.dirname(os.path.abspath(__file__))}/", "<frozen ", bdb.__file__, pdb.__file__)
_BETWEEN = f"{os.path.dirname(os.__file__)}/asyncio/"
_SKIPPED = [f"{__package__}*", "asyncio*", "contextlib", "importlib*", "bdb", "pdb"]


def debug(single: Single, wish: dict[str, Any]) -> Outcome | None:
    """Run the event under pdb; None when the person has quit.

    Without `breaks` it stops at the first line of the entry function; with `post_mortem` it stops nowhere but
    where the function raised.
    """
    take_terminal()
    debugger = Debugger(single.given.around.code_folders)
    try:
        if wish["post_mortem"]:
            return _look_at_failure(single, debugger)
        if wish["breaks"]:
            for file, line in wish["breaks"]:
                debugger.stop_at(file, line)
            # From the start: the line may be one of the module, or of a hook.
            debugger.runcall(single.load)
        else:
            single.load()
            debugger.stop_in(single)
        return debugger.runcall(single.call)
    except bdb.BdbQuit:
        return None
    except BaseException as error:  # noqa: BLE001 - user code: whatever it raises is its failure
        return single.fail(error.with_traceback(_behind_us(error.__traceback__)))


def take_terminal() -> None:
    """Make the terminal that we are given, if any, that of our session: its Ctrl-C is ours."""
    found = next((each for each in (0, 1, 2) if os.isatty(each)), None)
    if found is not None:
        with contextlib.suppress(OSError):
            fcntl.ioctl(found, termios.TIOCSCTTY, 0)


def _behind_us(trace: TracebackType | None) -> TracebackType | None:
    """From the first frame on that is not ours, nor pdb's."""
    while trace is not None and trace.tb_next is not None and _is_ours(trace.tb_frame):
        trace = trace.tb_next
    return trace


def _look_at_failure(single: Single, debugger: "Debugger") -> Outcome:
    try:
        single.load()
        outcome = single.call()
    except BaseException as error:  # noqa: BLE001 - user code: whatever it raises is its failure
        failed = single.fail(error)
        lines = failed.failure["stack"] if failed.failure else traceback.format_exception(error)
        print("\n".join(line.rstrip("\n") for line in lines), file=sys.stderr, flush=True)
        if error.__traceback__ is not None:
            debugger.reset()
            debugger.interaction(None, error.__traceback__)
        return failed
    print("this time it did not fail", file=sys.stderr, flush=True)
    return outcome


class Debugger(pdb.Pdb):
    """Stops at breakpoints first; from then on wherever the person wants to go, in the package and beyond."""

    def __init__(self, folders: tuple[str, ...]) -> None:
        super().__init__(skip=_SKIPPED)
        self._folders = folders
        self._has_stopped = False

    def stop_at(self, file: str, line: int) -> None:
        """A breakpoint; raises LoadError for a line without code."""
        path = next(
            (found for each in self._folders if os.path.isfile(found := os.path.join(each, file))), None
        )
        if path is None:
            raise LoadError(f"there is no {file} in the package, so nothing can stop at {file}:{line}")
        lines = _lines_with_code(path)
        if line not in lines:
            near = min((each for each in lines if each > line), default=max(lines, default=0))
            raise LoadError(f"{file}:{line} has no code to stop at; the nearest line with some is {near}")
        self.set_break(path, line)

    def stop_in(self, single: Single) -> None:
        """A breakpoint at the first line of the entry function, for the first time."""
        code = _entry_code(single)
        if code is None:
            self._has_stopped = True
        else:
            self.set_break(code.co_filename, code.co_firstlineno, temporary=True, funcname=code.co_name)

    def stop_here(self, frame: FrameType) -> bool:
        """Nowhere before the first breakpoint."""
        return self._has_stopped and super().stop_here(frame)

    def user_line(self, frame: FrameType) -> None:
        """A breakpoint, or the line that was stepped to."""
        self._has_stopped = True
        super().user_line(frame)

    def get_stack(self, f: FrameType | None, t: TracebackType | None) -> tuple[Stack, int]:
        """The frames without ours; of a failure the innermost of the package is the current one."""
        stack, index = super().get_stack(f, t)
        kept = [each for each in stack if not _is_ours(each[0])]
        if not kept:
            return stack, index
        if t is None and index < len(stack) and stack[index] in kept:
            return kept, kept.index(stack[index])
        inside = tuple(f"{folder}/" for folder in self._folders)
        own = [at for at, (frame, _) in enumerate(kept) if frame.f_code.co_filename.startswith(inside)]
        return kept, own[-1] if own else len(kept) - 1


def _is_ours(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith((*_OURS, _BETWEEN))


def _entry_code(single: Single) -> CodeType | None:
    import inspect

    module = sys.modules[single.entry.module]
    names = [*([] if single.entry.is_batch else single.entry.names), *single.entry.batch_names]
    found = next((getattr(module, name) for name in names if callable(getattr(module, name, None))), None)
    call = inspect.unwrap(found) if found is not None else None
    code = getattr(call, "__code__", None) or getattr(getattr(call, "__call__", None), "__code__", None)  # noqa: B004
    return code if isinstance(code, CodeType) else None


def _lines_with_code(path: str) -> set[int]:
    with open(path, "rb") as file:
        todo = [compile(file.read(), path, "exec", dont_inherit=True)]
    lines: set[int] = set()
    while todo:
        code = todo.pop()
        lines.update(line for _, _, line in code.co_lines() if line)
        todo += [each for each in code.co_consts if isinstance(each, CodeType)]
    return lines
