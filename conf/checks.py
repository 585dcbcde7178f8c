"""What no single key of the config can tell: names that must exist or be unique, and rules that loop.

The checks look at those entries that are valid by themselves, so that their faults are reported together
with the faults of all others.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError

from conf.bridge import BridgeConfig, Rate, id_faults, rate_faults
from conf.faults import Fault, nearest
from conf.mqtt import Broker, ErrorTarget, Rule, Subscription, Target
from conf.topics import matches
from conf.types import Section

S = TypeVar("S", bound=Section)
Entries = dict[int, dict[str, object]]


def cross_faults(tree: dict[str, object]) -> list[Fault]:
    """The faults between the entries of `tree`, the config as YAML gave it."""
    brokers, rules, funcs = (_entries(tree, section) for section in ("mqtts", "rules", "funcs"))
    faults = [
        *_repeated("mqtts", brokers, "name"),
        *_repeated("rules", rules, "name"),
        *_repeated("funcs", funcs, "modelName"),
    ]
    names = [str(entry["name"]) for entry in brokers.values() if "name" in entry]
    endpoints = {broker.name: broker.endpoint for broker in _valid(brokers, Broker).values()}
    bound = [_BoundRule(index, rule, endpoints) for index, rule in _valid(rules, Rule).items()]
    faults += [*_unknown_brokers(bound, names), *_loops(bound), *_shared_ids(bound)]
    return [*faults, *_bridge_faults(tree, bound)]


def _bridge_faults(tree: dict[str, object], rules: list["_BoundRule"]) -> Iterator[Fault]:
    rates = _valid(_entries(tree, "rate_limit_resources"), Rate)
    bridges = _valid(_entries(tree, "bridges"), BridgeConfig)
    placed = [(f"bridges[{index}].", bridge) for index, bridge in bridges.items()]
    yield from rate_faults(placed, list(rates.values()))
    taken = {
        (bound.broker(connection.name), connection.client_id): f"rules[{bound.index}].{side}.clientId"
        for bound in rules
        for side, connection in bound.sides.items()
    }
    yield from id_faults(placed, taken)


@dataclass(frozen=True)
class _BoundRule:
    """A rule, its position and the brokers' endpoints by name."""

    index: int
    rule: Rule
    endpoints: dict[str, tuple[str, int]]

    @property
    def sides(self) -> dict[str, Subscription | Target | ErrorTarget]:
        """Its connections by the key they are written under."""
        sides = {"sub": self.rule.sub, "pub": self.rule.pub, "error": self.rule.error}
        return {side: connection for side, connection in sides.items() if connection is not None}

    @property
    def targets(self) -> dict[str, Target | ErrorTarget]:
        """Those of its connections that publish."""
        return {
            side: connection
            for side, connection in self.sides.items()
            if not isinstance(connection, Subscription)
        }

    def broker(self, name: str) -> Hashable:
        """What tells one broker from another: its endpoint where that is known, else its name."""
        return self.endpoints.get(name, name)


def _entries(tree: dict[str, object], section: str) -> Entries:
    items = tree.get(section)
    if not isinstance(items, list):
        return {}
    return {index: item for index, item in enumerate(items) if isinstance(item, dict)}


def _valid(entries: Entries, model: type[S]) -> dict[int, S]:
    valid = {}
    for index, entry in entries.items():
        try:
            valid[index] = model.model_validate(entry)
        except ValidationError:
            continue  # its faults are reported where the whole config is validated
    return valid


def _repeated(section: str, entries: Entries, key: str) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for index, entry in entries.items():
        if entry.get(key) is None:
            continue
        name = str(entry[key])
        if name in first:
            yield Fault(
                f"{section}[{index}].{key}", f"{name!r} is the name of {section}[{first[name]}] already"
            )
        first.setdefault(name, index)


def _unknown_brokers(rules: list[_BoundRule], names: list[str]) -> Iterator[Fault]:
    for bound in rules:
        for side, connection in bound.sides.items():
            if connection.name not in names:
                path = f"rules[{bound.index}].{side}.name"
                yield Fault(path, f"no broker is named {connection.name!r}", _hint(connection.name, names))


def _hint(name: str, names: list[str]) -> str:
    if (near := nearest(name, names)) is not None:
        return f"did you mean `{near}`?"
    return f"brokers under `mqtts`: {', '.join(names)}" if names else "there is none under `mqtts`"


def _loops(rules: list[_BoundRule]) -> Iterator[Fault]:
    for bound in rules:
        sub = bound.rule.sub
        for side, target in bound.targets.items():
            if bound.broker(sub.name) == bound.broker(target.name) and matches(sub.topic, target.topic):
                yield Fault(
                    f"rules[{bound.index}].{side}.topic",
                    f"{target.topic!r} matches this rule's own subscription:"
                    " each result would be its next event",
                    "publish to a topic that the subscription does not take",
                )


def _shared_ids(rules: list[_BoundRule]) -> Iterator[Fault]:
    """A broker ends the older of two connections with one id; only publishing connections are shared."""
    subscribing: dict[Hashable, str] = {}
    for bound in rules:
        sub, path = bound.rule.sub, f"rules[{bound.index}].sub.clientId"
        key = (bound.broker(sub.name), sub.client_id)
        if key in subscribing:
            yield _taken(path, sub.client_id, subscribing[key])
        subscribing.setdefault(key, path)
    for bound in rules:
        for side, target in bound.targets.items():
            key = (bound.broker(target.name), target.client_id)
            if key in subscribing:
                yield _taken(f"rules[{bound.index}].{side}.clientId", target.client_id, subscribing[key])


def _taken(path: str, client_id: str, owner: str) -> Fault:
    return Fault(
        path, f"{client_id!r} is the id of {owner} on the same broker", "give each connection its own id"
    )
