"""What dispatcher, queue and context let through: the limit itself, and nothing above it."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from runtime.dispatch.dispatcher import MOST_METADATA, Dispatcher
from runtime.dispatch.queue import EventQueue
from runtime.events import Event, QueueFullError, TooLargeError
from runtime.pool import Pool
from runtime.spec import Bounds, PoolSpec
from runtime.worker.context import MAX_PUBLICATIONS, Context, Surroundings
from runtime.worker.masks import Secrets
from runtime.worker.models import Models


def spec(**changes: Any) -> PoolSpec:
    return PoolSpec("f", 1, "", Path(), Path(), Path(), **changes)


def dispatcher(**changes: Any) -> Dispatcher:
    made = Dispatcher()
    made.route("f", cast(Pool, SimpleNamespace(spec=spec(**changes))))
    return made


def test_an_event_of_the_functions_limit_passes_and_one_byte_more_is_refused() -> None:
    found = dispatcher(max_event=10)
    found.find("f", Event(b"x" * 10))
    with pytest.raises(TooLargeError, match=r"10 bytes at most \(`max_event` in function.yaml\), not 11"):
        found.find("f", Event(b"x" * 11))


def test_it_is_known_beforehand_how_much_a_function_takes() -> None:
    found = dispatcher(max_event=10)
    assert (found.max_event("f"), found.max_event("other")) == (10, None)


def test_metadata_of_the_limit_pass_and_one_byte_more_are_refused() -> None:
    found = dispatcher()
    rest = len(Event(b"", meta={"path": ""}).metadata())
    found.find("f", Event(b"", meta={"path": "x" * (MOST_METADATA - rest)}))
    with pytest.raises(TooLargeError, match=f"more than {MOST_METADATA} bytes"):
        found.find("f", Event(b"", meta={"path": "x" * (MOST_METADATA - rest + 1)}))


def test_as_many_events_and_bytes_wait_as_the_limits_say_and_one_more_is_refused() -> None:
    async def scene() -> None:
        for changes, body in (({"queue": 3}, b""), ({"bounds": Bounds(queue_bytes=30)}, b"x" * 10)):
            queue = EventQueue(spec(**changes), lambda slot, why: None, lambda: None)
            waiting = [queue.submit(Event(body)) for _ in range(3)]
            with pytest.raises(QueueFullError, match=r"`queue` in function.yaml, `limits.queue_bytes`"):
                queue.submit(Event(body))
            for future in waiting:
                future.cancel()

    asyncio.run(scene())


def test_one_event_publishes_as_many_messages_as_it_may_and_no_more() -> None:
    around = Surroundings("f", "1", "/", "/", 0, {}, Secrets(), ("#",), Models("/", {}))
    context = Context(around)
    for _ in range(MAX_PUBLICATIONS):
        context.publish("a", None)
    with pytest.raises(ValueError, match="1000 messages at most"):
        context.publish("a", None)
