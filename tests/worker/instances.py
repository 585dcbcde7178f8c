"""One real instance without a host, for tests of what it does with each frame."""

import asyncio
import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runtime.loglines import LogLine
from runtime.overlay import prepare_overlay
from runtime.process import ArbiterProcess, Workshop
from runtime.spec import PoolSpec
from runtime.worker.control import Message
from runtime.worker.frames import Decoder, Frame, Head, encode, encode_text

PATIENCE = 90.0
PAGE = 4096


class BootFailedError(Exception):
    """The arbiter could not load the package."""


class Instance:
    """The host's end of an instance's socket; every wait has a deadline."""

    def __init__(self, channel: socket.socket, word: int, runner: asyncio.Runner) -> None:
        self.lines: list[LogLine] = []
        self._runner = runner
        self._channel = channel
        self._channel.settimeout(PATIENCE)
        self._word = word
        self._decoder = Decoder(64 * 1024 * 1024)
        self._frames: list[Frame] = []
        self._next = 1

    @property
    def begun(self) -> int:
        """The number in the shared word."""
        return int.from_bytes(os.pread(self._word, 8, 0), sys.byteorder)

    def lines_with(self, text: str) -> list[LogLine]:
        """The lines of its log that have this text."""
        self._runner.run(asyncio.sleep(0.01))
        return [line for line in self.lines if text in line.line]

    def greet(self) -> Head:
        """What it says when it is ready."""
        assert self.read()[0] == {"op": "hello"}
        self.say({"op": "probe"})
        return self.read()[0]

    def say(self, *heads: Head, body: bytes = b"") -> None:
        """Send frames that have no body, or the same."""
        self._channel.sendall(b"".join(encode(head, body) for head in heads))

    def ask(self, *bodies: bytes, batch: bool = False, within: float = 60.0) -> list[int]:
        """Send events in one write; returns their numbers."""
        numbers = list(range(self._next, self._next + len(bodies)))
        self._next += len(bodies)
        heads = [
            {"n": number, "id": f"id-{number}", "dl": time.monotonic() + within, "ts": 0}
            for number in numbers
        ]
        if batch:
            heads[0]["b"] = len(heads)
        frames = [
            encode_text(json.dumps(head), b"{}", body) for head, body in zip(heads, bodies, strict=True)
        ]
        self._channel.sendall(b"".join(frames))
        return numbers

    def read(self) -> Frame:
        """The next frame; fails when none comes."""
        while not self._frames:
            data = self._channel.recv(65536)
            assert data, "the instance closed its side"
            self._frames += self._decoder.feed(data)
        return self._frames.pop(0)

    def answers(self, count: int) -> dict[int, Frame]:
        """That many frames, by their events' numbers."""
        return {frame[0]["n"]: frame for frame in (self.read() for _ in range(count))}

    def finish(self) -> list[Frame]:
        """Send nothing more, as a host does that retires it; all frames until the instance's end."""
        self._channel.shutdown(socket.SHUT_WR)
        frames, self._frames = self._frames, []
        while data := self._channel.recv(65536):
            frames += self._decoder.feed(data)
        return frames


@contextlib.contextmanager
def instance_of(folder: Path, index: str, **changes: Any) -> Iterator[tuple[Instance, Head]]:
    """An instance of a package that is this `index.py`, and what it said when it was ready."""
    package, output = folder / "package", folder / "output"
    for made in (package, output):
        made.mkdir()
    (package / "index.py").write_text(index, encoding="utf-8")
    spec = PoolSpec("f", 1, "", Path(sys.executable), package, output, **changes)
    ours, theirs = socket.socketpair()
    word = os.memfd_create("word")
    os.ftruncate(word, PAGE)
    with asyncio.Runner() as runner, ours, theirs, os.fdopen(word):
        instance = Instance(ours, word, runner)
        workshop = Workshop(prepare_overlay(folder / "overlay"), "test", instance.lines.append)
        arbiter = runner.run(_boot(spec, workshop))
        try:
            arbiter.send({"op": "spawn", "slot": 0}, (theirs.fileno(), word))
            theirs.close()
            yield instance, instance.greet()
        finally:
            ours.close()
            runner.run(arbiter.stop(5))


async def _boot(spec: PoolSpec, workshop: Workshop) -> ArbiterProcess:
    told: asyncio.Queue[Message | None] = asyncio.Queue()
    arbiter = ArbiterProcess(spec, workshop, told.put_nowait)
    arbiter.begin(spec.preload)
    message: Message | None = {"op": "boxed"}
    while message is not None and message["op"] == "boxed":
        message = await asyncio.wait_for(told.get(), PATIENCE)
    if message is None or message["op"] != "booted":
        await arbiter.stop(0)
        raise BootFailedError(message["error"]["message"] if message else "it ended")
    return arbiter
