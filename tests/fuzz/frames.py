"""Fuzzes what a host reads from an instance: the stream of frames, and what they say of events."""

import asyncio
import itertools
import json
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from runtime.dispatch.queue import EventQueue
from runtime.events import Answer, Event, InvocationError, UnavailableError
from runtime.instance_process import InstanceProcess
from runtime.slot import Slot
from runtime.spec import PoolSpec
from runtime.worker.frames import LENGTHS, MAX_HEAD, Decoder, Frame, FrameError, encode
from tests.fuzz.target import Target, any_json, any_text, nested
from triggers.http_answers import encode_answer, encode_plain, encode_problem

MOST = 4096
"""Bytes that an answer may have here."""
EVENTS = 4

KEYS = ("n", "k", "s", "ct", "st", "h", "p", "m", "op", "error", "message", "async", "batch")
NUMBERS = st.integers(-1, EVENTS + 2) | any_json(3)
PUBLICATIONS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "t": any_text() | st.just("allowed/a"),
            "l": st.integers(-5, 50) | any_json(2),
            "q": st.integers(-1, 3) | any_json(2),
            "r": st.booleans() | any_json(2),
        },
    ),
    max_size=3,
)
FORGED = st.fixed_dictionaries(
    {"n": NUMBERS, "k": st.sampled_from(["ok", "none", "piece", "end", "raised", "rejected", "expired"])},
    optional={
        "s": st.floats() | any_json(3),
        "ct": st.just("text/plain") | any_json(3),
        "st": st.integers(-1, 700) | any_json(3),
        "h": st.dictionaries(any_text(8), any_json(2), max_size=2) | any_json(3),
        "p": PUBLICATIONS | any_json(3),
        "message": any_json(3),
        "error": st.fixed_dictionaries(
            {}, optional={"type": any_json(2), "message": any_json(2), "stack": any_json(4)}
        )
        | any_json(3),
    },
)
ABOUT_ITSELF = st.fixed_dictionaries(
    {"op": st.sampled_from(["ready", "failed", "hello"]) | any_json(2)},
    optional={"async": any_json(2), "batch": any_json(2), "error": any_json(6)},
)
HEADS = (
    FORGED
    | FORGED
    | ABOUT_ITSELF
    | st.dictionaries(st.sampled_from(KEYS) | any_text(4), any_json(4), max_size=5)
)
DEEP = st.builds(
    lambda key, depth: (
        f'{{"n":1,"k":"raised","{key}":{nested(depth)}}}'
        if key == "error"
        else f'{{"n":1,"k":"raised","error":{{"{key}":{nested(depth)},"message":1,"stack":[]}}}}'
    ),
    st.sampled_from(["error", "type"]),
    st.integers(960, 985) | st.sampled_from([10, 200, 2000, 100_000]),
)


def _pack(head: bytes, metadata: bytes, body: bytes) -> bytes:
    return LENGTHS.pack(len(head), len(metadata), len(body)) + head + metadata + body


def _write(head: dict[str, Any], body: bytes) -> bytes:
    text = json.dumps(head, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return _pack(text, b"", body)


LYING = st.builds(
    lambda sizes, rest: LENGTHS.pack(*sizes) + rest,
    st.tuples(*[st.sampled_from([0, 1, 2, 40, MAX_HEAD, MOST, MOST + 1, 2**31, 2**32 - 1])] * 3),
    st.binary(max_size=40),
)
FRAMES = (
    st.builds(_write, HEADS, st.binary(max_size=40))
    | st.builds(_write, HEADS, st.binary(max_size=40))
    | st.builds(
        _pack, DEEP.map(str.encode) | st.binary(max_size=30), st.binary(max_size=5), st.binary(max_size=9)
    )
    | LYING
    | st.binary(max_size=60)
)


def check_stream(case: tuple[list[bytes], list[int]]) -> None:
    """However a stream is split, the same frames come, or it is refused; none is over the limit."""
    stream, places = b"".join(case[0]), case[1]
    cuts = [0, *sorted(min(place, len(stream)) for place in places), len(stream)]
    whole, refused = _read(Decoder(MOST), [stream])
    parts, refused_too = _read(Decoder(MOST), [stream[a:b] for a, b in itertools.pairwise(cuts)])
    # Those before a bad one in the same piece are lost with it: the instance is killed.
    assert refused == refused_too and (refused or str(parts) == str(whole))
    assert all(isinstance(head, dict) and len(body) <= MOST for head, body in parts)


def _read(decoder: Decoder, pieces: list[bytes]) -> tuple[list[Frame], bool]:
    frames: list[Frame] = []
    try:
        for piece in pieces:
            frames += decoder.feed(piece)
    except FrameError:
        return frames, True
    return frames, False


class ForgedProcess(InstanceProcess):
    """This very process, which is not to be killed: its slot hears of an end instead."""

    def __init__(self, exited: Callable[[int], None]) -> None:
        super().__init__()
        self._exited = exited

    def signal(self, number: signal.Signals) -> None:
        if number == signal.SIGKILL:
            asyncio.get_running_loop().call_soon(self._exited, 9)


@dataclass
class Owner:
    """What stands for a pool: a real queue, and whether the slot has gone."""

    queue: EventQueue
    gone: asyncio.Event

    def slot_ready(self, slot: Slot) -> None:
        self.queue.add(slot)

    def slot_answered(self, slot: Slot, frames: list[Frame]) -> None:
        self.queue.answered(slot, frames)

    def slot_escaped(self, slot: Slot) -> None:
        slot.exited(9)

    def slot_gone(self, slot: Slot) -> None:
        self.queue.gone(slot)
        self.gone.set()


def check_answers(case: list[bytes]) -> None:
    """Whatever an instance says, its slot and queue go on, and every event gets an answer or an error."""
    asyncio.run(_talk(case))


async def _talk(pieces: list[bytes]) -> None:
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: faults.append(context))
    nowhere = Path("/nonexistent")
    spec = PoolSpec("f", 1, "", nowhere, nowhere, nowhere, max_result=MOST, publish=("allowed/#",))
    queue = EventQueue(spec, lambda slot, why: slot.kill(why), lambda: None)
    owner = Owner(queue, asyncio.Event())
    slot = Slot(1, owner, MOST)
    slot.process = ForgedProcess(slot.exited)
    ends: list[int] = []
    slot.hand_over(lambda fds: ends.extend(os.dup(fd) for fd in fds))
    with socket.socket(fileno=ends[0]) as peer:
        os.close(ends[1])
        peer.send(encode({"op": "ready", "async": False}))
        futures = [queue.submit(Event(b"1", streams=number % 2 == 1)) for number in range(EVENTS)]
        for piece in pieces:
            await _let_pass()
            try:
                peer.send(piece)
            except OSError:
                break
        await _let_pass()
    slot.exited(9)
    await asyncio.wait_for(owner.gone.wait(), 30)
    queue.close(UnavailableError("it is over"))
    for future in futures:
        await _take(future)
    slot._socket.close()
    assert not faults, faults


async def _let_pass() -> None:
    for _ in range(4):
        await asyncio.sleep(0)


async def _take(future: "asyncio.Future[Answer]") -> None:
    assert future.done()
    try:
        answer = future.result()
        encode_plain(answer, "id")
        status, headers, body = encode_answer(answer)
        assert 200 <= status <= 599 and len(body) <= MOST
        assert not any(b"\r" in text or b"\n" in text for pair in headers for text in pair)
        if answer.stream is not None:
            async for piece in answer.stream:
                assert len(piece) <= MOST
    except InvocationError as error:
        json.loads(encode_problem(error, "id"))


TARGETS = (
    Target(
        "frames",
        st.tuples(st.lists(FRAMES, max_size=4), st.lists(st.integers(0, 300), max_size=4)),
        check_stream,
        80,
    ),
    Target("answers of an instance", st.lists(FRAMES, min_size=1, max_size=6), check_answers, 120),
)
