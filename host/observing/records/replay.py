"""Runs the input of a record once more."""

import json
from dataclasses import dataclass
from typing import Any

from host.observing.records.record import REPLAY
from host.observing.records.redaction import without_blots
from host.observing.records.sealing import View, decode, encode
from runtime.events import (
    Answer,
    DeadlinePassedError,
    Dispatch,
    Event,
    FunctionRaisedError,
    InputRejectedError,
    InstanceDiedError,
    InvocationError,
    Publication,
)
from runtime.observations import result_of

OF_THE_RUN = (FunctionRaisedError, InstanceDiedError, DeadlinePassedError, InputRejectedError)
"""How a run may end; any other error says that there was none."""


class NotAgainError(Exception):
    """The input of a record is not there as it was; the message says why, and what to do."""


@dataclass(frozen=True)
class Replay:
    """`target` is what is to run: `industry`, `industry@2`; `caller` is whose quota it goes by."""

    target: str
    caller: str


async def replay(view: View, asked: Replay, dispatch: Dispatch) -> View:
    """What came of it this time; nothing of it is published.

    Raises NotAgainError, and InvocationError where it could not be run.
    """
    if why := view["not_again"]:
        raise NotAgainError(f"{view['id']} cannot be run again: {why}")
    event = make_event(view, asked.caller)
    told = {"id": event.id, "of": view["id"], "target": asked.target}
    try:
        answer = await dispatch(asked.target, event)
    except OF_THE_RUN as error:
        return {**told, **tell_failure(error)}
    return {**told, **tell_end(answer), **_tell_answer(answer)}


def tell_failure(error: InvocationError) -> View:
    """How a run ended that has no answer, and why."""
    return {**tell_end(error), "error": _tell_error(error)}


def make_event(view: View, caller: str) -> Event:
    """The event of a record as it came, with a new id."""
    meta = without_blots(view["meta"])
    told = {name: value for name, value in meta.items() if name not in ("trigger", "source", "attempt")}
    return Event(
        decode(view["input"]),
        view["input"]["content_type"],
        view["trigger"],
        view["source"],
        {**told, REPLAY: view["id"]},
        caller=caller,
        asked_for=True,
    )


def tell_end(outcome: Answer | InvocationError) -> View:
    """How a run ended, on what, and how long it took."""
    return {
        "result": result_of(outcome),
        "status": outcome.status,
        "revision": outcome.revision,
        "queued": outcome.queued,
        "seconds": outcome.seconds,
    }


def _tell_answer(answer: Answer) -> View:
    body = {"body": None, "encoding": None} if answer.body is None else encode(answer.body)
    told = [tell_publication(each) for each in answer.publications]
    return {"content_type": answer.content_type, **body, "publications": told}


def tell_publication(each: Publication) -> View:
    """A message that a function asked to have published."""
    return {"topic": each.topic, "qos": each.qos, "retain": each.retain, **encode(each.payload)}


def _tell_error(error: InvocationError) -> View:
    if isinstance(error, FunctionRaisedError):
        return {"type": error.error_type, "message": error.message, "stack": error.stack}
    return {"type": type(error).__name__, "message": str(error), "stack": []}


def dump(value: Any) -> bytes:
    """JSON of a view; what a function said of its failure may hold what no UTF-8 can."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
