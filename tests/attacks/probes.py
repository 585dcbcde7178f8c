"""Lies in every hostile package: runs attempts one after another and tells what became of each."""

import ctypes
import errno
import os
from collections.abc import Callable, Mapping


def run(attempts: Mapping[str, Callable[[], object]]) -> dict[str, str]:
    """Call each attempt; returns by its name "done", "done: RESULT", or the error that stopped it."""
    told = {}
    for name, attempt in attempts.items():
        try:
            result = attempt()
            told[name] = "done" if result is None else f"done: {result!r}"[:300]
        except OSError as error:
            told[name] = errno.errorcode.get(error.errno or 0, str(error))
        except BaseException as error:
            told[name] = f"{type(error).__name__}: {error}"[:300]
    return told


def syscall(number: int, *arguments: int) -> int:
    """One system call as it is; raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(each) for each in arguments])
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(result)
