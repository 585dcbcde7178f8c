"""Starts one event's run in a process of its own, without a pool, for a person (`worker/single.py`)."""

import base64
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runtime.worker.box_plan import BoxPlan

STARTER = "by_hand.py"


@dataclass(frozen=True)
class SingleEvent:
    """One event: its body, what `context.event` tells (`meta`), when it came (seconds since the epoch)."""

    id: str
    body: bytes
    content_type: str | None
    meta: Mapping[str, Any]
    received: float


@dataclass(frozen=True)
class Surroundings:
    """Where it runs: `setup` is what an arbiter would be told, `secrets` in it by name with their values.

    `worker` is the folder of our code in a function's process; `user` the id to run as, None: this process's.
    """

    program: Path
    worker: Path
    setup: Mapping[str, Any]
    environment: Mapping[str, str]
    user: int | None = None


@dataclass(frozen=True)
class Wish:
    """What a debugger is to do: `breaks` are places as `("index.py", 12)`.

    `terminal` has the descriptors that are its standard input, output and error; none of them should be a
    terminal that somebody else goes on to use.
    """

    breaks: Sequence[tuple[str, int]] = field(default=())
    post_mortem: bool = False
    terminal: tuple[int, int, int] = (0, 1, 2)


def run_single(event: SingleEvent, around: Surroundings) -> dict[str, Any] | None:
    """Run it to its end, and return what came of it: `body` (base64, or None), `content_type`, `failure` and
    `publications`; None when the process died. Raises OSError.

    What the function prints goes where our own output goes.
    """
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as told:
        try:
            process = _start(_order(event, around) | {"answer": writing}, around, (writing,))
        finally:
            os.close(writing)
        answer = told.read()
        process.wait()
    outcome: dict[str, Any] | None = json.loads(answer) if answer else None
    return outcome


def debug_single(event: SingleEvent, around: Surroundings, wish: Wish) -> "subprocess.Popen[bytes]":
    """Start it under pdb, in a session of its own whose terminal is that of `wish`; raises OSError.

    Its exit code is 0 when the function answered or the person has quit, 1 when it failed.
    """
    told = {"breaks": list(wish.breaks), "post_mortem": wish.post_mortem}
    given: dict[str, Any] = dict(zip(("stdin", "stdout", "stderr"), wish.terminal, strict=True))
    return _start(_order(event, around) | {"debug": told}, around, start_new_session=True, **given)


def _order(event: SingleEvent, around: Surroundings) -> dict[str, Any]:
    meta = json.dumps(event.meta)
    return {
        "setup": {**around.setup, "box": BoxPlan()._asdict(), "preload": False},
        "head": {"id": event.id, "ct": event.content_type, "ts": event.received, "m": meta},
        "body": base64.b64encode(event.body).decode(),
        "parent": os.getpid(),
    }


def _start(
    order: Mapping[str, Any], around: Surroundings, fds: tuple[int, ...] = (), **more: Any
) -> "subprocess.Popen[bytes]":
    identity: dict[str, Any] = {}
    if around.user is not None:
        identity = {"user": around.user, "group": around.user, "extra_groups": []}
    # In memory: it has secrets, and the function's user could not read a file of ours.
    with os.fdopen(os.memfd_create("order"), "wb") as file:
        file.write(json.dumps(order).encode())
        file.flush()
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        return subprocess.Popen(
            [around.program, "-I", "-S", around.worker / STARTER, str(file.fileno())],
            pass_fds=[file.fileno(), *fds],
            cwd=around.setup["package_dir"],
            env=dict(around.environment),
            **identity,
            **more,
        )
