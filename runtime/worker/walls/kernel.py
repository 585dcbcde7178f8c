"""Calls to the kernel that Python has no function for."""

import ctypes
import functools
import os

Argument = int | bytes


class BoxError(Exception):
    """A wall of the box could not be put up, and going on would be less safe than asked for."""


def syscall(number: int, *arguments: Argument) -> int:
    """syscall(2); bytes are passed as a pointer to them. Raises OSError."""
    done: int = _libc().syscall(ctypes.c_long(number), *(_word(each) for each in arguments))
    if done == -1:
        raise _last_error()
    return done


def prctl(option: int, argument: Argument = 0) -> None:
    """prctl(2) with one argument; raises OSError."""
    if _libc().prctl(option, _word(argument), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)) == -1:
        raise _last_error()


def _word(argument: Argument) -> "ctypes.c_ulong | ctypes.c_char_p":
    # As a bare int it would be cut to 32 bits.
    return ctypes.c_char_p(argument) if isinstance(argument, bytes) else ctypes.c_ulong(argument)


def _last_error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))


@functools.cache
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    return libc
