"""The functions that the events of rules go to."""

from collections.abc import Callable
from dataclasses import dataclass

from runtime.events import Dispatch


def unknown(_function: str) -> int | None:
    """Nothing is known of any function."""
    return None


@dataclass(frozen=True)
class Feed:
    """How they are given events; `max_event` gives the bytes that one takes, None where that is not known."""

    dispatch: Dispatch
    max_event: Callable[[str], int | None] = unknown
