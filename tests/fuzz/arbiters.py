"""Fuzzes what a host hears from an arbiter, in which the package's own code may speak."""

import asyncio
import contextlib
import json
import socket
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import strategies as st

import runtime.arbiter
from runtime.loglines import LogLine
from runtime.overlay import Overlay
from runtime.pool import Pool
from runtime.process import ArbiterProcess, Workshop
from runtime.scaling.memory import Sampler
from runtime.scaling.scaler import Scaler
from runtime.spec import PoolSpec
from tests.fuzz.target import Target, any_json, any_text, nested

NOWHERE = Path("/nonexistent")
PATIENCE = 30
LONGEST_WAIT = 1.0
"""Seconds: more than a slot waits for its socket after its instance has ended."""

HONEST: dict[str, dict[str, Any]] = {
    "boxed": {"walls": {"landlock": None, "seccomp": "the kernel has none"}},
    "booted": {},
    "failed": {"error": {"type": "ValueError", "message": "no", "place": "index.py:1", "stack": ["line"]}},
    "unsafe": {"reason": "a thread"},
    "pong": {},
    "exited": {"slot": 1, "status": 0},
    "refused": {"slot": 1, "reason": "no memory"},
}
PARTS = ("op", "slot", "status", "reason", "error", "walls")
LIES = st.dictionaries(st.sampled_from(PARTS), any_text() | any_json(4), max_size=2)
ERRORS = st.fixed_dictionaries(
    {}, optional={name: any_text() | any_json(3) for name in ("type", "message", "place", "stack")}
)
MESSAGES = st.builds(
    lambda kind, lies: {"op": kind, **HONEST[kind], **lies}, st.sampled_from(sorted(HONEST)), LIES
) | ERRORS.map(lambda error: {"op": "failed", "error": error})
PACKETS = (
    MESSAGES.map(lambda message: json.dumps(message).encode())
    | MESSAGES.map(lambda message: json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    | any_json(5).map(lambda value: json.dumps(value).encode())
    | st.sampled_from([nested(900), nested(50_000), '{"op":' + nested(970) + "}"]).map(str.encode)
    | st.binary(min_size=1, max_size=60)
)
BOOTED = b'{"op":"booted"}'
CASES = st.builds(
    lambda boots, packets: [BOOTED, *packets] if boots else packets,
    st.booleans(),
    st.lists(PACKETS, min_size=1, max_size=5),
)


class ForgedArbiter(ArbiterProcess):
    """A process that only sleeps; what it would say comes from `mouth`."""

    mouth: socket.socket

    def _spawn(self, theirs: socket.socket) -> "subprocess.Popen[bytes]":
        type(self).mouth = theirs.dup()
        with self._log.writing_end():
            return subprocess.Popen(["sleep", "60"], start_new_session=True)


class LeapingLoop(asyncio.SelectorEventLoop):
    """Its clock can be put forward, so that nothing is waited for."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


def check_messages(case: list[bytes]) -> None:
    """Whatever an arbiter says, its pool stays one that can be looked at and stopped."""
    forged = mock.patch.object(runtime.arbiter, "ArbiterProcess", ForgedArbiter)
    with forged, asyncio.Runner(loop_factory=LeapingLoop) as runner:
        runner.run(_hear(case))


async def _hear(packets: list[bytes]) -> None:
    faults: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    assert isinstance(loop, LeapingLoop)
    loop.set_exception_handler(lambda loop, context: faults.append(context))
    lines: list[LogLine] = []
    workshop = Workshop(Overlay(NOWHERE, NOWHERE, NOWHERE), "", lines.append)
    spec = PoolSpec("f", 1, "", NOWHERE, NOWHERE, NOWHERE)
    pool = Pool(spec, workshop, Scaler(loop, Sampler(loop), 2**40), 1)
    supervisor = pool._open()
    supervisor.want(1)
    await _let_pass()
    with ForgedArbiter.mouth as mouth, contextlib.suppress(OSError):
        for packet in packets:
            mouth.send(packet)
            await _let_pass()
            _look(pool, lines)
        loop.ahead += LONGEST_WAIT
        await _let_pass()
        _look(pool, lines)
    supervisor._arbiter.kill()
    await asyncio.wait_for(pool.stop(), PATIENCE)
    _look(pool, lines)
    assert not faults, faults


def _look(pool: Pool, lines: list[LogLine]) -> None:
    """What the API and the logs would show can be written."""
    shown = {"view": asdict(pool.view()), "lines": [asdict(line) for line in lines]}
    told = json.dumps(
        {**shown, "walls": dict(pool._open()._arbiter.walls)}, ensure_ascii=False, allow_nan=False
    )
    assert len(told.encode()) < 1024 * 1024


async def _let_pass() -> None:
    for _ in range(4):
        await asyncio.sleep(0)


TARGETS = (Target("messages of an arbiter", CASES, check_messages, 40),)
