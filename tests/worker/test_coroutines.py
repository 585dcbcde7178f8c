"""Coroutine functions run several events at a time in one instance, and are stopped at their deadline."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.hosts import RunningHost, wait_until
from tests.worker.deploying import answer, deploy, instance, wait_for_line

INDEX = """
import asyncio, os, threading, time

async def start(context):
    context.user_data.here = 0
    context.user_data.all_here = asyncio.Event()
    context.user_data.loop = asyncio.get_running_loop()

async def index(event, context):
    return await globals()[event.pop("do")](event, context)

async def barrier(event, context):
    context.user_data.here += 1
    if context.user_data.here == 8:
        context.user_data.all_here.set()
    await context.user_data.all_here.wait()
    print("seen by", context.request_id)
    return {"pid": os.getpid(), "same_loop": asyncio.get_running_loop() is context.user_data.loop}

async def echo(event, context):
    await asyncio.sleep(0)
    return event

async def wait(event, context):
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        print("cancelled")
        raise

async def ignore(event, context):
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            print("I go on")

async def block(event, context):
    time.sleep(60)

async def fail(event, context):
    async with asyncio.TaskGroup() as group:
        group.create_task(broken())

async def broken():
    raise ValueError("deep inside")

async def leave(event, context):
    raise SystemExit(3)

async def cancel_itself(event, context):
    asyncio.current_task().cancel()
    await asyncio.sleep(1)

async def big(event, context):
    return b"x" * 3_000_000

async def thread(event, context):
    await asyncio.to_thread(print, "in a thread of", context.request_id)
"""
MANIFEST = "concurrency: 8\ntimeout: 5s\nscale: {min: 1, max: 1}\n"
SHORT = MANIFEST.replace("5s", "500ms")


@pytest.fixture(scope="module")
def host(shared_host: RunningHost) -> RunningHost:
    """The shared host with one function twice: `patient` has five seconds, `hasty` half a second."""
    deploy(shared_host, "patient", INDEX, MANIFEST)
    deploy(shared_host, "hasty", INDEX, SHORT)
    return shared_host


def invoke_together(host: RunningHost, name: str, events: Sequence[dict[str, Any]]) -> list[httpx.Response]:
    with ThreadPoolExecutor(len(events)) as threads:
        return list(threads.map(lambda event: host.invoke(name, event), events))


def test_eight_events_run_at_the_same_time_on_one_loop(host: RunningHost) -> None:
    answers = invoke_together(host, "patient", [{"do": "barrier"}] * 8)
    assert [each.status_code for each in answers] == [200] * 8
    told = [each.json() for each in answers]
    assert all(each == {"pid": instance(host, "patient"), "same_loop": True} for each in told)
    ids = {each.headers["x-request-id"] for each in answers}
    for each in ids:
        line = wait_for_line(host, "patient", lambda line, each=each: line["line"] == f"seen by {each}")  # type: ignore[misc]
        assert line["id"] == each


def test_more_events_than_concurrency_are_all_answered_each_with_its_own_result(host: RunningHost) -> None:
    answers = invoke_together(host, "patient", [{"do": "echo", "number": number} for number in range(40)])
    assert [each.json() for each in answers] == [{"number": number} for number in range(40)]


def test_large_answers_of_neighbours_do_not_mix(host: RunningHost) -> None:
    answers = invoke_together(host, "patient", [{"do": "big"}] * 6)
    assert all(each.content == b"x" * 3_000_000 for each in answers)


def test_at_its_deadline_an_event_is_cancelled_and_the_instance_lives(host: RunningHost) -> None:
    before = instance(host, "hasty")
    late, *others = invoke_together(host, "hasty", [{"do": "wait"}, *[{"do": "echo"}] * 5])
    assert late.status_code == 504
    assert [each.status_code for each in others] == [200] * 5
    wait_for_line(host, "hasty", lambda line: line["line"] == "cancelled")
    assert instance(host, "hasty") == before


@pytest.mark.parametrize("do", ["ignore", "block"])
def test_an_event_that_does_not_stop_when_cancelled_is_killed(host: RunningHost, do: str) -> None:
    before = instance(host, "hasty")
    assert host.invoke("hasty", {"do": do}).status_code == 504
    wait_until(lambda: instance(host, "hasty") not in (0, before), "another instance takes its place")
    assert answer(host, "hasty", {"do": "echo"}) == {}


def test_an_error_in_a_task_group_is_told_with_its_cause_and_without_our_frames(host: RunningHost) -> None:
    told = host.invoke("patient", {"do": "fail"}).json()
    assert told["errorType"] == "ExceptionGroup"
    stack = "\n".join(told["stackTrace"])
    assert "ValueError: deep inside" in stack and "in broken" in stack
    assert "worker/" not in stack


@pytest.mark.parametrize(("do", "kind"), [("leave", "SystemExit"), ("cancel_itself", "CancelledError")])
def test_what_would_end_a_task_is_an_answer_like_any_error(host: RunningHost, do: str, kind: str) -> None:
    before = instance(host, "patient")
    response = host.invoke("patient", {"do": do})
    assert (response.status_code, response.json()["errorType"]) == (500, kind)
    assert instance(host, "patient") == before


def test_a_thread_of_the_loop_prints_with_the_invocations_id(host: RunningHost) -> None:
    response = host.invoke("patient", {"do": "thread"})
    line = wait_for_line(host, "patient", lambda line: str(line["line"]).startswith("in a thread of"))
    assert line["id"] == response.headers["x-request-id"]
