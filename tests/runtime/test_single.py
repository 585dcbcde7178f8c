"""One event through a function in a process of its own: every kind of function, and what comes of it."""

import base64
import sys
from pathlib import Path
from typing import Any

import pytest

from runtime.overlay import WORKER, Overlay
from runtime.process import Workshop, setup_message
from runtime.single import SingleEvent, Surroundings, run_single
from runtime.spec import BatchRule, PoolSpec

PLAIN = """
def init(context):
    context.user_data.seen = ["init"]

def start(context):
    context.user_data.seen.append("start")

def index(event, context):
    context.publish("out/1", {"t": 1})
    return {"event": event, "seen": context.user_data.seen, "id": context.request_id,
            "topic": context.event.topic, "left": context.get_remaining_time_in_millis() > 1000}
"""
ASYNC = """
import asyncio

async def start(context):
    context.user_data.loop = asyncio.get_running_loop()

async def index(event, context):
    await asyncio.sleep(0)
    return context.user_data.loop is asyncio.get_running_loop()
"""
BATCH = (
    "def index_batch(events, context):\n    return [context.batch[0].request_id + each for each in events]\n"
)
STREAM = "def index(event, context):\n    yield 'a'\n    yield 'b'\n"
ASYNC_STREAM = "async def index(event, context):\n    yield 'a'\n    yield 'b'\n"
RAISES = "def index(event, context):\n    return event['missing']\n"


def run(folder: Path, code: str, body: bytes = b'"x"', **more: Any) -> dict[str, Any]:
    (folder / "index.py").write_text(code)
    python = Path(sys.executable)
    spec = PoolSpec("f", 1, "0" * 64, python, folder, folder, publish=("out/#",), **more)
    overlay = Overlay(folder, folder, WORKER)
    setup = {**setup_message(spec, Workshop(overlay, "owner", lambda line: None)), "secrets": {}}
    event = SingleEvent("id1", body, None, {"trigger": "mqtt", "source": "r", "topic": "in/1"}, 1.0)
    outcome = run_single(event, Surroundings(python, WORKER, setup, {"PATH": "/usr/bin"}))
    assert outcome is not None
    return outcome


def body_of(outcome: dict[str, Any]) -> str:
    assert outcome["failure"] is None, outcome
    return base64.b64decode(outcome["body"]).decode()


def test_a_plain_function_is_run_with_its_hooks_and_what_it_publishes_is_told(tmp_path: Path) -> None:
    outcome = run(tmp_path, PLAIN)
    told = '"seen":["init","start"],"id":"id1","topic":"in/1","left":true}'
    assert body_of(outcome).replace(" ", "") == '{"event":"x",' + told
    (message,) = outcome["publications"]
    assert (message["topic"], base64.b64decode(message["payload"])) == ("out/1", b'{"t": 1}')


@pytest.mark.parametrize(
    ("code", "answer"),
    [(ASYNC, "true"), (STREAM, "ab"), (ASYNC_STREAM, "ab")],
    ids=["async", "stream", "both"],
)
def test_coroutines_and_generators_are_run_to_their_end(tmp_path: Path, code: str, answer: str) -> None:
    assert body_of(run(tmp_path, code)) == answer


def test_a_batch_is_one_of_one(tmp_path: Path) -> None:
    assert body_of(run(tmp_path, BATCH, batch=BatchRule(4))) == '"id1x"'


def test_a_failure_has_the_frames_of_the_package_only(tmp_path: Path) -> None:
    failure = run(tmp_path, RAISES, b"{}")["failure"]
    assert (failure["type"], failure["place"]) == ("KeyError", "index.py:2")
    assert sum("File" in line for line in failure["stack"]) == 1
    rejected = run(tmp_path, RAISES, b"no json{")["failure"]
    assert rejected["type"] in ("TypeError", "InputError")
