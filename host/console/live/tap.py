"""The channel `tap:NAME`: inputs and outputs of a function's events, sampled while somebody looks."""

import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from host.console.live.source import Source
from host.observing.records.record import Moment, Record, make_record
from host.observing.records.redaction import Paths
from host.observing.records.sealing import View, seal
from runtime.observations import Observer, Observers, Run

MOST_SAMPLES = 5
"""Of a function between two times that they are told: 20 a second."""
MOST_BYTES = 16 * 1024
"""Of their bodies: 64 KiB a second."""
LARGEST = 8 * 1024
"""Bytes of one body; a larger one is cut, and so is no JSON to draw from."""
MOST_FAILED = 2
"""Failed ones beside: where most go well, none of these would be among the samples."""
RECENT = 40
"""Samples that somebody who begins to look is told, if others looked already."""


@dataclass
class _Tapped:
    """What was taken of one function since the last time it was told."""

    records: list[Record] = field(default_factory=list)
    size: int = 0
    seen: int = 0
    failed: int = 0
    kept_failed: int = 0
    recent: "deque[View]" = field(default_factory=lambda: deque(maxlen=RECENT))

    def has_room(self, run: Run) -> bool:
        if run.result != "ok" and self.kept_failed < MOST_FAILED:
            self.kept_failed += 1
            return True
        return len(self.records) < MOST_SAMPLES + self.kept_failed and self.size < MOST_BYTES


class TapSource(Source, Observer):
    """Observes only while somebody looks; shows what records show, redacted and masked as they are."""

    name = "tap"
    items = True
    every = 1

    def __init__(self, observers: Observers, functions: Callable[[], Collection[str]], paths: Paths) -> None:
        self._observers = observers
        self._functions = functions
        self._paths = paths
        self._tapped: dict[str, _Tapped] = {}

    def opened(self, item: str) -> None:
        """Begin to take samples of a function; raises KeyError."""
        if item not in self._functions():
            raise KeyError(item)
        if not self._tapped:
            self._observers.add(self)
        self._tapped[item] = _Tapped()

    def closed(self, item: str) -> None:
        """Take no more."""
        self._tapped.pop(item, None)
        if not self._tapped:
            self._observers.remove(self)

    def ended(self, run: Run) -> None:
        """Take it if there is room."""
        tapped = self._tapped.get(run.spec.function)
        if tapped is None:
            return
        tapped.seen += 1
        tapped.failed += run.result != "ok"
        if tapped.has_room(run):
            record = make_record(0, run, Moment(time.monotonic(), time.time()), LARGEST)
            tapped.records.append(record)
            tapped.size += len(record.input.data or b"") + len(record.output.data or b"")

    def begin(self, item: str) -> Any:
        """The newest samples that were told already; those that come are told to all."""
        tapped = self._tapped[item]
        return {"samples": list(tapped.recent), "seen": 0, "failed": 0}

    def tell(self, item: str) -> Any:
        """What was taken since the last time, and how many events there were in all."""
        tapped = self._tapped[item]
        if not tapped.seen:
            return None
        samples = [_tell_sample(seal(each, self._paths)) for each in tapped.records]
        told = {"samples": samples, "seen": tapped.seen, "failed": tapped.failed}
        fresh = _Tapped(recent=tapped.recent)
        fresh.recent.extend(samples)
        self._tapped[item] = fresh
        return told


def _tell_sample(view: View) -> View:
    names = ("id", "revision", "device", "result", "seconds", "error")
    told = {name: view[name] for name in names}
    error = told["error"] and {"type": told["error"]["type"], "message": told["error"]["message"][:300]}
    bodies = {"input": _tell_body(view["input"]), "output": _tell_body(view["output"])}
    return {**told, "error": error, "at": view["stages"]["ended"], **bodies}


def _tell_body(body: View) -> View:
    """Its text where it is whole and text: whoever looks sees whether that is JSON."""
    text = body["body"] if body["encoding"] == "text" and not body["cut"] else None
    return {"text": text, "size": body["size"], "lost": body["lost"] if body["body"] is None else ""}
