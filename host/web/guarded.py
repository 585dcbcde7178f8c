"""uvicorn's protocol with bounds: on what a head may hold, and on how slowly a caller may send and read."""

import asyncio
from itertools import chain

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from host.web.bounds import LEAST_RATE
from host.web.crowd import Crowd
from host.web.header_lines import join_lines, status_line
from host.web.peers import name_peer
from host.web.refusal import (
    LARGE_HEAD,
    LONG_URL,
    MANY_AT_ONCE,
    NO_HTTP,
    SLOW_BODY,
    SLOW_HEAD,
    Refusal,
)

MOST_URL = 8 * 1024
MOST_HEADERS = 100
MOST_HEAD = 32 * 1024
"""For names and values of all headers, in bytes."""
MOST_UNREAD = MOST_URL + 2 * MOST_HEAD
"""Bytes of a head that is not complete, beside those of its first part; or of a body between two pieces."""
MOST_WAITING = 100
UPLOAD = "/api/functions"


class RefusedError(Exception):
    """Raised while the parser reads a head, to have it stop there."""


class _Nowhere(list[tuple[bytes, bytes]]):
    """Takes what the parser reads where headers were and are no more: what follows a body in chunks."""

    def append(self, header: tuple[bytes, bytes]) -> None:
        """Forget it: nobody has asked for trailers, and they would pass for headers."""


class GuardedProtocol(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, within `crowd.bounds`.

    `idle_since` is the event loop's time of the last answer, of the last part of a request that is not all
    here, or of the connection itself. The head or body that is on its way has its clock in `_since` (of its
    first part), and its bytes so far in `_got`, of which `_unfed` were no body; `_unsent` is what the caller
    had not taken at the last look, and `_most_unsent` what it had not when the last of it was written. Who
    is `_deaf` takes no more requests.
    """

    idle_since = 0.0
    peer = ""
    _in_head = _in_body = _fed = _deaf = False
    _since: float | None = None
    _got = _unfed = 0
    _unsent = _most_unsent = 0
    _unsent_since = _most_since = 0.0
    _refusal: Refusal | None = None
    _nowhere = _Nowhere()

    def __init__(
        self,
        crowd: Crowd,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.crowd = crowd

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A caller has connected."""
        super().connection_made(transport)
        self.client = name_peer(transport, self.client)
        self.peer = self.client[0] if self.client else ""
        self.idle_since = self.loop.time()
        self.crowd.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller has hung up, or was made to."""
        self.crowd.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """What the parser is to read."""
        if self._deaf:
            return
        self._fed = False
        super().data_received(data)
        if self._in_head or self._in_body:
            self.note_part(len(data))

    def note_part(self, size: int) -> None:
        """A request has begun or gone on, and is not complete."""
        now = self.idle_since = self.loop.time()
        if self._since is None:
            # What came with the end of another request is not counted.
            self._since, self._got = now, 0
            return
        self._got += size
        self._unfed = 0 if self._fed else self._unfed + size
        if self._unfed > MOST_UNREAD:
            self.refuse(LARGE_HEAD)

    def on_message_begin(self) -> None:
        """A request has begun."""
        self._in_head, self._since, self._unfed = True, None, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A request's head is read."""
        self._refusal = self._too_much()
        if self._refusal is not None:
            raise RefusedError
        self._in_head, self._in_body, self._since = False, True, None
        super().on_headers_complete()
        self.headers = self._nowhere

    def on_body(self, body: bytes) -> None:
        """A part of a request's body."""
        self._fed = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is here as a whole."""
        self._in_body = False
        super().on_message_complete()

    def _too_much(self) -> Refusal | None:
        if len(self.url) > MOST_URL:
            return LONG_URL
        if len(self.headers) > MOST_HEADERS:
            return LARGE_HEAD
        if sum(map(len, chain.from_iterable(self.headers))) > MOST_HEAD:
            return LARGE_HEAD
        return MANY_AT_ONCE if len(self.pipeline) >= MOST_WAITING else None

    def send_400_response(self, msg: str) -> None:
        """The parser has stopped: at what is no HTTP, or at what is too much."""
        self.refuse(self._refusal or NO_HTTP)

    def refuse(self, refusal: Refusal) -> None:
        """Answer with a problem, and hang up; what was asked before is answered first."""
        self._deaf = True
        cycle = self.cycle
        waits = cycle is not None and not cycle.response_complete
        if waits and not self._in_body:
            # The newest of those before, after which the connection ends.
            cycle.keep_alive = False
            return
        if waits:
            is_next = not (cycle.response_started or self.pipeline)
            cycle.disconnected = True
            cycle.message_event.set()
        else:
            is_next = not self._in_body
        if is_next:
            self._say(refusal)
        self.transport.close()

    def _say(self, refusal: Refusal) -> None:
        headers, body = refusal.whole()
        lines = join_lines(*self.server_state.default_headers) + join_lines(*headers)
        self.transport.write(b"%b%b\r\n%b" % (status_line(refusal.status), lines, body))

    def resume_writing(self) -> None:
        """The caller takes its answer."""
        self._unsent = 0
        super().resume_writing()

    def is_idle(self) -> bool:
        """Whether it is the caller's turn, and nothing of a request is here."""
        if self._in_head or self._in_body:
            return False
        return self.cycle is None or self.cycle.response_complete

    def is_in_head(self) -> bool:
        """Whether a part of a request's head is here that is not all of it."""
        return self._in_head

    def look(self, now: float) -> None:
        """Close it if its caller takes too long to send, or to read; `now` is the event loop's time."""
        if self._is_stuck(now):
            self.crowd.closed["that took nothing of their answers"] += 1
            self.hang_up()
        elif self.transport.is_closing() or self._deaf:
            return
        elif self.is_under_way():
            self._look_at_request(now)
        elif self.is_idle() and now - self.idle_since > self.crowd.bounds.idle_time:
            self.transport.close()

    def is_under_way(self) -> bool:
        """Whether a part of a request is here that is not all of it."""
        return self._in_head or self._in_body

    def hang_up(self) -> None:
        """Close it at once, whatever is on its way."""
        self.transport.abort()

    def _is_stuck(self, now: float) -> bool:
        unsent, patience = self.transport.get_write_buffer_size(), self.crowd.bounds.write_time
        if unsent > self._unsent or not unsent:
            self._most_unsent, self._most_since = unsent, now
        if unsent != self._unsent or not unsent:
            self._unsent, self._unsent_since = unsent, now
        took = now - self._most_since
        # The kernel takes much at a time, so that a shorter look at a rate would see none.
        trickles = took > patience and self._most_unsent - unsent < took * LEAST_RATE
        return now - self._unsent_since > patience or (trickles and not self._is_streaming())

    def _is_streaming(self) -> bool:
        return self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete

    def _look_at_request(self, now: float) -> None:
        asked = self._in_body and self.cycle.waiting_for_100_continue
        if self._since is None or asked or self.flow.read_paused or self.pipeline:
            # It is the host that takes its time.
            self._since, self._got = now, 0
            return
        took, bounds = now - self._since, self.crowd.bounds
        if self._in_head:
            slow = SLOW_HEAD if took > bounds.header_time else None
        else:
            late = took > bounds.body_time and not self._is_upload()
            trickles = took > bounds.header_time and self._got < took * LEAST_RATE
            slow = SLOW_BODY if late or trickles else None
        if slow is not None:
            self.crowd.closed["that sent too slowly"] += 1
            self.refuse(slow)

    def _is_upload(self) -> bool:
        return self._in_body and self.scope["method"] == "POST" and self.scope["path"] == UPLOAD
