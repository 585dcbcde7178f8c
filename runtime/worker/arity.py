"""Calls an entry point with as many of event and context as it takes."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .failures import LoadError
from .plain import is_plain, takes_two

if TYPE_CHECKING:
    from inspect import Signature

MOST = 2  # event and context


def adapt(entry: Callable[..., Any], place: str) -> Callable[[Any, Any], Any]:
    """`entry` as a callable of event and context; raises LoadError when it needs more than these."""
    count = _count(entry, place)
    if count == MOST:
        return entry
    return (lambda event, context: entry(event)) if count else (lambda event, context: entry())


def _count(entry: Callable[..., Any], place: str) -> int:
    if is_plain(entry) and takes_two(entry):
        return MOST
    import inspect

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


def _takes(signature: "Signature", count: int) -> bool:
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True
