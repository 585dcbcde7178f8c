"""The flow: the graph and what is stuck in it, and the page as it lives with a broker that goes and comes."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from host.console.catalog import Catalog
from host.console.flow.drawing import draw
from host.console.flow.growth import Growth
from host.console.flow.sight import Sight
from host.console.flow.stuck import Stuck, find_stuck
from tests.brokers import Mosquitto
from tests.browser import Browser
from tests.console.console import go
from tests.console.flows import NOW, connection, function, lane, rule, sight
from tests.hosts import RunningHost, wait_until
from tests.mqtt.clients import Device
from triggers.bridge.bridge import BridgeState
from triggers.bridge.plan import BridgePlan, SourcePlan, TargetPlan
from triggers.delivery.retry import RetryPolicy
from triggers.mqtt.broker import RECEIVE_MAXIMUM
from triggers.mqtt.plan import Target
from triggers.timers.plan import TimerPlan
from triggers.timers.trigger import TimerState, TimerView

HOSTILE = "<img src=x onerror=document.title='broken'>"
CONFIG = """
mqtts:
- {{name: line1, broker: "{url}", qos: 1}}
rules:
- name: "{name}"
  sub: {{name: line1, clientId: flow-in, topic: flow/in}}
  pub: {{name: line1, clientId: flow-out, topic: flow/out}}
  functions: [hot]
"""
EVERYTHING = (
    "JSON.stringify([...document.querySelectorAll('#picture .rate')].map((each) => each.textContent))"
)


def edges(seen: Sight) -> dict[tuple[str, str], int]:
    """What was drawn, without columns and words."""
    return draw(seen).edges


def stuck(seen: Sight, growth: Growth | None = None) -> dict[str, Stuck]:
    """What is stuck, by its code; the page must have words for each."""
    found = find_stuck(seen, growth or Growth())
    catalog = Catalog()
    for each in found:
        sentence = catalog.say("en", f"flow.stuck.{each.code}", **each.values)
        assert "{" not in sentence + catalog.say("zh-CN", f"flow.short.{each.code}", **each.values)
    return {each.code: each for each in found}


def test_events_go_from_a_broker_by_topic_rule_and_function_to_a_topic_and_its_broker() -> None:
    passed = {"sent": 9, "failed": 1, "published": 8, "elsewhere": 2, "confirmed": 6}
    drawn = edges(sight(rule("telemetry", lane("industry", **passed), received=10)))
    assert drawn == {
        ("from:line1", "topic:line1/in/telemetry"): 10,
        ("topic:line1/in/telemetry", "rule:line1/in-telemetry"): 10,
        ("rule:line1/in-telemetry", "function:industry"): 9,
        ("function:industry", "target:line1/out"): 6,
        ("target:line1/out", "to:line1"): 4,
        ("function:industry", "elsewhere:line1"): 2,
        ("elsewhere:line1", "to:line1"): 2,
        ("function:industry", "letters"): 1,
    }


def test_timers_bridges_callers_and_callbacks_are_drawn_where_they_belong() -> None:
    timer = TimerPlan(
        "hourly", ("trend",), 3600.0, None, "UTC", None, None, Target("cloud", "out", "reports"), 10.0,
        (RetryPolicy(),), False,
    )  # fmt: skip
    state = TimerState("hourly", "every 3600s", NOW, None, 3, 0, 0, 0)
    bridge = BridgePlan(
        "meters",
        SourcePlan("http://user:secret@meters/all?key=1"),
        TargetPlan(("tcp://10.0.0.2:1883",), "meters", "b"),
    )
    drawn = edges(
        sight(
            timers=(TimerView(timer, state, (lane("trend", sent=3, published=3, confirmed=3),)),),
            bridges=((bridge, BridgeState("meters", True, 5, 2, 0, 0, None, None)),),
            functions={"trend": function(http=9), "industry": function(http=4)},
            asynchronous=(lane("industry@2", sent=4),),
            posted={"industry": 2},
        )
    )
    assert drawn == {
        ("timer:hourly", "function:trend"): 3,
        ("function:trend", "target:cloud/reports"): 3,
        ("target:cloud/reports", "to:cloud"): 3,
        ("source:http://meters/all", "bridge:meters"): 7,
        ("bridge:meters", "target:cloud/meters"): 7,
        ("target:cloud/meters", "to:cloud"): 5,
        ("http", "function:trend"): 9,
        ("async", "function:industry"): 4,
        ("function:industry", "callbacks"): 2,
    }


def test_a_broker_that_is_away_is_marked_on_both_sides_with_what_the_host_says_of_it() -> None:
    away: dict[str, Any] = {
        "connected": False,
        "last_error": "[Errno 111] Connection refused",
        "next_try": NOW + 4,
    }
    found = stuck(sight(connections=(connection(**away), connection(**away), connection("cloud"))))
    assert set(found) == {"broker_retried"}
    told = found["broker_retried"]
    assert (told.level, told.nodes, told.told) == ("bad", ("from:line1", "to:line1"), away["last_error"])
    assert told.values == {"broker": "line1", "since": NOW - 60, "next": NOW + 4}
    partly = stuck(sight(connections=(connection(**away), connection(client_id="other"))))
    assert (partly["broker_partly"].level, partly["broker_partly"].values["clients"]) == ("warn", "c")


def test_what_keeps_events_waiting_is_told_with_the_function_that_they_wait_for() -> None:
    rules = [
        rule(name, lane(name, 7, 30.0), received=9) for name in ("gone", "broken", "busy", "slow", "good")
    ]
    functions = {
        "gone": function(deployed=False, why="it is in the config but not deployed"),
        "broken": function("failing", why="ImportError: no module named x"),
        "busy": function(queued=3, oldest=2.0),
        "slow": function(),
        "good": function(),
    }
    rules[-1] = rule("good", lane("good", 7, 0.01), received=9)
    found = stuck(sight(*rules, functions=functions))
    assert {code: each.nodes for code, each in found.items()} == {
        "function_missing": ("function:gone",),
        "function_failing": ("function:broken",),
        "function_full": ("function:busy",),
        "waiting": ("function:slow",),
    }
    assert found["function_failing"].told == "ImportError: no module named x"
    assert found["waiting"].values == {"function": "slow", "count": 7, "since": NOW - 30}


def test_rules_outboxes_bridges_the_disk_and_dead_letters_are_told_too() -> None:
    full = rule("full", lane("f"), received=1, unacknowledged=RECEIVE_MAXIMUM, oldest=9.0)
    plan = BridgePlan("meters", SourcePlan("http://meters/all"), TargetPlan(("tcp://10.0.0.2",), "m", "b"))
    found = stuck(
        sight(
            full,
            rule("quiet", lane("f")),
            connections=(connection("cloud", waiting=4, oldest=60.0, connected=False),),
            bridges=((plan, BridgeState("meters", False, 0, 0, 0, 0, "no route", "refused")),),
            refusal="only 3 MiB of the disk are free",
            letters=2,
        )
    )
    assert set(found) == {
        *("window_full", "silent", "broker_away", "outbox_away", "disk"),
        *("bridge_source", "bridge_broker", "letters"),
    }
    assert found["silent"].level == "quiet"
    assert (found["disk"].told, found["disk"].level) == ("only 3 MiB of the disk are free", "bad")


def test_what_is_refused_or_fails_is_told_for_a_minute_after_it_came() -> None:
    growth = Growth()

    def look(at: float, count: int) -> set[str]:
        limited = rule("fast", lane("f"), received=9, refused_rate=count, dropped=count)
        seen = function(limited=count, failed=count, ended=count + count // 2)
        return set(stuck(sight(limited, functions={"f": seen}, at=at), growth))

    assert look(NOW, 4) == set()
    assert look(NOW + 1, 10) == {"rule_limited", "rule_dropped", "function_limited", "function_errors"}
    assert look(NOW + 70, 10) == set()


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """The broker of the host."""
    broker = Mosquitto(tmp_path_factory.mktemp("broker"))
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture(scope="module")
def shared_host(tmp_path_factory: pytest.TempPathFactory, mosquitto: Mosquitto) -> Iterator[RunningHost]:
    """A host with one rule, whose name is hostile."""
    config = CONFIG.format(url=mosquitto.url, name=HOSTILE)
    host = RunningHost(tmp_path_factory.mktemp("host"), config).start()
    host.deploy({"index.py": "def index(event, context):\n    return {'hot': True}\n"}, "hot")
    yield host
    host.close()


def test_rates_move_and_a_broker_that_goes_is_marked_until_it_is_back(
    shared_host: RunningHost, console: Browser, mosquitto: Mosquitto
) -> None:
    go(console, shared_host, "/console/flow")
    console.wait_for("document.querySelector('[data-node^=\"rule:\"]')", "the rule is drawn")
    device = Device(mosquitto)

    def moves() -> bool:
        device.say("flow/in", b'{"t": 1}')
        return sum("/s" in text for text in json.loads(console.run(EVERYTHING))) >= 5

    wait_until(moves, "each edge has a rate")
    assert console.run("document.getElementById('summary').textContent") == "Nothing is stuck."
    assert console.run("document.title") == "Flow · fnhost"
    assert HOSTILE in console.run("document.querySelector('[data-node^=\"rule:\"] title').textContent")
    device.close()
    mosquitto.kill()
    try:
        console.wait_for(
            "document.querySelectorAll('[data-node$=\":line1\"].bad').length === 2", "it is marked"
        )
        told = console.run("document.querySelector('#stuck li').innerText")
        assert "Broker line1 has been away since" in told and "Settings" in told
    finally:
        mosquitto.start()
    console.wait_for("!document.querySelector('#picture .bad, #stuck li')", "all is well again")
    console.run("document.getElementById('as-list').click()")
    listed = console.run("document.getElementById('words').innerText").split()
    order = [listed.index(name) for name in ("line1", "flow/in", "hot", "flow/out")]
    assert order == sorted(order)
    assert [each for each in console.complaints if "ERR_" not in each] == []


def test_many_nodes_are_folded_and_none_covers_another(shared_host: RunningHost, console: Browser) -> None:
    script = """import("/static/js/flow-layout.js").then(({ fold, place }) => {
      const many = [...Array(50).keys()];
      const nodes = [1, 2, 3].flatMap((column) => many.map((n) => ({ id: `${column}:${n}`, column })));
      const edges = many.flatMap((n) => [[n, 50 + n], [50 + n, 100 + (n * 7) % 50]]);
      return [false, true].map((open) => {
        const graph = fold({ nodes, edges }, edges.map(() => 1), new Set(["2:49"]), open);
        const places = place(graph, 1000).nodes.map(({ x, y }) => [Math.round(x), Math.round(y)]);
        const marked = graph.nodes.some((node) => node.id === "2:49");
        return { places, marked, parts: graph.edges.flatMap((edge) => edge.parts).length };
      });
    })"""
    folded, whole = console.run(script)
    assert (len(folded["places"]), len(whole["places"])) == (60, 150)
    assert folded["marked"] and folded["parts"] == whole["parts"] == 100
    for told in (folded, whole):
        for column in {x for x, _ in told["places"]}:
            heights = sorted(y for x, y in told["places"] if x == column)
            assert all(after - before >= 46 for before, after in pairwise(heights))
