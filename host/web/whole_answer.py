"""The protocol of the web port: small requests and answers pass as a whole, known heads unparsed.

ASGI has an application wait for a request's body and send an answer's head and body one after the other; each
of the two is a system call and a segment of its own. A server may offer more through `scope["extensions"]`;
this one offers `fnhost.exchange` (`docs/decisions/a-whole-answer-is-one-write.md` says what it is worth).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from host.web.crowd import Crowd
from host.web.exchange import Exchange
from host.web.guarded import GuardedProtocol
from host.web.header_lines import join_lines, status_line
from host.web.known_heads import LONGEST_HEAD, KnownHeads
from host.web.refusal import Refusal
from runtime.events import Answer, new_id
from triggers.asgi import EXCHANGE, Receive, Scope, Send
from triggers.http import Asked, Caller
from triggers.http_answers import encode_plain

MOST_PARTS = 4
"""So many parts of a request are held and joined; one that comes in more is the parser's."""
_END = b"\r\n\r\n"


class ShortCycle(RequestResponseCycle):
    """A request with a known head: no scope and no task, unless its answer is more than plain."""

    disconnected = False
    response_started = False
    response_complete = False
    more_body = False
    keep_alive = True

    def __init__(self, connection: "WholeAnswerProtocol", caller: Caller) -> None:
        # uvicorn's own constructor is left to `_go_on`, since it costs more than all else here.
        self._connection = connection
        self.asked = Asked(caller, connection.peer, caller.request_id or new_id())
        self.message_event = connection.nobody_waits

    def answered(self, future: "asyncio.Future[Answer]") -> None:
        """The answer is there, or the reason why there is none."""
        connection = self._connection
        if connection.transport.is_closing():
            # To look at an error that nobody will see is to say that it was seen.
            if not future.cancelled() and future.exception() is None and (stream := future.result().stream):
                stream.cancel()
            return
        if not future.cancelled() and future.exception() is None and not connection.flow.write_paused:
            answer = future.result()
            lines = encode_plain(answer, self.asked.request_id)
            if lines is not None:
                connection.write_whole(self, 200, lines, answer.body or b"")
                return
        self.go_on(future)

    def go_on(self, future: "asyncio.Future[Answer]") -> None:
        """Answer as a request is answered that went the long way."""
        connection, exchange = self._connection, Exchange(self._connection, self)
        super().__init__(
            scope={"type": "http", "method": "POST", "http_version": "1.1"},  # type: ignore[typeddict-item]
            transport=connection.transport,
            flow=connection.flow,
            logger=connection.logger,
            access_logger=connection.access_logger,
            access_log=False,
            default_headers=connection.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=self.keep_alive,
            on_response=connection.on_response_complete,
        )
        self.more_body = False

        async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
            await connection.heads.trigger.answer(self.asked, future, send, exchange)

        connection._start_asgi_task(self, answer)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Grounds:
    """What all connections share."""

    heads: KnownHeads
    crowd: Crowd


class WholeAnswerProtocol(GuardedProtocol):
    """HTTP/1.1 within bounds, an `Exchange` for each request, and no timer for each answer.

    `running` is the request that is being answered, and what is to be called when its caller hangs up.
    `_head` is set while the parser reads the bytes that begin with it.
    """

    running: tuple[RequestResponseCycle, Callable[[], object]] | None = None
    _between = True
    _held = b""
    _parts = 0
    _head: bytes | None = None

    def __init__(
        self,
        grounds: Grounds,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(grounds.crowd, config, server_state, app_state, _loop)
        self.heads = grounds.heads
        self.nobody_waits = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller has hung up: nobody waits for what has not started."""
        super().connection_lost(exc)
        if self.running is not None:
            cycle, forget = self.running
            cycle.disconnected = True
            self.running = None
            forget()

    def watch(self, cycle: RequestResponseCycle, forget: Callable[[], object]) -> None:
        """Call `forget` when the caller hangs up, which is noticed only by reading on."""
        self.running = cycle, forget
        if not self.pipeline:
            self.flow.resume_reading()

    def data_received(self, data: bytes) -> None:
        """A part of a request, or several; one that is whole and has a known head goes the short way."""
        if self._deaf:
            return
        self._head = None
        if self._held:
            data, self._held = self._held + data, b""
        else:
            self._parts = 0
        if self._between and (self.cycle is None or self.cycle.response_complete) and self._pass_by(data):
            return
        super().data_received(data)
        self._head = None

    def _pass_by(self, data: bytes) -> bool:
        """Take a whole request with a known head, or hold a part of one; False: it is the parser's."""
        end = data.find(_END, 0, LONGEST_HEAD) + len(_END)
        if end < len(_END):
            return False
        caller = self.heads.find(data[:end])
        if caller is None:
            self._head = data[:end]
            return False
        missing = end + caller.length - len(data)
        if missing > 0 and self._parts < MOST_PARTS:
            self._hold(data, len(data) - end)
            return True
        if missing:
            return False
        self._dispatch(caller, data[end:])
        return True

    def _hold(self, data: bytes, got: int) -> None:
        if not self._parts:
            self._since = None
        self._held, self._parts = data, self._parts + 1
        self.note_part(0)
        self._got = got

    def _dispatch(self, caller: Caller, body: bytes) -> None:
        self.cycle = cycle = ShortCycle(self, caller)
        future = self.heads.trigger.submit(cycle.asked, body)
        self.running = cycle, future.cancel
        future.add_done_callback(cycle.answered)

    def on_message_begin(self) -> None:
        """The parser is inside of a request."""
        self._between = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A request's head is read; the application begins in the next turn of the loop."""
        super().on_headers_complete()
        self.scope["extensions"] = {EXCHANGE: Exchange(self, self.cycle)}  # type: ignore[dict-item]
        if self._head is not None:
            if self.cycle.keep_alive and not self.parser.should_upgrade():
                self.heads.learn(self._head, self.scope)  # type: ignore[arg-type]
            self._head = None

    def on_message_complete(self) -> None:
        """The parser is between two requests, unless what follows is none."""
        super().on_message_complete()
        self._between = self.parser.should_keep_alive() and not self.parser.should_upgrade()

    def write_whole(self, cycle: RequestResponseCycle, status: int, headers: bytes, body: bytes) -> None:
        """Send a whole answer in one write, and go on to the next request."""
        cycle.response_started = cycle.response_complete = True
        ours = join_lines(*self.server_state.default_headers)
        closing = b"" if cycle.keep_alive else b"connection: close\r\n"
        self.transport.write(b"%b%b%b%b\r\n%b" % (status_line(status), ours, headers, closing, body))
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def on_response_complete(self) -> None:
        """As uvicorn's, but for the timer that would close the connection: `Crowd.look` looks after all."""
        self.running = None
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.idle_since = self.loop.time()
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())

    def refuse(self, refusal: Refusal) -> None:
        """Answer with a problem, and hang up; of what is held nothing runs any more."""
        self._held = b""
        super().refuse(refusal)

    def is_idle(self) -> bool:
        """Whether it is the caller's turn, and nothing of a request is here."""
        return not self._held and super().is_idle()

    def is_under_way(self) -> bool:
        """Whether a part of a request is here that is not all of it."""
        return bool(self._held) or super().is_under_way()

    def shutdown(self) -> None:
        """Accept no more; a request of which a part is here is accepted."""
        if self._held:
            held, self._held = self._held, b""
            super().data_received(held)
        super().shutdown()
