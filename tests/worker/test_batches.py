"""A batch entry takes several events in one call, and each of them has its own answer."""

import json
import time
from pathlib import Path

import pytest

from runtime.spec import BatchRule
from tests.worker.instances import BootFailedError, Instance, instance_of

BATCH = BatchRule(8)
INDEX = """
import numpy

def index(event, context):
    return "alone"

def index_batch(events, context):
    do = events[0]["do"] if isinstance(events[0], dict) else events[0]
    return globals()[do](events, context)

def double(events, context):
    return [event["n"] * 2 for event in events]

def array(events, context):
    return numpy.array([[event["n"], 0.5] for event in events])

def some_fail(events, context):
    print("called with", len(events))
    return (None, ValueError("not this one"), {1}, b"raw", context.Response("x", 201))

def all_fail(events, context):
    raise KeyError("all")

def too_few(events, context):
    return [1]

def no_list(events, context):
    return (event for event in events)

def left(events, context):
    return [context.get_remaining_time_in_millis() > 10_000] * len(events)

def look(events, context):
    for each in context.batch[1:]:
        each.publish("a/b", each.request_id)
    try:
        context.publish("a/b", 1)
    except TypeError as error:
        told = str(error)
    return [[context.request_id, each.request_id, each.event.id, told] for each in context.batch]
"""
ASYNC_INDEX = """
import asyncio

async def handler_batch(events):
    await asyncio.sleep(0)
    return [len(events)] * len(events)
"""


def ask(instance: Instance, do: str, count: int) -> list[int]:
    bodies = [json.dumps({"do": do, "n": number}).encode() for number in range(count)]
    return instance.ask(*bodies, batch=True)


def results(instance: Instance, numbers: list[int]) -> list[object]:
    """What each event was answered: its value, or the kind of its failure."""
    answers = instance.answers(len(numbers))
    found = [answers[number] for number in numbers]
    return [json.loads(body) if head["k"] == "ok" else head["k"] for head, body in found]


@pytest.mark.parametrize("concurrency", [1, 2])
def test_each_event_of_a_batch_has_its_own_result(tmp_path: Path, concurrency: int) -> None:
    with instance_of(tmp_path, INDEX, batch=BATCH, concurrency=concurrency) as (instance, ready):
        assert ready == {"op": "ready", "async": False, "batch": True}
        assert results(instance, ask(instance, "double", 5)) == [0, 2, 4, 6, 8]
        assert instance.begun == 5
        assert results(instance, ask(instance, "array", 2)) == [[0.0, 0.5], [1.0, 0.5]]
        assert results(instance, ask(instance, "double", 1)) == [0]


def test_what_is_wrong_with_one_event_is_its_own_and_what_is_wrong_with_the_call_is_everybodys(
    tmp_path: Path,
) -> None:
    with instance_of(tmp_path, INDEX, batch=BATCH) as (instance, _):
        numbers = ask(instance, "some_fail", 5)
        answers = instance.answers(5)
        heads = [answers[number][0] for number in numbers]
        assert [head["k"] for head in heads] == ["none", "raised", "raised", "ok", "ok"]
        assert [heads[1]["error"]["message"], heads[2]["error"]["type"]] == ["not this one", "ResultError"]
        assert (answers[numbers[3]][1], heads[4]["st"]) == (b"raw", 201)
        assert len({head["s"] for head in heads[3:]}) == 1
        assert {line.id for line in instance.lines_with("not this one")} == {f"id-{numbers[1]}"}
        for do, why in {
            "all_fail": "'all'",
            "too_few": "3 events were given, and 1 results returned",
            "no_list": "returns a list with one result per event, not generator",
        }.items():
            ask(instance, do, 3)
            heads = [head for head, _ in instance.answers(3).values()]
            assert all(why in head["error"]["message"] for head in heads)
        assert len(instance.lines_with("in all_fail")) == 1
        assert len(instance.lines_with("its batch of 3 failed with KeyError")) == 3


def test_events_that_are_late_or_no_input_are_left_out_of_the_call(tmp_path: Path) -> None:
    with instance_of(tmp_path, INDEX, batch=BATCH) as (instance, _):
        numbers = instance.ask(b"{", b'"double"', batch=True)
        assert results(instance, numbers) == ["rejected", "raised"]
        assert results(instance, instance.ask(b"{", b"", batch=True)) == ["rejected"] * 2
        assert results(instance, instance.ask(b"1", b"2", batch=True, within=-1)) == ["expired"] * 2


def test_the_deadline_of_a_batch_is_that_of_the_events_in_it(tmp_path: Path) -> None:
    with instance_of(tmp_path, INDEX, batch=BATCH) as (instance, _):
        limits = [time.monotonic() + within for within in (-1, 60)]
        heads = [{"n": n, "id": f"id-{n}", "dl": limit, "ts": 0} for n, limit in enumerate(limits, 1)]
        instance.say({**heads[0], "b": 2}, heads[1], body=b'"left"')
        assert results(instance, [1, 2]) == ["expired", True]


def test_the_context_of_a_batch_has_those_of_its_events(tmp_path: Path) -> None:
    with instance_of(tmp_path, INDEX, batch=BATCH, publish=("#",)) as (instance, _):
        first, second = ask(instance, "look", 2)
        answers = instance.answers(2)
        told = "a message is published with one event: context.batch[i].publish(…)"
        assert json.loads(answers[first][1]) == ["", f"id-{first}", f"id-{first}", told]
        head, body = answers[second]
        assert head["p"] == [{"t": "a/b", "q": 1, "r": False, "l": len(f'"id-{second}"')}]
        assert body.endswith(f'"id-{second}"'.encode())


def test_a_batch_entry_may_be_a_coroutine_and_stand_alone(tmp_path: Path) -> None:
    with instance_of(tmp_path, ASYNC_INDEX, concurrency=2) as (instance, ready):
        assert ready == {"op": "ready", "async": True, "batch": False}
        assert results(instance, instance.ask(b"1", b"2", b"3")) == [1, 1, 1]


def test_a_batch_of_coroutines_is_one_call(tmp_path: Path) -> None:
    with instance_of(tmp_path, ASYNC_INDEX, batch=BATCH) as (instance, ready):
        assert ready == {"op": "ready", "async": True, "batch": True}
        numbers = instance.ask(b"1", b"2", b"3", batch=True)
        instance.say({"op": "cancel", "event": numbers[-1]})
        assert results(instance, numbers) == [3, 3, 3]


@pytest.mark.parametrize(
    ("index", "why"),
    [
        (
            "def index(event, context):\n    return 1\n",
            "`batch:` in function.yaml needs a `index_batch(ev",
        ),
        ("def index_batch(events):\n    yield 1\n", "`index_batch` cannot be a generator"),
    ],
)
def test_batch_without_a_batch_entry_is_refused(tmp_path: Path, index: str, why: str) -> None:
    with pytest.raises(BootFailedError) as raised, instance_of(tmp_path, index, batch=BATCH):
        pass
    assert why in str(raised.value)
