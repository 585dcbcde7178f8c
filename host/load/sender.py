"""What puts events on a function, one at a time and without waiting: the interface of HTTP and MQTT."""

from collections.abc import Callable
from typing import Protocol

MARK = "x-fnhost-bench"
"""Header or user property that every event of a load carries, with the value `1`."""

Done = Callable[[str], None]
"""Hears once what became of an event: "" for an answer, else what went wrong, in a word or two (`429`)."""


class SenderError(Exception):
    """Nothing can be sent; the text is one sentence with the remedy."""


class NoAnswerError(Exception):
    """The function does not answer the very first event; `wrong` is as told to Done, "" for silence."""

    def __init__(self, text: str, wrong: str = "") -> None:
        super().__init__(text)
        self.wrong = wrong


class Sender(Protocol):
    """A way to one function, opened before the load begins."""

    async def open(self) -> None:
        """Be ready to send; raises SenderError."""

    async def close(self) -> None:
        """Hang up."""

    def send(self, done: Done) -> None:
        """Send an event as soon as a connection has room for it, which may be later."""

    async def settle(self, patience: float) -> bool:
        """Come to rest after a step: whether the function has nothing left to do for it.

        What was not answered is taken back where that is possible, else waited for, for `patience` seconds.
        """

    def explain(self, wrong: str) -> str:
        """A sentence on what went wrong last, in the host's words where it said some."""
