"""What tests of the flow look at: sights made by hand."""

from typing import Any

from host.console.flow.sight import FunctionSight, Sight
from runtime.pool import InstanceView, PoolView
from triggers.delivery.lane_plan import LaneView, Passed
from triggers.mqtt.plan import BrokerPlan, RulePlan
from triggers.mqtt.states import ConnectionState, RuleView

NOW = 1_800_000_000.0
LINE, CLOUD = BrokerPlan("line1", "tcp://10.0.0.1:1883"), BrokerPlan("cloud", "tcp://10.0.0.2")


def connection(broker: str = "line1", rule: str | None = None, **fields: Any) -> ConnectionState:
    """A connection that stands, unless `fields` say otherwise."""
    usual = {"client_id": "c", "connected": True, "version": "5", "last_error": None, "reconnects": 0}
    return ConnectionState(
        broker=broker, rule=rule, **{**usual, "since": NOW - 60, "next_try": None, **fields}
    )


def rule(name: str, *lanes: LaneView, pub: str = "line1", **fields: Any) -> RuleView:
    """A rule from the topic in/NAME to the topic out of the broker `pub`."""
    functions = tuple((lane.function, number) for number, lane in enumerate(lanes))
    plan = RulePlan(name, "line1", f"in-{name}", f"in/{name}", pub, "out", "out", functions)
    return RuleView(plan, connection(rule=name, client_id=f"in-{name}", **fields), lanes)


def lane(function: str, events: int = 0, waited: float = 0.0, **passed: int) -> LaneView:
    """A lane to a function."""
    return LaneView(function, events, 0, waited, Passed(**passed))


def function(state: str = "ready", **fields: Any) -> FunctionSight:
    """A function of one instance; of `fields`, those that are of its pool go there."""
    pool: dict[str, Any] = {name: fields.pop(name) for name in ("queued", "oldest") if name in fields}
    instance = InstanceView(1, 1, "busy", 0.0, 0)
    usual: dict[str, Any] = {"queued": 0, "in_flight": 1, "ok": 0, "failed": 0, "last_error": None}
    view = PoolView(state, [instance], 1, **{**usual, **pool})
    seen: dict[str, Any] = {"deployed": True, "view": view, "most": 1}
    return FunctionSight(**{**seen, **fields})


def sight(*rules: RuleView, **fields: Any) -> Sight:
    """A look at these rules."""
    usual: dict[str, Any] = {
        "at": NOW,
        "brokers": (LINE, CLOUD),
        "connections": tuple(each.state for each in rules),
    }
    return Sight(rules=rules, **{**usual, **fields})
