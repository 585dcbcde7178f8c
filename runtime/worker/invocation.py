"""One event through the function: decode, call, encode, and a frame with what came of it."""

import time
from collections.abc import Callable
from typing import NamedTuple

from .answers import AnswerWriter, Rules, write_expired
from .context import Context, Surroundings
from .frames import Head
from .loader import Function
from .logs import LogPipe
from .payload import decode_event
from .streams import STREAMS, AsyncOutlet, Outlet, PieceWriter, Stream, send_pieces, send_pieces_async

_clock = time.monotonic


class Means(NamedTuple):
    """What every invocation of a process uses; `mark(number)` notes in shared memory which one has begun."""

    around: Surroundings
    rules: Rules
    pipe: LogPipe
    mark: Callable[[int], None]


class Runner:
    """Runs events, in any number of threads or tasks; never raises for what the function does."""

    def __init__(self, function: Function, means: Means) -> None:
        self._call = function.call
        self._around = means.around
        self._wanted = (means.rules.accepts, means.rules.json_depth)
        self._pipe = means.pipe
        self._mark = means.mark
        self._answers = AnswerWriter(means.rules, means.pipe)

    def run(self, head: Head, body: bytes, outlet: Outlet) -> bytes:
        """The frame that answers an event; the pieces of a streamed result go to the outlet before."""
        started = _clock()
        if started >= head["dl"]:
            return write_expired(head["n"])
        self._mark(head["n"])
        self._pipe.begin(head["id"])
        context = Context(self._around, head)
        try:
            result = self._call(decode_event(body, head.get("ct"), self._wanted), context)
            if isinstance(result, STREAMS):
                frame = self._stream(context, result, outlet)
            else:
                frame = self._answers.write(context, result, started)
        except BaseException as error:  # noqa: BLE001 - user code: whatever it raises is its failure, not ours
            frame = self._answers.fail(context, error, _clock() - started)
        self._pipe.end()
        return frame

    async def run_async(self, head: Head, body: bytes, outlet: AsyncOutlet) -> bytes:
        """The same for a coroutine function or an async generator function."""
        started = _clock()
        if started >= head["dl"]:
            return write_expired(head["n"])
        self._mark(head["n"])
        self._pipe.begin(head["id"])
        context = Context(self._around, head)
        try:
            result = self._call(decode_event(body, head.get("ct"), self._wanted), context)
            if not isinstance(result, STREAMS):
                result = await result
            if isinstance(result, STREAMS):
                frame = await self._stream_async(context, result, outlet)
            else:
                frame = self._answers.write(context, result, started)
        except BaseException as error:  # noqa: BLE001 - user code, and its cancellation, which is answered too
            frame = self._answers.fail(context, error, _clock() - started)
        self._pipe.end()
        return frame

    def _stream(self, context: Context, stream: Stream, outlet: Outlet) -> bytes:
        started, writer = _clock(), PieceWriter(context, self._answers)
        if not send_pieces(stream, writer, outlet, context.number):
            return write_expired(context.number)
        return writer.end(_clock() - started)

    async def _stream_async(self, context: Context, stream: Stream, outlet: AsyncOutlet) -> bytes:
        started, writer = _clock(), PieceWriter(context, self._answers)
        try:
            if not await send_pieces_async(stream, writer, outlet, context.number):
                return write_expired(context.number)
        except BaseException:
            if outlet.is_cancelled(context.number):
                return write_expired(context.number)
            raise
        return writer.end(_clock() - started)
