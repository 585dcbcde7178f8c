"""What the API tells of a function's instances."""

import json

from host.web.views import tell_decision
from runtime.scaling.decisions import Decision, Measurement, Need, Record, Room
from runtime.spec import ScaleRule


def test_a_decision_is_told_with_its_sentence_and_all_that_it_was_made_from() -> None:
    seen = Measurement(
        now=1000.0, arrived=90, waiting=3, running=1, busy=1, service_time=0.05, instances=1,
        temperature="hot", last_used=999.5, room=Room(2, 100, 200),
    )  # fmt: skip
    decision = Decision(3, "hot", "load", 1, "hot", ScaleRule(max=8), seen, Need(3, "load", 41.0, 2.1))
    told = json.loads(json.dumps(tell_decision(Record(1.7e9, decision)), allow_nan=False))
    assert (told["at"], told["wanted"], told["temperature"], told["why"]) == (1.7e9, 3, "hot", "load")
    assert told["sentence"].startswith("3 instances instead of 1: 41 events/s")
    inputs = told["inputs"]
    assert (inputs["before"], inputs["needed"], inputs["rate"], inputs["waiting"]) == (1, 3, 41.0, 3)
    assert (inputs["idle_for"], inputs["scale"]["max"], inputs["room"]["budget"]) == (0.5, 8, 200)
