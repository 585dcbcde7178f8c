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
    """What a debugger is to do: `breaks` are places as `("index.py", 12)`."""

    breaks: Sequence[tuple[str, int]] = field(default=())
    post_mortem: bool = False


def start_single(
    event: SingleEvent, around: Surroundings, debug: Wish | None = None
) -> "subprocess.Popen[bytes]":
    """Start it with our own stdin, stdout and stderr; raises OSError.

    Its exit code is 0 when the function answered, 1 when it failed.
    """
    order = {
        "setup": {**around.setup, "box": BoxPlan()._asdict(), "preload": False},
        "head": {
            "id": event.id,
            "ct": event.content_type,
            "ts": event.received,
            "m": json.dumps(event.meta),
        },
        "body": base64.b64encode(event.body).decode(),
        "debug": debug and {"breaks": list(debug.breaks), "post_mortem": debug.post_mortem},
    }
    # In memory: it has secrets, and the function's user could not read a file of ours.
    with os.fdopen(os.memfd_create("order"), "wb") as file:
        file.write(json.dumps(order).encode())
        file.flush()
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        return _spawn(file.fileno(), around)


def _spawn(order: int, around: Surroundings) -> "subprocess.Popen[bytes]":
    identity: dict[str, Any] = {}
    if around.user is not None:
        identity = {"user": around.user, "group": around.user, "extra_groups": []}
    return subprocess.Popen(
        [around.program, "-I", "-S", around.worker / STARTER, str(order)],
        pass_fds=[order],
        cwd=around.setup["package_dir"],
        env=dict(around.environment),
        **identity,
    )
