"""Decisions of the autoscaler on their way to the console: kept, told, and said in both languages."""

import json
from itertools import product
from pathlib import Path
from typing import Any, get_args

from host.console.live.decisions import MOST_KEPT, MOST_TOLD, DecisionsSource
from host.web.views import tell_decision
from runtime.scaling.decisions import Decision, Measurement, Need, Record, Room, Temperature, Why
from runtime.spec import PoolSpec, ScaleRule
from tests.browser import Browser
from tests.console.console import go
from tests.hosts import RunningHost

HERE = Path("here")
SPEC = PoolSpec("industry", 1, "", HERE, HERE, HERE)


def decision(why: Why, wanted: int = 3, needed: int = 3, temperature: Temperature = "hot") -> Decision:
    seen = Measurement(
        now=1000.0, arrived=90, waiting=3, running=1, busy=1, service_time=0.05, instances=1,
        temperature="hot", last_used=999.5, room=Room(2, 3 * 1024**3, 4 * 1024**3), fixed=3,
    )  # fmt: skip
    return Decision(wanted, temperature, why, 1, "hot", ScaleRule(max=8), seen, Need(needed, why, 41.0, 2.1))


def numbers(told: Any) -> list[int]:
    return [each["wanted"] for each in told["decisions"]]


def test_the_newest_decisions_of_all_functions_are_told_at_first_and_then_what_is_new() -> None:
    source = DecisionsSource()
    for wanted in range(MOST_KEPT + 7):
        source.decided(SPEC, decision("load", wanted))
    source.opened("")
    assert numbers(source.begin("")) == list(range(7, MOST_KEPT + 7))
    assert source.tell("") is None
    for wanted in range(MOST_TOLD + 2):
        source.decided(SPEC, decision("max", wanted))
    assert numbers(source.tell("")) == list(range(MOST_TOLD))
    assert numbers(source.tell("")) == [MOST_TOLD, MOST_TOLD + 1]
    assert source.tell("") is None
    assert source.begin("")["decisions"][0]["function"] == "industry"


def test_each_reason_for_a_decision_is_said_in_both_languages_with_the_hosts_own_numbers(
    shared_host: RunningHost, console: Browser
) -> None:
    cases = [decision(why, *rest) for why, rest in product(get_args(Why), ((3, 5), (1, 1), (0, 0, "warm")))]  # type: ignore[arg-type]
    told = json.dumps([tell_decision(Record(1.7e9, each)) for each in cases])
    say = f"import('/static/js/decisions.js').then((all) => {told}.map(all.sentenceOf))"
    spoken = {}
    for language in ("en", "zh-CN"):
        go(console, shared_host, "/", language)
        spoken[language] = console.run(say)
    english = dict(zip([(each.why, each.wanted) for each in cases], spoken["en"], strict=True))
    assert english["load", 3] == (
        "Instances 1 → 3: 41 events/s take 50 ms each, "
        "which is the time of 2.1 instances at a target of 70 %, with 3 waiting"
    )
    assert english["memory", 3] == "Instances 1 → 3: needed are 5, but the pools use 3 GiB of 4 GiB"
    assert english["idle", 0].startswith("Instances 1 → 0, now warm: no event for 500 ms")
    assert english["max", 1] == "Instances stay at 1: max is 8, and 1 are needed"
    for text in (*spoken["en"], *spoken["zh-CN"]):
        assert not any(wrong in text for wrong in ("{", "undefined", "NaN", "–")), text
    assert all(ours != theirs for ours, theirs in zip(spoken["en"], spoken["zh-CN"], strict=True))
