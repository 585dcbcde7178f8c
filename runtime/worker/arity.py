"""Calls an entry point with as many of event and context as it takes."""

import inspect
from collections.abc import Callable
from typing import Any

from .failures import LoadError

MOST = 2  # event and context


def adapt(entry: Callable[..., Any], place: str) -> Callable[[Any, Any], Any]:
    """`entry` as a callable of event and context; raises LoadError when it needs more than these."""
    count = _count(entry, place)
    if count == MOST:
        return entry
    return (lambda event, context: entry(event)) if count else (lambda event, context: entry())


def _count(entry: Callable[..., Any], place: str) -> int:
    try:
        # A decorator's own signature, and that of what it decorates: both may have to take them.
        outer, inner = inspect.signature(entry, follow_wrapped=False), inspect.signature(entry)
    except (TypeError, ValueError):
        return MOST  # written in C, which does not tell
    counts = [count for count in (2, 1, 0) if _takes(outer, count)]
    if not counts:
        raise LoadError(
            f"the entry point cannot be called with (event, context): it is defined with {outer}", place
        )
    return next((count for count in counts if _takes(inner, count)), counts[0])


def _takes(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True
