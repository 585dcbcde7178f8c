"""Looks at plain functions without `inspect`, which takes as long to import as all our own modules."""

from types import FunctionType
from typing import Any, TypeGuard

CO_COROUTINE, CO_ASYNC_GENERATOR = 0x80, 0x200
"""Flags of a code object (docs.python.org, inspect, "Code Objects Bit Flags")."""


def is_plain(call: Any) -> TypeGuard[FunctionType]:
    """Whether this is a function as `def` made it, which no decorator has wrapped or marked."""
    return isinstance(call, FunctionType) and not vars(call)


def is_async(call: FunctionType) -> bool:
    """Whether it is written with `async def`."""
    return bool(call.__code__.co_flags & (CO_COROUTINE | CO_ASYNC_GENERATOR))


def takes_two(call: FunctionType) -> bool:
    """Whether it is written with just two parameters, given by position."""
    return call.__code__.co_argcount == 2 and not call.__code__.co_kwonlyargcount
