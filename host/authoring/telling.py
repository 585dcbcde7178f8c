"""A part of private hosts: tells the command that started one of each event and of each line of the log."""

import asyncio
from typing import Any

from host.authoring.records import write_record
from host.foundations import Base
from host.lifecycle import Part
from host.logs.followers import Follower
from host.logs.store import LogStore
from runtime.events import Answer, Event, FunctionRaisedError, InvocationError
from runtime.loglines import LogLine
from runtime.observations import Observer, Observers, Run, result_of

MOST_SHOWN = 2000
MOST_FRAMES = 20
LOG_FIRST = 0.02
"""Seconds: what an event printed has been read from its pipe by then, and stands before its answer."""


class TellingPart(Part, Observer):
    """Tells of one function; it starts before there is anything to tell."""

    name = "telling"
    priority = 150

    def __init__(self, base: Base, function: str) -> None:
        self._observers: Observers = base.observing.observers
        self._logs: LogStore = base.logs
        self._function = function
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """From now on."""
        self._observers.add(self)
        self._following = asyncio.create_task(_follow(self._logs.subscribe(self._function)))

    async def stop(self) -> None:
        """No more."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)

    def ended(self, run: Run) -> None:
        """A run with its answer or failure."""
        times = {"seconds": run.ran, "queued": run.queued, "revision": run.spec.label}
        _tell_later({**_describe(run.event), **_outcome(run.outcome), "result": run.result, **times})

    def refused(self, target: str, event: Event, error: InvocationError) -> None:
        """An event that never ran."""
        _tell_later({**_describe(event), **_outcome(error), "result": result_of(error), "revision": target})


async def _follow(lines: Follower) -> None:
    while (line := await lines.get()) is not None:
        write_record(_log(line))


def _describe(event: Event) -> dict[str, Any]:
    return {"kind": "run", "id": event.id, "trigger": event.trigger, "event": _shown(event.body)}


def _outcome(outcome: Answer | InvocationError | None) -> dict[str, Any]:
    if outcome is None:
        return {"error": "nobody waited for its answer"}
    if isinstance(outcome, InvocationError):
        stack = outcome.stack[-MOST_FRAMES:] if isinstance(outcome, FunctionRaisedError) else []
        return {"error": str(outcome)[:MOST_SHOWN], "status": outcome.status, "stack": stack}
    if outcome.stream is not None:
        return {"answer": "(piece by piece)", "status": outcome.status}
    return {"answer": None if outcome.body is None else _shown(outcome.body), "status": outcome.status}


def _log(line: LogLine) -> dict[str, Any]:
    return {"kind": "log", "id": line.id, "level": line.level, "line": line.line[:MOST_SHOWN]}


def _shown(body: bytes) -> str:
    text = body[: 4 * MOST_SHOWN].decode("utf-8", "replace")
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}… ({len(body):,} bytes)"


def _tell_later(record: dict[str, Any]) -> None:
    asyncio.get_running_loop().call_later(LOG_FIRST, write_record, record)
