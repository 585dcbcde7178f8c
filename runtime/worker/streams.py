"""Results that come piece by piece: how a piece is encoded, and how many may be under way."""

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from types import AsyncGeneratorType, GeneratorType
from typing import Any, Protocol

from .answers import AnswerWriter
from .context import Context
from .frames import PIECE_COST, STREAM_WINDOW, Head
from .payload import BYTES_TYPE, TEXT_TYPE, Response, ResultError, encode_json, encode_text

STREAMS = (GeneratorType, AsyncGeneratorType)
LINES_TYPE = "application/x-ndjson"

Stream = Generator[object, Any, Any] | AsyncGenerator[object, Any]
Piece = tuple[bytes, int]


class Window:
    """What one event has sent and the host has not taken, in bytes, and whether anybody wants the rest.

    A piece counts with its bytes and PIECE_COST.
    """

    __slots__ = ("is_cancelled", "is_lifted", "outstanding")

    def __init__(self) -> None:
        self.outstanding = 0
        self.is_cancelled = False
        # The host has closed its side and cannot say any more what it took: the socket alone is the limit.
        self.is_lifted = False

    def takes(self, size: int) -> bool:
        """Whether a piece need not wait (any longer)."""
        room = not self.outstanding or self.outstanding + size <= STREAM_WINDOW
        return room or self.is_lifted or self.is_cancelled

    def hear(self, head: Head) -> None:
        """What the host says of this event: it took some of it, or nobody wants the rest."""
        if head["op"] == "more":
            self.outstanding -= head["bytes"]
        elif head["op"] == "cancel":
            self.is_cancelled = True


class Outlet(Protocol):
    """Where the pieces of an event go."""

    def send_piece(self, number: int, piece: Piece) -> bool:
        """Send when there is room; False when nobody wants it any more."""


class AsyncOutlet(Protocol):
    """The same on an event loop."""

    async def send_piece(self, number: int, piece: Piece) -> bool:
        """Send when there is room; False when nobody wants it any more."""

    def is_cancelled(self, number: int) -> bool:
        """Whether nobody wants the rest of this event's pieces."""


class PieceWriter:
    """Writes the frames of one event's pieces; only the first tells the content type."""

    def __init__(self, context: Context, answers: AnswerWriter) -> None:
        self._context = context
        self._answers = answers
        self._opening: Head = {}
        self._has_begun = False

    def write(self, piece: object) -> Piece | None:
        """A frame and its part of the window; None for a Response that has no body. Raises ResultError."""
        if isinstance(piece, Response):
            self._open(piece)
            if piece.body is None:
                return None
            piece = piece.body
        body, kind = encode_piece(piece)
        head = {"n": self._context.number, "k": "piece"}
        if not self._has_begun:
            head |= {"ct": kind, **self._opening}
            self._has_begun = True
        return self._answers.bound(head, body), len(body) + PIECE_COST

    def end(self, seconds: float) -> bytes:
        """The frame behind the last piece; an answer like any other where there was none."""
        told = {"k": "end"} if self._has_begun else self._opening or {"k": "none"}
        return self._answers.seal(self._context, b"", told, seconds)

    def _open(self, response: Response) -> None:
        if self._has_begun or self._opening:
            raise ResultError("a Response can only be the first piece that a generator yields")
        told = {} if response.content_type is None else {"ct": response.content_type}
        self._opening = {**told, "st": response.status, "h": response.headers}


def encode_piece(piece: object) -> tuple[bytes, str]:
    """Bytes as they are, text as UTF-8, anything else as a line of JSON; raises ResultError."""
    if isinstance(piece, bytes | bytearray | memoryview):
        return bytes(piece), BYTES_TYPE
    if isinstance(piece, str):
        return encode_text(piece), TEXT_TYPE
    return encode_json(piece) + b"\n", LINES_TYPE


def send_pieces(stream: Stream, writer: PieceWriter, outlet: Outlet, number: int) -> bool:
    """Whether the stream came to its end; else it is closed, since nobody wants the rest."""
    pieces = stream if isinstance(stream, Generator) else _drive(stream)
    is_wanted = True
    try:
        with closing(pieces):
            for each in pieces:
                piece = writer.write(each)
                is_wanted = piece is None or outlet.send_piece(number, piece)
                if not is_wanted:
                    break
    except BaseException:
        # What a generator does at its closing, such as to yield once more, fails nobody.
        if is_wanted:
            raise
    return is_wanted


async def send_pieces_async(stream: Stream, writer: PieceWriter, outlet: AsyncOutlet, number: int) -> bool:
    """The same on an event loop, where a plain generator keeps its neighbours waiting between its yields."""
    pieces = _follow(stream) if isinstance(stream, Generator) else stream
    async with aclosing(pieces):
        async for each in pieces:
            piece = writer.write(each)
            if piece and not await outlet.send_piece(number, piece):
                return False
    return True


def _drive(stream: AsyncGenerator[object, Any]) -> Generator[object, None, None]:
    """An async generator that a plain function returned, on an event loop of its own."""
    import asyncio

    with asyncio.Runner() as runner:
        try:
            while True:
                try:
                    piece = runner.run(_next_of(stream))
                except StopAsyncIteration:
                    return
                yield piece
        finally:
            runner.run(stream.aclose())


async def _next_of(stream: AsyncGenerator[object, Any]) -> object:
    return await anext(stream)


async def _follow(stream: Generator[object, Any, Any]) -> AsyncGenerator[object, None]:
    with closing(stream):
        for piece in stream:
            yield piece
