"""Runs one event through a function in this very process, for a person who looks, perhaps under pdb.

The order, a JSON object, has `setup` (what an arbiter is told), `head` (`id`, `ct`, `ts` and, as text, the
metadata `m` of the event), `body` (base64), `parent` (the process whose death ends this one), and perhaps
`debug`: `breaks` (`[["index.py", 12]]`) and `post_mortem`. With `answer`, a file descriptor, the outcome is
written there as JSON and not printed.
"""

import base64
import inspect
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from .answers import encode_answer
from .batches import BatchContext
from .context import Context
from .entries import Entry
from .failures import describe_failure
from .loader import Function, load_function, run_hook
from .payload import decode_event
from .setup import Setup
from .streams import STREAMS, encode_piece

DAY = 86400.0
"""Seconds that are left to an event which somebody steps through."""
RETURNED, RAISED = 0, 1

Order = dict[str, Any]


class Outcome(NamedTuple):
    """What came of the event: an answer, or a failure as it travels; and what would have been published.

    `body` is None where the function returned None.
    """

    body: bytes | None = None
    content_type: str = ""
    failure: dict[str, Any] | None = None
    publications: tuple[tuple[str, int, bytes], ...] = ()


def run_order(order: Order) -> int:
    """Run it, and tell what came of it; returns the exit code: 0 answered, 1 the function failed."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    single = Single(order)
    if order.get("debug"):
        from .debugging import debug

        outcome = debug(single, order["debug"])
        if outcome is None:
            return RETURNED
    else:
        outcome = single.run()
    (_print if order.get("answer") is None else _write)(outcome, order)
    return RETURNED if outcome.failure is None else RAISED


class Single:
    """One event and its function; `load` comes first, then `call`, which raise what the package raises."""

    def __init__(self, order: Order) -> None:
        self.given = Setup(order["setup"])
        self.entry = Entry(self.given.handler, self.given.is_batch)
        self._function: Function | None = None
        told = order["head"]
        deadline = time.monotonic() + DAY
        self._head = {**told, "n": 1, "m": told["m"].encode("utf-8", "surrogatepass"), "dl": deadline}
        self._body = base64.b64decode(order["body"])
        self._context = Context(self.given.around, self._head)

    def run(self) -> Outcome:
        """Load the function, run it on the event, and say what came of it."""
        try:
            self.load()
            return self.call()
        except BaseException as error:  # noqa: BLE001 - user code: whatever it raises is its failure
            return self.fail(error)

    def fail(self, error: BaseException) -> Outcome:
        """The outcome of a run that raised this."""
        given = self.given
        record = describe_failure(error, given.around.code_folders, given.box, given.pipe.mask)
        return Outcome(failure=record)

    def load(self) -> None:
        """Import the package with its models, and run its hooks."""
        around = self.given.around
        self._function = load_function(self.entry, around, self._hook_context())
        if not self._function.is_async:
            run_hook(self._function.start, self._hook_context())

    def call(self) -> Outcome:
        """Run the function on the event."""
        function = self._function
        if function is None:
            raise RuntimeError("load() comes first")
        event = decode_event(self._body, self._head.get("ct"), (self.given.accepts, self.given.json_depth))
        if function.is_async:
            import asyncio

            return asyncio.run(self._call_async(function, event))
        result = _only(function, self._invoke(function, event))
        if inspect.isgenerator(result):
            return self._tell(_joined(list(result)))
        if inspect.isasyncgen(result):
            import asyncio

            return asyncio.run(self._collect(result))
        return self._tell(encode_answer(result))

    async def _call_async(self, function: Function, event: object) -> Outcome:
        hook = function.start(self._hook_context()) if function.start else None
        if inspect.isawaitable(hook):
            await hook
        result = self._invoke(function, event)
        if not isinstance(result, STREAMS):
            result = _only(function, await result)
        if inspect.isgenerator(result):
            return self._tell(_joined(list(result)))
        return (
            await self._collect(result) if inspect.isasyncgen(result) else self._tell(encode_answer(result))
        )

    async def _collect(self, stream: Any) -> Outcome:
        return self._tell(_joined([piece async for piece in stream]))

    def _invoke(self, function: Function, event: object) -> Any:
        if not function.is_batch:
            return function.call(event, self._context)
        return function.call([event], BatchContext(self.given.around, [self._context], self._head["dl"]))

    def _hook_context(self) -> Context:
        return Context(self.given.around, {"dl": time.monotonic() + DAY})

    def _tell(self, answer: tuple[bytes, dict[str, Any]]) -> Outcome:
        body, told = answer
        context = self._context
        sent = zip(context.publications, context.payloads, strict=True)
        publications = tuple((each["t"], each["q"], payload) for each, payload in sent)
        if told.get("k") == "none":
            return Outcome(publications=publications)
        return Outcome(body, told.get("ct", "application/json"), publications=publications)


def _only(function: Function, result: Any) -> Any:
    """The event's own result, of a batch of one."""
    if not function.is_batch:
        return result
    (own,) = result
    if isinstance(own, Exception):
        raise own
    return own


def _joined(pieces: list[object]) -> tuple[bytes, dict[str, Any]]:
    encoded = [encode_piece(each) for each in pieces]
    return b"".join(body for body, _ in encoded), {"ct": encoded[0][1]} if encoded else {"k": "none"}


def _print(outcome: Outcome, order: Order) -> None:
    say: Callable[[str], object] = lambda text: print(text, file=sys.stderr, flush=True)  # noqa: E731
    if outcome.failure is not None:
        say("\n".join(outcome.failure["stack"]) or f"{outcome.failure['type']}: {outcome.failure['message']}")
        return
    for topic, qos, payload in outcome.publications:
        say(f"not sent: {len(payload)} bytes to {topic} (qos {qos}): {payload[:200]!r}")
    if outcome.body is None:
        say("it returned None")
        return
    say(f"it returned {len(outcome.body)} bytes ({outcome.content_type}):")
    sys.stdout.flush()
    os.write(1, outcome.body + b"\n")


def _write(outcome: Outcome, order: Order) -> None:
    told = {
        "body": None if outcome.body is None else base64.b64encode(outcome.body).decode(),
        "content_type": outcome.content_type,
        "failure": outcome.failure,
        "publications": [
            {"topic": topic, "qos": qos, "payload": base64.b64encode(payload).decode()}
            for topic, qos, payload in outcome.publications
        ],
    }
    with open(order["answer"], "w", encoding="utf-8") as file:
        json.dump(told, file)
