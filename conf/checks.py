"""What no single key of the config can tell: names that must exist or be unique, and rules that loop.

The checks look at those entries that are valid by themselves, so that their faults are reported together
with the faults of all others.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError

from conf.faults import Fault, nearest
from conf.mqtt import Broker, Rule
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
        *_device_faults(funcs),
    ]
    names = [str(entry["name"]) for entry in brokers.values() if "name" in entry]
    endpoints = {broker.name: broker.endpoint for broker in _valid(brokers, Broker).values()}
    bound = [_BoundRule(index, rule, endpoints) for index, rule in _valid(rules, Rule).items()]
    return [*faults, *_unknown_brokers(bound, names), *_loops(bound), *_shared_ids(bound)]


@dataclass(frozen=True)
class _BoundRule:
    """A rule, its position and the brokers' endpoints by name."""

    index: int
    rule: Rule
    endpoints: dict[str, tuple[str, int]]

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


def _device_faults(funcs: Entries) -> Iterator[Fault]:
    for index, func in funcs.items():
        if func.get("devices"):
            yield Fault(
                f"funcs[{index}].devices",
                "device rules are not supported yet",
                "without `devices` the function takes every event",
            )


def _unknown_brokers(rules: list[_BoundRule], names: list[str]) -> Iterator[Fault]:
    for bound in rules:
        for side, name in (("sub", bound.rule.sub.name), ("pub", bound.rule.pub.name)):
            if name not in names:
                path = f"rules[{bound.index}].{side}.name"
                yield Fault(path, f"no broker is named {name!r}", _hint(name, names))


def _hint(name: str, names: list[str]) -> str:
    if (near := nearest(name, names)) is not None:
        return f"did you mean `{near}`?"
    return f"brokers under `mqtts`: {', '.join(names)}" if names else "there is none under `mqtts`"


def _loops(rules: list[_BoundRule]) -> Iterator[Fault]:
    for bound in rules:
        sub, pub = bound.rule.sub, bound.rule.pub
        if bound.broker(sub.name) == bound.broker(pub.name) and matches(sub.topic, pub.topic):
            yield Fault(
                f"rules[{bound.index}].pub.topic",
                f"{pub.topic!r} matches this rule's own subscription: each result would be its next event",
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
        pub = bound.rule.pub
        key = (bound.broker(pub.name), pub.client_id)
        if key in subscribing:
            yield _taken(f"rules[{bound.index}].pub.clientId", pub.client_id, subscribing[key])


def _taken(path: str, client_id: str, owner: str) -> Fault:
    return Fault(
        path, f"{client_id!r} is the id of {owner} on the same broker", "give each connection its own id"
    )
