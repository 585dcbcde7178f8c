"""Streamed answers over HTTP: each piece is sent as it comes, as a chunk or as a Server-Sent Event."""

import asyncio
import logging
import re
from dataclasses import dataclass

from runtime.events import Answer, InvocationError, Stream
from triggers.asgi import Exchange, Send
from triggers.http_answers import NO_BODY, Headers, encode_problem, encode_stream, send_answer

logger = logging.getLogger(__name__)

EVENTS = "text/event-stream"
KEEP_AWAKE = 15.0
"""Seconds of silence after which a comment keeps proxies awake (advice of the HTML standard)."""
_NOT_KEPT = ((b"cache-control", b"no-store"), (b"x-accel-buffering", b"no"))
_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Taker:
    """Who takes a stream: `events` says that each piece becomes an event; `keep_awake` is in seconds."""

    send: Send
    request_id: str
    events: bool
    exchange: Exchange | None
    keep_awake: float = KEEP_AWAKE


async def send_stream(taker: Taker, answer: Answer, stream: Stream) -> None:
    """Send an answer piece by piece; raises InvocationError for a stream that fails before its first."""
    sending = asyncio.ensure_future(_send_pieces(taker, answer, stream))
    if taker.exchange is not None:
        taker.exchange.when_gone(sending.cancel)
    try:
        await sending
    finally:
        sending.cancel()
        stream.cancel()


async def _send_pieces(taker: Taker, answer: Answer, stream: Stream) -> None:
    if answer.status in NO_BODY:
        await send_answer(taker.send, answer, taker.request_id)
        return
    events = taker.events and not answer.content_type.startswith(EVENTS)
    headers = _encode_events_head(answer) if events else encode_stream(answer, answer.content_type)
    piece = await anext(stream, None)
    closing = await _start(taker, answer.status, headers)
    try:
        while piece is not None:
            await _send_piece(taker.send, _event(piece) if events else piece)
            piece = await (_next_event(taker, stream) if events else anext(stream, None))
    except InvocationError as error:
        logger.warning(
            "the stream of %s (%s) broke off: %s",
            answer.revision,
            taker.request_id,
            error,
            extra={"id": taker.request_id},
        )
        if not events:
            # Without its last chunk: what came was not all.
            _close(taker, whole=False)
            return
        await _send_piece(taker.send, b"event: error\n" + _event(encode_problem(error, taker.request_id)))
    if closing:
        _close(taker, whole=True)
    else:
        await taker.send({"type": "http.response.body"})


def _encode_events_head(answer: Answer) -> Headers:
    ours = {name for name, _ in _NOT_KEPT}
    return [*(each for each in encode_stream(answer, EVENTS) if each[0] not in ours), *_NOT_KEPT]


def _close(taker: Taker, whole: bool) -> None:
    if taker.exchange is None:
        raise ConnectionAbortedError("the answer is cut, and only its server can hang up")
    taker.exchange.close(whole)


async def _start(taker: Taker, status: int, headers: Headers) -> bool:
    """Send the head; True if the end of the answer will be that of the connection."""
    headers.append((b"x-request-id", taker.request_id.encode()))
    closing = taker.exchange is not None and taker.exchange.end_by_closing()
    await taker.send({"type": "http.response.start", "status": status, "headers": headers})
    return closing


async def _send_piece(send: Send, piece: bytes) -> None:
    if piece:
        await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _next_event(taker: Taker, stream: Stream) -> bytes | None:
    coming = asyncio.ensure_future(anext(stream, None))
    try:
        while not (await asyncio.wait({coming}, timeout=taker.keep_awake))[0]:
            await _send_piece(taker.send, b":\n\n")
        return coming.result()
    finally:
        coming.cancel()


def _event(piece: bytes) -> bytes:
    r"""A piece in the format of Server-Sent Events (UTF-8 only, a line never holds its end).

    >>> _event(b'{"t":1}\n'), _event(b"two\r\nlines")
    (b'data: {"t":1}\n\n', b'data: two\ndata: lines\n\n')
    """
    text = piece.decode("utf-8", "replace").encode().removesuffix(b"\n")
    return b"".join([b"data: %b\n" % line for line in _LINE_END.split(text)]) + b"\n"
