"""With `concurrency: n` a plain function runs up to n events at a time, in threads of its instance."""

import json
import os
import signal
from pathlib import Path
from typing import Any

from tests.hosts import wait_until
from tests.worker.instances import Instance, instance_of

INDEX = """
import gc, os, threading, time

gates = [threading.Event() for _ in range(4)]

def start(context):
    context.user_data.alone = threading.active_count()

def shutdown(context):
    print("goodbye")

def index(event, context):
    return globals()[event["do"]](event, context)

def wait(event, context):
    print("waits", context.request_id)
    gates[event["gate"]].wait()
    return event["gate"]

def open_gate(event, context):
    gates[event["gate"]].set()

def look(event, context):
    return {
        "pid": os.getpid(),
        "threads": threading.active_count(),
        "alone": context.user_data.alone,
        "is_main": threading.current_thread() is threading.main_thread(),
        "gc": gc.isenabled(),
        "frozen": gc.get_freeze_count() > 0,
    }

def fork(event, context):
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return "of the child"

def leave(event, context):
    raise SystemExit(3)

def close(event, context):
    for fd in range(3, 50):
        try:
            if "socket" in os.readlink(f"/proc/self/fd/{fd}"):
                os.close(fd)
        except OSError:
            pass
"""


def ask(instance: Instance, do: str, **event: object) -> int:
    return instance.ask(json.dumps({"do": do, **event}).encode())[0]


def answer(instance: Instance, do: str, **event: object) -> Any:
    number = ask(instance, do, **event)
    head, body = instance.read()
    assert head["n"] == number
    return json.loads(body) if head["k"] == "ok" else head


def test_events_run_at_the_same_time_and_are_answered_as_they_finish(tmp_path: Path) -> None:
    with instance_of(tmp_path, INDEX, concurrency=3) as (instance, _):
        slow, slower = ask(instance, "wait", gate=0), ask(instance, "wait", gate=1)
        opener = ask(instance, "open_gate", gate=1)
        assert set(instance.answers(2)) == {slower, opener}
        assert instance.begun == opener
        ask(instance, "open_gate", gate=0)
        assert json.loads(instance.answers(2)[slow][1]) == 0
        lines = wait_until(lambda: instance.lines_with("waits"), "both lines are there")
        assert sorted((line.id, line.line) for line in lines) == [
            (f"id-{number}", f"waits id-{number}") for number in (slow, slower)
        ]


def test_no_more_threads_than_concurrency_and_none_before_they_are_needed(tmp_path: Path) -> None:
    with instance_of(tmp_path, INDEX, concurrency=3) as (instance, _):
        seen = answer(instance, "look")
        assert seen | {"pid": 0} == {
            "pid": 0,
            "threads": 2,
            "alone": 1,
            "is_main": False,
            "gc": True,
            "frozen": True,
        }
        waiting = [ask(instance, "wait", gate=each) for each in range(2)]
        assert answer(instance, "look")["threads"] == 4
        others = instance.ask(*[b'{"do": "look"}'] * 8)
        threads = {json.loads(body)["threads"] for _, body in instance.answers(8).values()}
        assert threads == {4} and others
        for gate, number in enumerate(waiting):
            opener = ask(instance, "open_gate", gate=gate)
            assert set(instance.answers(2)) == {number, opener}


def test_what_runs_is_finished_before_an_instance_ends_on_sigterm(tmp_path: Path) -> None:
    with instance_of(tmp_path, INDEX, concurrency=2) as (instance, _):
        pid = answer(instance, "look")["pid"]
        running = ask(instance, "wait", gate=0)
        wait_until(lambda: instance.lines_with("waits"), "it runs")
        opener = ask(instance, "open_gate", gate=0)
        os.kill(pid, signal.SIGTERM)
        assert {head["n"] for head, _ in instance.finish()} == {running, opener}
        wait_until(lambda: instance.lines_with("goodbye"), "its shutdown hook ran")


def test_a_forked_child_that_comes_out_of_the_function_answers_nothing(tmp_path: Path) -> None:
    with instance_of(tmp_path, INDEX, concurrency=2) as (instance, _):
        waiting = ask(instance, "wait", gate=0)
        assert answer(instance, "fork") == 3
        assert answer(instance, "leave")["error"]["type"] == "SystemExit"
        assert instance.lines_with("came out of it and was ended")
        ask(instance, "open_gate", gate=0)
        assert waiting in instance.answers(2)


def test_an_instance_whose_channel_a_thread_has_closed_ends(tmp_path: Path) -> None:
    with instance_of(tmp_path, INDEX, concurrency=2) as (instance, _):
        ask(instance, "close")
        assert [head.get("op") for head, _ in instance.finish()] in ([], ["failed"])
