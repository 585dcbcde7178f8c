"""The fake sensor: sends one event after the other to a function and judges each answer."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from host.demo.faults import DemoError
from host.demo.records import Sample
from host.demo.score import Score
from host.demo.screen import say, show_answer, show_event

ANSWER_LIMIT = 10.0
SEED = 20200325

Publish = Callable[[str, bytes], None]


@dataclass(frozen=True)
class Shift:
    """How to work: `strict` ends at the first fault and when enough was seen; `pause` is in seconds."""

    strict: bool
    pause: float


class Sensor:
    """Feeds one sample; events that somebody else sends to it are shown, too.

    One event of its own is under way at a time, since MQTT 3.1.1 does not say what an answer belongs to.
    """

    def __init__(self, sample: Sample, publish: Publish, score: Score) -> None:
        self.sample = sample
        self._publish = publish
        self._score = score
        self._source = random.Random(SEED)  # noqa: S311 - nothing here is secret
        self._sent: bytes | None = None
        self._unheard: Counter[bytes] = Counter()
        self._strangers = 0
        self._verdicts: asyncio.Queue[tuple[bytes, bool]] = asyncio.Queue()

    async def work(self, shift: Shift) -> None:
        """Send until enough was seen if `shift` is strict, else for ever. Raises DemoError."""
        name = self.sample.function
        while not (shift.strict and self._score.has_enough(name)):
            event = self._send()
            fault = await self._fault_of(event)
            if fault and shift.strict:
                raise DemoError(f"{fault}; seen so far: {self._score.sentence()}")
            if fault:
                say(fault)
            await asyncio.sleep(shift.pause)

    def _send(self) -> bytes:
        event = self.sample.make_event(self._source)
        self._sent = event
        self._unheard[event] += 1
        show_event(self.sample.function, event)
        self._publish(self.sample.source, event)
        return event

    async def _fault_of(self, event: bytes) -> str | None:
        try:
            answer, right = await asyncio.wait_for(self._verdicts.get(), ANSWER_LIMIT)
        except TimeoutError:
            self._sent = None
            return f"{self.sample.function} did not answer {event.decode()!r} within {ANSWER_LIMIT:g} s"
        if right:
            self._score.right[self.sample.function] += 1
            return None
        return f"{self.sample.function} answered {answer!r} to {event.decode()!r}, which is wrong"

    def hear_event(self, payload: bytes) -> None:
        """An event on the way to the function: our own, or a stranger's."""
        if self._unheard[payload]:
            self._unheard[payload] -= 1
        else:
            self._strangers += 1
            show_event(self.sample.function, payload)

    def hear_answer(self, payload: bytes) -> None:
        """An answer of the function: to our own event, unless it is wrong and a stranger waits for one."""
        right = self._sent is not None and self.sample.is_right(self._sent, payload)
        if self._sent is None or (self._strangers and not right):
            self._strangers = max(0, self._strangers - 1)
            show_answer(self.sample.function, payload, "")
            return
        self._sent = None
        show_answer(self.sample.function, payload, "right" if right else "WRONG")
        self._verdicts.put_nowait((payload, right))
