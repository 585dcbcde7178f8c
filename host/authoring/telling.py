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
MOST_FAILURES = 100
LOG_AFTER, RUN_AFTER = 0.05, 0.1
"""Seconds: by the first, a failure is known that a line of the log says again; by the second, what an event
printed has been read from its pipe, and stands before its answer."""


class TellingPart(Part, Observer):
    """Tells of one function; it starts before there is anything to tell."""

    name = "telling"
    priority = 150

    def __init__(self, base: Base, function: str) -> None:
        self._observers: Observers = base.observing.observers
        self._logs: LogStore = base.logs
        self._function = function
        self._failures: dict[str, set[str]] = {}
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """From now on."""
        self._observers.add(self)
        self._following = asyncio.create_task(self._follow(self._logs.subscribe(self._function)))

    async def stop(self) -> None:
        """No more."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)

    def ended(self, run: Run) -> None:
        """A run with its answer or failure."""
        if isinstance(run.outcome, FunctionRaisedError):
            self._keep_failure(run.event.id, run.outcome)
        times = {"seconds": run.ran, "queued": run.queued, "revision": run.spec.label}
        _tell_later({**_describe(run.event), **_outcome(run.outcome), "result": run.result, **times})

    def refused(self, target: str, event: Event, error: InvocationError) -> None:
        """An event that never ran."""
        _tell_later({**_describe(event), **_outcome(error), "result": result_of(error), "revision": target})

    async def _follow(self, lines: Follower) -> None:
        while (line := await lines.get()) is not None:
            asyncio.get_running_loop().call_later(LOG_AFTER, self._tell_line, line)

    def _keep_failure(self, event_id: str, error: FunctionRaisedError) -> None:
        lines = "\n".join([str(error), *error.stack]).split("\n")
        self._failures[event_id] = {line.rstrip() for line in lines}
        while len(self._failures) > MOST_FAILURES:
            del self._failures[next(iter(self._failures))]

    def _tell_line(self, line: LogLine) -> None:
        # The failure itself stands in the log, too; it is told with its event.
        is_failure = line.level == "error" and line.line.rstrip() in self._failures.get(line.id, ())
        if not is_failure:
            write_record(_log(line))


def _describe(event: Event) -> dict[str, Any]:
    return {"kind": "run", "id": event.id, "trigger": event.trigger, "event": _shown(event.body)}


def _outcome(outcome: Answer | InvocationError | None) -> dict[str, Any]:
    if outcome is None:
        return {"error": "nobody waited for its answer"}
    if isinstance(outcome, InvocationError):
        stack = outcome.stack if isinstance(outcome, FunctionRaisedError) else []
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
    asyncio.get_running_loop().call_later(RUN_AFTER, write_record, record)
