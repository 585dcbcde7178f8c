"""Several events in one call of `index_batch(events, context)`, and an answer for each."""

import time
from collections.abc import Sequence
from typing import Any, NoReturn

from .answers import AnswerWriter, write_expired, write_raised
from .context import Context, Surroundings
from .frames import Decoder, Frame, Head
from .invocation import Means
from .loader import Function
from .payload import ResultError, decode_event, is_numpy
from .streams import AsyncOutlet, Outlet

_clock = time.monotonic


class BatchIntake:
    """Puts the frames of a batch together into one, whose head has them as `batch`."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._open: list[Frame] = []
        self._missing = 0

    def feed(self, data: bytes) -> list[Frame]:
        """Batches that are whole by now, and what is no event as it is."""
        return [whole for frame in self._decoder.feed(data) if (whole := self._gather(frame))]

    def _gather(self, frame: Frame) -> Frame | None:
        head = frame[0]
        if "n" not in head:
            return frame
        self._missing = (self._missing or head.get("b", 1)) - 1
        self._open.append(frame)
        if self._missing:
            return None
        batch, self._open = self._open, []
        # No event's number: cancelling one event must not stop the others.
        return {"n": -head["n"], "batch": batch}, b""


class BatchContext(Context):
    """The context of a whole batch; what concerns one event is in `context.batch`, in the events' order."""

    def __init__(self, around: Surroundings, contexts: Sequence[Context], deadline: float) -> None:
        super().__init__(around, {"dl": deadline})
        self.batch = tuple(contexts)

    def publish(self, topic: str, payload: object, qos: int = 1, retain: bool = False) -> NoReturn:
        """Raises TypeError: a message goes with one event."""
        raise TypeError("a message is published with one event: context.batch[i].publish(…)")


class Batch:
    """The events of one call, from their frames to their answers."""

    def __init__(self, means: Means, answers: AnswerWriter, frames: list[Frame]) -> None:
        self._means = means
        self._answers = answers
        self._done: list[bytes] = []
        self._contexts: list[Context] = []
        self.events: list[object] = []
        self._started = _clock()
        means.mark(frames[-1][0]["n"])
        means.pipe.begin("")
        self._deadline = float("inf")
        for head, body in frames:
            self._admit(head, body)
        self.context = BatchContext(means.around, self._contexts, self._deadline)

    def _admit(self, head: Head, body: bytes) -> None:
        if self._started >= head["dl"]:
            self._done.append(write_expired(head["n"]))
            return
        context = Context(self._means.around, head)
        try:
            rules = self._means.rules
            event = decode_event(body, head.get("ct"), (rules.accepts, rules.json_depth))
        except Exception as error:  # noqa: BLE001 - what is wrong with one event must not fail the others
            self._done.append(self._answers.fail(context, error, 0.0))
        else:
            self._deadline = min(self._deadline, head["dl"])
            self._contexts.append(context)
            self.events.append(event)

    def answer(self, results: object) -> None:
        """Take what the call returned; raises ResultError when that is not one result per event."""
        seconds = _clock() - self._started
        for context, result in zip(self._contexts, _split(results, len(self.events)), strict=True):
            self._done.append(self._answer_one(context, result, seconds))

    def _answer_one(self, context: Context, result: object, seconds: float) -> bytes:
        if isinstance(result, Exception):
            return self._answers.fail(context, result, seconds)
        try:
            return self._answers.write_timed(context, result, seconds)
        except BaseException as error:  # noqa: BLE001 - encoding runs code of the result's own
            return self._answers.fail(context, error, seconds)

    def fail(self, error: BaseException) -> None:
        """Every event fails; the log has the stack once, and the message with each id."""
        seconds, record = _clock() - self._started, self._answers.describe(error)
        self._means.pipe.write_failure(record)
        for context in self._contexts:
            text = f"its batch of {len(self.events)} failed with {record['type']}: {record['message']}"
            self._means.pipe.write_line("error", text, context.request_id)
            self._done.append(write_raised(context, record, seconds))

    def close(self) -> bytes:
        """The frames of all answers."""
        self._means.pipe.end()
        return b"".join(self._done)


class BatchRunner:
    """Runs batches; never raises for what the function does."""

    def __init__(self, function: Function, means: Means) -> None:
        self._call = function.call
        self._means = means
        self._answers = AnswerWriter(means.rules, means.pipe)

    def run(self, head: Head, body: bytes, outlet: Outlet) -> bytes:
        """The frames that answer a batch."""
        batch = Batch(self._means, self._answers, head["batch"])
        try:
            if batch.events:
                batch.answer(self._call(batch.events, batch.context))
        except BaseException as error:  # noqa: BLE001 - user code
            batch.fail(error)
        return batch.close()

    async def run_async(self, head: Head, body: bytes, outlet: AsyncOutlet) -> bytes:
        """The same for a coroutine function."""
        batch = Batch(self._means, self._answers, head["batch"])
        try:
            if batch.events:
                batch.answer(await self._call(batch.events, batch.context))
        except BaseException as error:  # noqa: BLE001 - user code
            batch.fail(error)
        return batch.close()


def _split(results: Any, count: int) -> Sequence[object]:
    is_array = is_numpy(results) and getattr(results, "ndim", 0) > 0
    if not (is_array or isinstance(results, list | tuple)):
        raise ResultError(
            f"a batch entry returns a list with one result per event, not {type(results).__qualname__}"
        )
    if len(results) != count:
        raise ResultError(
            f"{count} events were given, and {len(results)} results returned; one each is needed"
        )
    return list(results)
