"""One place of a pool: an instance, the socket to it, and exact knowledge of what it is running."""

import asyncio
import signal
import socket
import time
from collections.abc import Callable
from typing import Any, Protocol

from runtime.dispatch.ticket import Ticket
from runtime.event_frames import encode_event
from runtime.greeting import await_greeting, receive_greeting
from runtime.instance_process import InstanceProcess
from runtime.manners import FRAMES_PER_TURN, Manners
from runtime.slot_word import SlotWord
from runtime.worker.frames import Decoder, Frame, FrameError, Head, encode

EXIT_GRACE = 1.0
KILL_GRACE = 5.0
"""Seconds after which an instance that was killed is no more, even if it had much memory to give back."""


class SlotOwner(Protocol):
    """What a slot tells its pool."""

    def slot_ready(self, slot: "Slot") -> None:
        """Its instance answered the health probe."""

    def slot_answered(self, slot: "Slot", frames: list[Frame]) -> None:
        """Answers came."""

    def slot_gone(self, slot: "Slot") -> None:
        """Its instance has ended and all it ever sent is read."""

    def slot_escaped(self, slot: "Slot") -> None:
        """What serves it cannot be killed by itself: it is not the process that it says it is."""


class Slot(asyncio.Protocol):
    """Its life: starting, then ready, perhaps retiring, then gone."""

    def __init__(self, number: int, owner: SlotOwner, max_frame: int) -> None:
        self.number = number
        self.process = InstanceProcess()
        self.made = time.monotonic()
        self.state = "starting"
        self.since = time.time()
        self.is_async = False
        self.takes_batches = False
        self.running: dict[int, Ticket] = {}
        self.status: int | None = None
        self.failure: dict[str, Any] | None = None
        self.answered = 0
        self.was_ready = False
        self.retired = False
        self.killed_for: str | None = None
        self.imported: asyncio.Future[frozenset[str]] | None = None
        self._owner = owner
        self._decoder = Decoder(max_frame, FRAMES_PER_TURN)
        self._loop = asyncio.get_running_loop()
        self._sent = 0
        self._transport: asyncio.Transport | None = None
        self._closed = False
        self._exit_wait: asyncio.TimerHandle | None = None
        self._kill_wait: asyncio.TimerHandle | None = None
        self._manners = Manners()
        self._socket, self._theirs = socket.socketpair()
        await_greeting(self._socket)
        # It lies in the socket when the instance comes up, which need not wait for us to be awake.
        self._socket.send(encode({"op": "probe"}))
        self._word = SlotWord()
        self._loop.add_reader(self._socket, self._greet)

    @property
    def pid(self) -> int:
        """Of the process that greeted us; 0 before that."""
        return self.process.pid

    def hand_over(self, send: Callable[[tuple[int, ...]], None]) -> None:
        """Give the instance's end of everything away with `send(fds)`, and keep no copy of it."""
        send((self._theirs.fileno(), self._word.fd))
        self._theirs.close()
        self._word.close()

    def has_begun(self, ticket: Ticket) -> bool:
        """Whether the instance has begun to run this event; what was seen begun stays so."""
        return self._word.read() >= ticket.number

    def send(self, tickets: list[Ticket]) -> None:
        """Hand events to the instance, all in one write."""
        now = time.monotonic()
        frames = [self._frame(ticket, now) for ticket in tickets]
        self._write(frames[0] if len(frames) == 1 else b"".join(frames))

    def send_batch(self, tickets: list[Ticket]) -> None:
        """Hand events to the instance that one call of the function is to take together."""
        (first, *others), now = tickets, time.monotonic()
        first.share = len(tickets)
        for ticket in others:
            ticket.share = 0
        frames = [
            self._frame(first, now, f',"b":{len(tickets)}'),
            *(self._frame(each, now) for each in others),
        ]
        self._write(b"".join(frames))

    def cancel(self, ticket: Ticket) -> None:
        """Ask the instance to stop running this event: a coroutine can, and one that streams its answer."""
        if not ticket.cancelled:
            ticket.cancelled = True
            self._write(encode({"op": "cancel", "event": ticket.number}))

    def ask_imported(self) -> "asyncio.Future[frozenset[str]]":
        """Have the instance say which files of installed libraries it has imported."""
        if self.imported is None:
            self.imported = self._loop.create_future()
            self._write(encode({"op": "list"}))
        return self.imported

    def give_room(self, ticket: Ticket, size: int) -> None:
        """Let the instance send so many bytes more of a streamed answer."""
        self._write(encode({"op": "more", "event": ticket.number, "bytes": size}))

    def retire(self) -> None:
        """Send no more events; the instance answers what it has, runs its shutdown hook and exits.

        Its stream is ended once it holds none: until then an event may be cancelled, and a streamed answer
        told that there is room.
        """
        self.retired = True
        self.state = "retiring"
        transport = self._transport
        if not self.running and transport is not None and not transport.is_closing():
            transport.write_eof()

    def _write(self, frames: bytes) -> None:
        # After its end of stream an instance is ours until its exit is told; what it got goes elsewhere then.
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(frames)

    def kill(self, reason: str) -> None:
        """Kill the instance, and only it; if that does not end it, its owner must."""
        self.killed_for = self.killed_for or reason
        self.process.signal(signal.SIGKILL)
        if self._kill_wait is None and self.state != "gone":
            self._kill_wait = self._loop.call_later(KILL_GRACE, self._escape)

    def _escape(self) -> None:
        if self.state != "gone":
            self._owner.slot_escaped(self)

    def forked(self, pid: int) -> None:
        """The arbiter says which process it forked for this slot; another one may not speak for it."""
        self.process.forked(pid)
        self._compare_pids()

    def _compare_pids(self) -> None:
        if self.process.is_another:
            self.killed_for = self.killed_for or "another process answered in its place"
            self._escape()

    def exited(self, status: int) -> None:
        """The arbiter has reaped the instance; `status` is as wait(2) gives it."""
        self.status = status
        if self._closed:
            self._finish()
        else:
            # A process that the function started may hold the socket open for ever.
            self._exit_wait = self._loop.call_later(0.2, self._abandon)

    def _abandon(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        else:
            self._close_greeting()
            self._closed = True
            self._finish()

    def _frame(self, ticket: Ticket, now: float, more: str = "") -> bytes:
        self._sent += 1
        ticket.number, ticket.sent, ticket.pid = self._sent, now, self.pid
        self.running[self._sent] = ticket
        return encode_event(ticket, more)

    def _greet(self) -> None:
        try:
            data, pid = receive_greeting(self._socket)
        except BlockingIOError:
            return
        self._close_greeting(keep=bool(data))
        if not data:
            self._ended()
            return
        self.process.greeted(pid)
        self._compare_pids()
        self._loop.create_task(self._connect(data))

    def _close_greeting(self, keep: bool = False) -> None:
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            if not keep:
                self._socket.close()

    async def _connect(self, first: bytes) -> None:
        await self._loop.create_unix_connection(lambda: self, sock=self._socket)
        if self.retired:
            self.retire()
        self.data_received(first)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio hands us the stream."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Answers, or the instance's word about itself."""
        try:
            frames = self._decoder.feed(data)
            answers = [frame for frame in frames if _is_about_event(frame[0]) or self._hear(frame[0])]
        except (FrameError, KeyError, TypeError) as error:
            self._cut_off(f"it sent what is no answer: {error}")
            return
        if answers:
            self._owner.slot_answered(self, answers)
        if len(frames) == FRAMES_PER_TURN and self._transport is not None:
            self._transport.pause_reading()
            self._loop.call_soon(self._go_on, self._transport)

    def _go_on(self, transport: asyncio.Transport) -> None:
        if not transport.is_closing():
            transport.resume_reading()
            self.data_received(b"")

    def _cut_off(self, reason: str) -> None:
        self.kill(reason)
        if self._transport is not None:
            # Whatever follows is read at the wrong place, or not wanted.
            self._transport.abort()

    def check_sent(self, number: int) -> None:
        """Look at an answer to an event that the instance does not run: it may be late, but not forged."""
        if not 0 < number <= self._sent:
            self._cut_off(f"it answered event {number}, which it was not given")
        self.note_unasked()

    def note_unasked(self) -> None:
        """A frame came that is of no use to anybody; too many of them cost all others their turns."""
        if self._manners.are_lost():
            self._cut_off("it sent too much that nobody asked for")

    def _hear(self, head: Head) -> bool:
        self._manners.say(head["op"])
        if head["op"] == "ready" and self.state == "starting":
            self.state = "ready"
            self.was_ready = True
            self.since = time.time()
            self.is_async = bool(head["async"])
            self.takes_batches = bool(head.get("batch"))
            self._owner.slot_ready(self)
        elif head["op"] == "imported" and self.imported is not None and not self.imported.done():
            self.imported.set_result(frozenset(str(file) for file in head["files"]))
        elif head["op"] == "failed":
            self.failure = head["error"]
        elif head["op"] not in ("hello", "ready"):
            raise FrameError("it says nothing that an instance says")
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """All that the instance sent is read."""
        self._ended()

    def _ended(self) -> None:
        self._closed = True
        self.state = "ending"
        if self.status is not None:
            self._finish()
        else:
            self._loop.call_later(EXIT_GRACE, self._kill_undead)

    def _kill_undead(self) -> None:
        if self.status is None:
            self.kill("it closed its channel and did not end")

    def _finish(self) -> None:
        if self.state == "gone":
            return
        self.state = "gone"
        for wait in (self._exit_wait, self._kill_wait):
            if wait is not None:
                wait.cancel()
        self.process.close()
        self._owner.slot_gone(self)


def _is_about_event(head: Head) -> bool:
    return head.get("n").__class__ is int
