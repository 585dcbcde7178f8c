"""What comes back from instances, read into the outcome that each event's caller waits for."""

import time
from functools import partial

from conf.topics import matches
from runtime.answers import MalformedAnswerError, read_answer
from runtime.dispatch.streams import Joined, Pieces, PieceStream, StreamOverflowError
from runtime.dispatch.ticket import Ticket
from runtime.events import Answer, FunctionRaisedError, InstanceDiedError, InvocationError
from runtime.observations import Observer, Run, result_of
from runtime.scaling.servicetime import ServiceTime
from runtime.slot import Slot
from runtime.spec import PoolSpec
from runtime.worker.frames import PIECE_COST, STREAM_WINDOW, Head

LONGEST = 1e6
PIECE, END = "piece", "end"


class Outcomes:
    """Settles events, counts how they ended, and learns how long one takes."""

    def __init__(self, spec: PoolSpec, observer: Observer) -> None:
        self.spec = spec
        self._observer = observer
        self.ok = 0
        self.failed = 0
        self.service = ServiceTime(spec.batch.max_size if spec.batch else 1)
        self._label = spec.label  # made anew at each look, and looked at for each answer

    def take_in(self, slot: Slot, head: Head, body: bytes) -> None:
        """One frame about an event, from the instance that runs it."""
        kind = head.get("k")
        if kind == PIECE:
            self._take_piece(slot, head, body)
            return
        ticket = slot.running.pop(head["n"], None)
        if ticket is None:
            slot.check_sent(head["n"])
            return
        ticket.end()
        slot.answered += 1
        if kind == END and ticket.pieces is not None:
            head = {**ticket.pieces.head, **head, "k": "ok"}
            body = ticket.pieces.body() + body
        elif kind == END and ticket.future.done():
            # Its caller had gone before the first piece.
            self.abandon(ticket)
            return
        # Told by an instance, for answers and for what it raised: any number, or none.
        told = head.get("s")
        seconds = told if isinstance(told, float) and 0.0 <= told < LONGEST else None
        if ticket.share and seconds is not None:
            self.service.note(seconds, ticket.share)
        self.settle(ticket, self._read(slot, head, body), seconds)

    def settle(self, ticket: Ticket, outcome: Answer | InvocationError, seconds: float | None = None) -> None:
        """Tell the caller, if he still waits; `seconds` is how long the function ran, where that is known."""
        if ticket.future.done():
            if ticket.pieces is not None:
                self._end_stream(ticket, ticket.pieces, outcome, seconds)
            else:
                self._observe(ticket, None, seconds)
            return
        if ticket.event.account is not None:
            ticket.event.account.end(outcome)
        self._observe(ticket, outcome, seconds)
        if isinstance(outcome, Answer):
            self.ok += 1
            ticket.future.set_result(outcome)
        else:
            self.failed += 1
            ticket.future.set_exception(outcome)

    def abandon(self, ticket: Ticket) -> None:
        """Nobody waited for its end any more."""
        self._observe(ticket, None, None)

    def _observe(
        self, ticket: Ticket, outcome: Answer | InvocationError | None, seconds: float | None
    ) -> None:
        if ticket.told:
            return
        ticket.told = True
        now, sent = time.monotonic(), ticket.sent
        result = result_of(outcome)
        run = Run(self.spec, ticket.event, outcome, result, ticket.arrived, sent, now, seconds, ticket.pid)
        if outcome is not None:
            outcome.revision, outcome.digest = self._label, self.spec.sha256
            outcome.seconds = ran = run.ran if seconds is None else seconds
            # As `run.queued` has it, without another call.
            outcome.queued = waited if (waited := now - ticket.arrived - ran) > 0.0 else 0.0
        self._observer.ended(run)

    def _read(self, slot: Slot, head: Head, body: bytes) -> Answer | InvocationError:
        try:
            answer = read_answer(head, body, self._label, self.spec.mask)
            if isinstance(answer, Answer) and answer.publications:
                self._check_topics(answer)
            return answer
        except MalformedAnswerError as error:
            slot.kill(f"it sent a malformed answer: {error}")
            return InstanceDiedError(f"the instance of {self._label} sent a malformed answer: {error}")

    def _check_topics(self, answer: Answer) -> None:
        # An honest worker has refused them already; the function may have changed its worker.
        for publication in answer.publications:
            if not any(matches(allowed, publication.topic) for allowed in self.spec.publish):
                raise MalformedAnswerError(
                    f"its manifest does not allow to publish to {publication.topic!r:.200}"
                )

    def _take_piece(self, slot: Slot, head: Head, piece: bytes) -> None:
        ticket = slot.running.get(head["n"])
        if ticket is None:
            slot.check_sent(head["n"])
            return
        if ticket.pieces is None and not ticket.future.done():
            self._open_stream(slot, ticket, head)
        if ticket.pieces is None or ticket.future.cancelled():
            # Whoever asked has gone, or was told that it is too late.
            slot.cancel(ticket)
            self._spill(slot, ticket, piece)
            return
        try:
            ticket.pieces.push(piece)
            if ticket.event.account is not None and ticket.event.streams:
                ticket.event.account.sent(len(piece))
        except StreamOverflowError as error:
            self._overflow(slot, ticket, error)

    def _spill(self, slot: Slot, ticket: Ticket, piece: bytes) -> None:
        # An honest instance stops once it hears of the end; until then it sends no more than it had room for.
        ticket.spilled += len(piece) + PIECE_COST
        if ticket.spilled > STREAM_WINDOW + self.spec.max_result:
            slot.kill("it went on with an answer that nobody takes")

    def _open_stream(self, slot: Slot, ticket: Ticket, head: Head) -> None:
        room = partial(slot.give_room, ticket)
        if not ticket.event.streams:
            ticket.pieces = Joined(head, room, self.spec.max_result)
            return
        answer = self._read(slot, {**head, "k": "ok", "s": 0.0}, b"")
        if isinstance(answer, Answer):
            answer.digest, answer.queued = self.spec.sha256, ticket.sent - ticket.arrived
            most = STREAM_WINDOW + self.spec.max_result
            ticket.pieces = answer.stream = PieceStream(head, room, most, partial(slot.cancel, ticket))
            ticket.future.set_result(answer)
        else:
            self.settle(ticket, answer)

    def _overflow(self, slot: Slot, ticket: Ticket, error: StreamOverflowError) -> None:
        if ticket.event.streams:
            slot.kill(str(error))
            return
        slot.cancel(ticket)
        ticket.pieces = None
        self.settle(ticket, FunctionRaisedError("ResultError", str(error), []))

    def _end_stream(
        self, ticket: Ticket, pieces: Pieces, outcome: Answer | InvocationError, seconds: float | None
    ) -> None:
        if not pieces.end(outcome if isinstance(outcome, InvocationError) else None):
            self.abandon(ticket)
            return
        if ticket.event.account is not None:
            ticket.event.account.end(outcome)
        handed = ticket.future.result()
        if isinstance(outcome, Answer):
            # Whoever observes it sees that its body went elsewhere.
            outcome.stream = handed.stream
        self._observe(ticket, outcome, seconds)
        if isinstance(outcome, InvocationError):
            self.failed += 1
            return
        self.ok += 1
        handed.seconds, handed.publications = outcome.seconds, outcome.publications
