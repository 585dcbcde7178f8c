"""Generators answer piece by piece, no faster than it is taken, and are closed when nobody wants the rest."""

import json
from pathlib import Path
from typing import Any

import pytest

from runtime.worker.frames import PIECE_COST, STREAM_WINDOW, Frame
from tests.worker.instances import Instance, instance_of

SHARE = STREAM_WINDOW // 4
PIECE = SHARE - PIECE_COST
INDEX = """
import os

def index(event, context):
    return globals()[event["do"]](event, context)

def count(event, context):
    for number in range(3):
        yield {"number": number}

def text(event, context):
    yield context.Response("data: 1\\n\\n", 201, {"X-Kind": "events"}, "text/event-stream")
    yield "data: 二\\n\\n"
    yield b"raw"

def publish(event, context):
    yield "one"
    context.publish("a/b", "after")

def nothing(event, context):
    context.publish("a/b", "after")
    return
    yield

def status_alone(event, context):
    yield context.Response(None, 404)

def fail(event, context):
    yield "one"
    raise ValueError("in the middle")

def late_response(event, context):
    yield "one"
    yield context.Response("two")

def big(event, context):
    try:
        for number in range(event["pieces"]):
            yield bytes([number]) * event["size"]
    finally:
        print("closed after", number)

def stubborn(event, context):
    try:
        yield from [b""] * 10000
    finally:
        yield "one more"

async def awaited(event, context):
    for number in range(3):
        yield number

def plain(event, context):
    return event
"""
ASYNC_INDEX = """
import asyncio

async def index(event, context):
    if event["do"] == "plain":
        yield "plain"
        return
    try:
        for number in range(event["pieces"]):
            yield bytes([number]) * event["size"]
        if event["do"] == "hang":
            await asyncio.Event().wait()
    finally:
        print("closed")
"""
KINDS: dict[str, dict[str, Any]] = {
    "sync": {"publish": ("#",)},
    "threads": {"publish": ("#",), "concurrency": 2},
}


def ask(instance: Instance, do: str, **event: object) -> int:
    return instance.ask(json.dumps({"do": do, **event}).encode())[0]


def pieces(instance: Instance) -> list[Frame]:
    """The frames of one answer, its last one included."""
    frames = [instance.read()]
    while frames[-1][0]["k"] == "piece":
        frames.append(instance.read())
    return frames


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_travel_as_they_are_yielded_and_the_first_tells_what_they_are(
    tmp_path: Path, kind: str
) -> None:
    with instance_of(tmp_path, INDEX, **KINDS[kind]) as (instance, ready):
        assert ready == {"op": "ready", "async": False, "batch": False}
        number = ask(instance, "count")
        *frames, (last, _) = pieces(instance)
        assert frames[0] == ({"n": number, "k": "piece", "ct": "application/x-ndjson"}, b'{"number": 0}\n')
        assert frames[1] == ({"n": number, "k": "piece"}, b'{"number": 1}\n')
        assert (last["n"], last["k"]) == (number, "end") and last["s"] >= 0
        ask(instance, "text")
        first, *others, _ = pieces(instance)
        assert (first[0]["st"], first[0]["ct"], first[0]["h"]) == (
            201,
            "text/event-stream",
            {"X-Kind": "events"},
        )
        assert [body for _, body in (first, *others)] == [b"data: 1\n\n", "data: 二\n\n".encode(), b"raw"]
        ask(instance, "awaited")
        assert [body for _, body in pieces(instance)] == [b"0\n", b"1\n", b"2\n", b""]


@pytest.mark.parametrize("kind", KINDS)
def test_the_end_of_a_stream_says_what_was_published_or_why_it_failed(tmp_path: Path, kind: str) -> None:
    with instance_of(tmp_path, INDEX, **KINDS[kind]) as (instance, _):
        ask(instance, "publish")
        head, body = pieces(instance)[-1]
        assert (head["k"], head["p"][0]["t"], body) == ("end", "a/b", b'"after"')
        ask(instance, "nothing")
        head, body = instance.read()
        assert (head["k"], head["p"][0]["t"], body) == ("none", "a/b", b'"after"')
        ask(instance, "status_alone")
        head, body = instance.read()
        assert (head["k"], head["st"], body) == ("ok", 404, b"")
        ask(instance, "fail")
        head, _ = pieces(instance)[-1]
        assert (head["k"], head["error"]["message"]) == ("raised", "in the middle")
        assert head["error"]["place"] == "index.py:30"
        ask(instance, "late_response")
        assert "can only be the first piece" in pieces(instance)[-1][0]["error"]["message"]


@pytest.mark.parametrize("kind", KINDS)
def test_no_more_is_under_way_than_the_window_and_room_comes_back_as_pieces_are_taken(
    tmp_path: Path, kind: str
) -> None:
    with instance_of(tmp_path, INDEX, **KINDS[kind]) as (instance, _):
        number = ask(instance, "big", pieces=6, size=PIECE)
        (other,) = instance.ask(b'{"do": "plain"}')
        first = [instance.read() for _ in range(4 if kind == "sync" else 5)]
        kept = [head["n"] for head, _ in first]
        assert sorted(kept) == [number] * 4 + ([other] if kind == "threads" else [])
        instance.say({"op": "more", "event": number, "bytes": SHARE})
        assert instance.read()[1] == bytes([4]) * PIECE
        instance.say({"op": "more", "event": number, "bytes": SHARE})
        assert [head["k"] for head, _ in pieces(instance)] == ["piece", "end"]
        if kind == "sync":
            assert instance.read()[0]["n"] == other
        ask(instance, "big", pieces=1, size=STREAM_WINDOW * 2)
        assert len(pieces(instance)[0][1]) == STREAM_WINDOW * 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_that_nobody_wants_is_closed_at_its_next_yield_also_while_it_waits(
    tmp_path: Path, kind: str
) -> None:
    with instance_of(tmp_path, INDEX, **KINDS[kind]) as (instance, _):
        number = ask(instance, "big", pieces=6, size=PIECE)
        for _ in range(4):
            instance.read()
        instance.say({"op": "cancel", "event": number})
        assert instance.read() == ({"n": number, "k": "expired"}, b"")
        before = ask(instance, "big", pieces=5, size=PIECE)
        behind = ask(instance, "big", pieces=5, size=10) if kind == "sync" else before
        instance.say({"op": "cancel", "event": behind}, {"op": "cancel", "event": before})
        ended = [head for head, _ in (pieces(instance)[-1] for _ in {before, behind})]
        assert ended == [{"n": each, "k": "expired"} for each in sorted({before, behind})]
        ask(instance, "plain")
        assert instance.read()[0]["k"] == "ok"


@pytest.mark.parametrize("kind", KINDS)
def test_empty_pieces_take_room_too_and_what_a_generator_does_when_it_is_closed_is_no_failure(
    tmp_path: Path, kind: str
) -> None:
    with instance_of(tmp_path, INDEX, **KINDS[kind]) as (instance, _):
        number = ask(instance, "stubborn")
        for _ in range(STREAM_WINDOW // PIECE_COST):
            assert instance.read()[1] == b""
        instance.say({"op": "cancel", "event": number})
        assert instance.read() == ({"n": number, "k": "expired"}, b"")
        ask(instance, "plain")
        assert instance.read()[0]["k"] == "ok"
        assert not instance.lines_with("GeneratorExit")


@pytest.mark.parametrize("kind", [*KINDS, "async"])
def test_a_stream_is_finished_when_its_instance_is_retired(tmp_path: Path, kind: str) -> None:
    index = ASYNC_INDEX if kind == "async" else INDEX
    with instance_of(tmp_path, index, **KINDS.get(kind, {"concurrency": 4})) as (instance, _):
        ask(instance, "big", pieces=9, size=PIECE)
        frames = [instance.read(), *instance.finish()]
        assert [head["k"] for head, _ in frames] == ["piece"] * 9 + ["end"]


def test_an_async_generator_waits_for_room_and_is_cancelled_without_stopping_its_neighbours(
    tmp_path: Path,
) -> None:
    with instance_of(tmp_path, ASYNC_INDEX, concurrency=4) as (instance, ready):
        assert ready["async"] is True
        full = ask(instance, "big", pieces=6, size=PIECE)
        for _ in range(4):
            instance.read()
        hangs = ask(instance, "hang", pieces=1, size=1)
        assert instance.read()[0] == {"n": hangs, "k": "piece", "ct": "application/octet-stream"}
        ask(instance, "plain")
        assert [body for _, body in pieces(instance)] == [b"plain", b""]
        instance.say({"op": "more", "event": full, "bytes": SHARE})
        assert instance.read()[1] == bytes([4]) * PIECE
        for number in (full, hangs):
            instance.say({"op": "cancel", "event": number})
            assert instance.read() == ({"n": number, "k": "expired"}, b"")
