"""What is written down of an asynchronous invocation as it goes on; each step makes a new record."""

from dataclasses import dataclass, replace
from typing import cast

from runtime.events import Answer, Event, FunctionRaisedError, InvocationError
from triggers.delivery.letters import EVENT
from triggers.http_answers import problem
from triggers.store.rows import Head, Invocation, Letter
from triggers.trace_context import trace_of

WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"


@dataclass(frozen=True)
class End:
    """When an invocation ended and until when it is kept (seconds since the epoch), after how many runs."""

    moment: float
    expires: float
    attempts: int


def done(record: Invocation, event: Event, answer: Answer, end: End) -> Invocation:
    """The function has answered."""
    told: Head = {
        "status": 204 if answer.body is None else answer.status,
        "contentType": answer.content_type,
        "headers": dict(answer.headers),
        "revision": answer.revision,
        "digest": answer.digest,
        "queued": answer.queued,
        "seconds": answer.seconds,
        **trace_of(event),
    }
    return replace(_ended(record, DONE, end), result=told, body=answer.body, error={})


def answer_of(record: Invocation) -> Answer:
    """What the function answered, of an invocation that is done."""
    told = record.result
    return Answer(
        record.body,
        str(told["contentType"]),
        cast(int, told["status"]),
        cast(dict[str, str], told["headers"]),
        revision=str(told["revision"]),
        # Those of earlier versions have none of these.
        digest=cast(str, told.get("digest", "")),
        queued=cast(float, told.get("queued", 0.0)),
        seconds=cast(float, told.get("seconds", 0.0)),
    )


def failed(record: Invocation, event: Event, error: BaseException, end: End) -> Invocation:
    """It failed for good."""
    told = error_of(error, record.id) | trace_of(event)
    return replace(_ended(record, FAILED, end), error=told, result={}, body=None)


def cancelled(record: Invocation, end: End) -> Invocation:
    """Somebody has called it off; that nobody is called back is what they expect."""
    return replace(_ended(record, CANCELLED, end), callback_state="")


def _ended(record: Invocation, state: str, end: End) -> Invocation:
    return replace(
        record,
        state=state,
        attempts=end.attempts,
        finished=end.moment,
        expires=end.expires,
        callback_state=WAITING if record.callback else "",
    )


def error_of(error: BaseException, request_id: str) -> Head:
    """The problem of RFC 9457 for any error."""
    known = error if isinstance(error, InvocationError) else InvocationError(_words(error))
    return problem(known, request_id)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


@dataclass(frozen=True)
class Case:
    """An event that failed for good: where its row stood, and after how many runs it failed, when."""

    lane: str
    head: Head
    body: bytes
    end: End


def letter_of(seq: int, record: Invocation, case: Case, error: BaseException) -> Letter:
    """The dead letter of an invocation that has failed."""
    raised = error if isinstance(error, FunctionRaisedError) else None
    return Letter(
        seq,
        EVENT,
        case.lane,
        rule="",
        function=record.function,
        event_id=record.id,
        head=case.head,
        body=case.body,
        attempts=case.end.attempts,
        error_type=raised.error_type if raised else type(error).__name__.removesuffix("Error"),
        message=raised.message if raised else str(error),
        first=record.created,
        died=case.end.moment,
        stack=tuple(raised.stack) if raised else (),
    )
