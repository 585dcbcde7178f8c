"""The demo's sensor tells right answers from wrong ones, and its own events from a stranger's."""

import asyncio
import json
import random
from collections.abc import Callable

import pytest

from host.demo.faults import DemoError
from host.demo.records import Sample, is_point_right, is_truck_right, make_point, make_truck, samples
from host.demo.score import ENOUGH, Score
from host.demo.sensor import Sensor, Shift

PROOF = Shift(strict=True, pause=0)
Answerer = Callable[[bytes], bytes]


def point_answer(event: bytes) -> bytes:
    point = json.loads(event)
    return b'"1"' if 2 * point["t"] + point["h"] > 300 else b'"0"'


def truck_answer(event: bytes) -> bytes:
    return json.dumps({"temperature": 69, "payload": event.decode()}).encode()


class Loopback:
    """Stands for the broker and the function behind it: each event is heard, and answered at once."""

    def __init__(self, answer: Answerer) -> None:
        self.answer = answer
        self.sensor: Sensor

    def publish(self, topic: str, payload: bytes) -> None:
        self.sensor.hear_event(payload)
        self.sensor.hear_answer(self.answer(payload))


def sensor_of(sample: Sample, answer: Answerer) -> tuple[Sensor, Score]:
    score = Score([sample.function])
    link = Loopback(answer)
    link.sensor = Sensor(sample, link.publish, score)
    return link.sensor, score


@pytest.mark.parametrize(("position", "answer"), [(0, truck_answer), (1, point_answer)])
def test_enough_right_answers_end_its_work(position: int, answer: Answerer) -> None:
    sensor, score = sensor_of(samples()[position], answer)
    asyncio.run(sensor.work(PROOF))
    assert score.right[sensor.sample.function] == ENOUGH


@pytest.mark.parametrize("wrong", [b'"2"', b"", b"null", b"1", b'{"temperature": 69}'])
def test_a_wrong_answer_is_a_fault_that_names_it(wrong: bytes) -> None:
    sensor, _ = sensor_of(samples()[1], lambda event: wrong)
    with pytest.raises(DemoError, match="which is wrong; seen so far: 0 of 20 right answers of test"):
        asyncio.run(sensor.work(PROOF))


def test_a_strangers_answer_is_not_taken_for_its_own() -> None:
    sensor, score = sensor_of(samples()[0], truck_answer)
    sensor.hear_event(b"a stranger's")
    sensor.hear_answer(truck_answer(b"a stranger's"))
    asyncio.run(sensor.work(PROOF))
    assert score.right["industry"] == ENOUGH


@pytest.mark.parametrize(
    "answer",
    [
        {"temperature": 39, "payload": "x\n"},
        {"temperature": 81, "payload": "x\n"},
        {"temperature": 60.5, "payload": "x\n"},
        {"temperature": True, "payload": "x\n"},
        {"temperature": 60, "payload": "x"},
        {"temperature": 60},
        {"temperature": 60, "payload": "x\n", "more": 1},
        [60],
    ],
)
def test_a_truck_wants_its_own_text_and_a_whole_temperature(answer: object) -> None:
    assert is_truck_right(b"x\n", b'{"temperature": 60, "payload": "x\\n"}')
    assert not is_truck_right(b"x\n", json.dumps(answer).encode())


def test_its_events_are_as_the_samples_want_them() -> None:
    source = random.Random(1)
    truck = make_truck(source)
    assert truck.endswith(b"}\n") and {"type", "fuel", "brand", "model", "year"} < json.loads(truck).keys()
    points = [make_point(source) for _ in range(200)]
    assert {is_point_right(point, b'"1"') for point in points} == {True, False}
    assert not any(is_point_right(point, b'"1"') and is_point_right(point, b'"0"') for point in points)


def test_a_score_says_what_was_seen_and_what_was_not() -> None:
    score = Score(["industry", "test"])
    score.right.update(industry=20, test=3)
    assert score.sentence() == "20 of 20 right answers of industry, 3 of 20 of test, and none over HTTP"
