"""Takes spans to their collector in a thread of its own: what waits is bounded, and nobody waits for it."""

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from host.observing.traces.spans import Span

logger = logging.getLogger(__name__)

QUIET = 60.0
"""Seconds between two lines about spans that are lost."""
AWAY = "the collector does not take them; see that what `traces.endpoint` names is up"
FULL = "more are made than the collector takes; lower `traces.sample`, or see that it is up"


class Exporter(Protocol):
    """What speaks to a collector."""

    def export(self, spans: Sequence[Span]) -> bool:
        """Whether the collector has taken them."""

    def close(self) -> None:
        """Give up what is under way, and export nothing more."""


@dataclass(frozen=True)
class Bounds:
    """`most` spans wait, `batch` go at a time, `delay` seconds after the first of them."""

    most: int = 8192
    batch: int = 512
    delay: float = 1.0


class Sending:
    """`open_exporter` is called in the thread; `lost` counts spans that no collector has taken."""

    def __init__(self, open_exporter: Callable[[], Exporter], bounds: Bounds | None = None) -> None:
        self.lost = 0
        self._open_exporter = open_exporter
        self._bounds = bounds or Bounds()
        self._waiting: deque[Span] = deque()
        self._some = threading.Event()
        self._ending = threading.Event()
        self._exporter: Exporter | None = None
        self._said = -QUIET
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def put(self, span: Span) -> None:
        """Let a span wait; where too many do, it is lost."""
        if len(self._waiting) >= self._bounds.most:
            self._lose(1, FULL)
            return
        self._waiting.append(span)
        if not self._some.is_set():
            self._some.set()

    def stop(self, limit: float) -> None:
        """Send what waits, for `limit` seconds at most; blocks."""
        self._ending.set()
        self._some.set()
        self._thread.join(limit)
        if self._thread.is_alive() and self._exporter is not None:
            self._exporter.close()
            self._thread.join(limit)
        if self._waiting:
            self._lose(len(self._waiting), "the host stops")

    def _run(self) -> None:
        with contextlib.suppress(Exception):
            # Before the first spans need it; where it fails, it is tried again with them, and said.
            self._open()
        while not self._ending.is_set():
            self._some.wait()
            self._ending.wait(self._bounds.delay)
            # Before it looks: who comes meanwhile sets it again.
            self._some.clear()
            self._send_all()
        if self._exporter is not None:
            self._exporter.close()

    def _open(self) -> Exporter:
        if self._exporter is None:
            self._exporter = self._open_exporter()
        return self._exporter

    def _send_all(self) -> None:
        while self._waiting:
            count = min(len(self._waiting), self._bounds.batch)
            trouble = self._send([self._waiting.popleft() for _ in range(count)])
            if trouble:
                self._lose(count, trouble)
                if self._ending.is_set():
                    return

    def _send(self, spans: Sequence[Span]) -> str:
        """Why these are lost; empty when they are not."""
        try:
            return "" if self._open().export(spans) else AWAY
        except Exception as error:  # noqa: BLE001 - it costs this batch, and is told; the next one may go
            return f"they cannot be sent, by an error of ours ({type(error).__name__}: {error})"

    def _lose(self, count: int, why: str) -> None:
        self.lost += count
        now = time.monotonic()
        if now >= self._said + QUIET:
            self._said = now
            logger.warning("%d spans are lost so far: %s", self.lost, why)
