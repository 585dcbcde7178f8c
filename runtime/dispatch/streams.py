"""The host's end of a streamed answer: its pieces on their way from the instance to whoever takes them."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from runtime.events import InvocationError
from runtime.worker.frames import PIECE_COST, Head

Room = Callable[[int], None]
"""Tells the instance that so many bytes were taken; a piece counts with PIECE_COST beside its own."""


class Pieces(Protocol):
    """What has come of a streamed answer; `head` is that of its first piece."""

    head: Head

    def push(self, piece: bytes) -> None:
        """One more piece; raises StreamOverflowError when it is one too many."""

    def body(self) -> bytes:
        """What is to be told as one body at the end."""

    def end(self, error: InvocationError | None) -> bool:
        """Nothing more comes; whether a reader did not know that yet."""


class StreamOverflowError(Exception):
    """More came than there was room for."""


class Joined:
    """Pieces for a caller that takes one body only.

    `most` is its size in bytes; each piece after the first counts with PIECE_COST beside its own.
    """

    def __init__(self, head: Head, room: Room, most: int) -> None:
        self.head = head
        self._room = room
        self._most = most
        self._pieces: list[bytes] = []
        self._size = -PIECE_COST  # one piece alone may have as many bytes as an answer that is none of pieces

    def push(self, piece: bytes) -> None:
        """Keep it."""
        size = len(piece) + PIECE_COST
        self._size += size
        if self._size > self._most:
            raise StreamOverflowError(
                f"the pieces of the result have more than {self._most} bytes together (with {PIECE_COST} for "
                "each but the first), and this caller takes them as one; raise `max_result` in function.yaml"
            )
        self._pieces.append(piece)
        self._room(size)

    def body(self) -> bytes:
        """All of them."""
        return b"".join(self._pieces)

    def end(self, error: InvocationError | None) -> bool:
        """There is no reader."""
        return False


class PieceStream:
    """Pieces as they come, for one reader; `most` bytes at most, counted likewise, may wait for it."""

    def __init__(self, head: Head, room: Room, most: int, cancel: Callable[[], None]) -> None:
        self.head = head
        self._room = room
        self._most = most
        self._cancel = cancel
        self._pieces: deque[bytes] = deque()
        self._waiting = 0
        self._ended = False
        self._error: InvocationError | None = None
        self._reader: asyncio.Future[None] | None = None

    def push(self, piece: bytes) -> None:
        """Hand it to the reader."""
        self._waiting += len(piece) + PIECE_COST
        if self._waiting > self._most:
            raise StreamOverflowError("it streamed more than it had room for")
        self._pieces.append(piece)
        self._wake()

    def body(self) -> bytes:
        """Nothing: the reader has it."""
        return b""

    def end(self, error: InvocationError | None) -> bool:
        """The reader gets what has come, and then the error, if there is one."""
        if self._ended:
            return False
        self._ended, self._error = True, error
        self._wake()
        return True

    def cancel(self) -> None:
        """Nobody reads on."""
        self._pieces.clear()
        if not self._ended:
            self._ended = True
            self._cancel()

    def __aiter__(self) -> "PieceStream":
        return self

    async def __anext__(self) -> bytes:
        while not self._pieces:
            if self._ended:
                raise self._error or StopAsyncIteration
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        piece = self._pieces.popleft()
        size = len(piece) + PIECE_COST
        self._waiting -= size
        if not self._ended:
            self._room(size)
        return piece

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
