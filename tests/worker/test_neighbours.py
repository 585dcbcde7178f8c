"""Events that come in one write do not keep each other waiting, and run once."""

import json
from pathlib import Path

from tests.hosts import wait_until
from tests.worker.instances import instance_of

INDEX = """
import os, sys, time

def index(event, context):
    return globals()[event](context)

def quick(context):
    print("ran", context.request_id)
    return "asyncio" not in sys.modules

def wait(context):
    while not os.path.exists("../gate"):
        time.sleep(0.001)

def fork(context):
    pid = os.fork()
    return bool(pid) and os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
"""


def test_an_answer_does_not_wait_for_a_slow_neighbour(tmp_path: Path) -> None:
    with instance_of(tmp_path, INDEX) as (instance, _):
        *quick, slow, last = instance.ask(*[b'"quick"'] * 20, b'"wait"', b'"quick"')
        assert instance.answers(20).keys() == set(quick)
        (tmp_path / "gate").touch()
        assert set(instance.answers(2)) == {slow, last}


def test_a_forked_child_does_not_run_the_events_behind_its_own(tmp_path: Path) -> None:
    with instance_of(tmp_path, INDEX) as (instance, _):
        (tmp_path / "gate").touch()
        *_, forking, behind = instance.ask(*[b'"quick"'] * 20, b'"fork"', b'"quick"')
        answers = instance.answers(22)
        assert json.loads(answers[forking][1]) == 3
        lines = wait_until(lambda: instance.lines_with(f"ran id-{behind}"), "it ran")
        assert len(lines) == 1
