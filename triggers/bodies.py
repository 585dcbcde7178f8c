"""Reads the bodies of events as they come, within what all of them together may take of the memory."""

from runtime.events import InvocationError, TooLargeError, UnavailableError
from triggers.asgi import Receive

MOST = 256 * 1024 * 1024
SMALL = 64 * 1024
"""Bytes of each body that do not count: so much of one lies in its connection anyway."""


class ManyBodiesError(UnavailableError):
    """The bodies that are under way take as much memory as they may."""


class Bodies:
    """Counts those that are under way: `taken` bytes, of which there may be `most`, which may be changed.

    A body alone may always be read.
    """

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.taken = 0

    async def read(self, receive: Receive, most: int) -> bytes:
        """A request's body of at most so many bytes.

        Raises TooLargeError, ManyBodiesError, and InvocationError when its caller goes away.
        """
        parts: list[bytes] = []
        size = counted = 0
        try:
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise InvocationError("the caller went away while it sent the event")
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > most:
                    raise too_large(most)
                counted = self._count(counted, size)
                more = message.get("more_body", False)
            return b"".join(parts)
        finally:
            self.taken -= counted

    def _count(self, before: int, size: int) -> int:
        counted = max(0, size - SMALL)
        others = self.taken - before
        if others and counted and others + counted > self.most:
            raise ManyBodiesError(
                f"other events of {others} bytes are on their way, as many as may (`limits.bodies`)"
            )
        self.taken = others + counted
        return counted


def too_large(most: int) -> TooLargeError:
    """Why a body of more bytes is not taken."""
    return TooLargeError(f"an event may have {most} bytes at most (`limits.max_body`)")
