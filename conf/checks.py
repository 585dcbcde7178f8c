"""What no single key of the config can tell: names that must exist or be unique, and rules that loop.

The checks look at whatever is valid by itself, so that faults between entries are reported together with all
others.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError

from conf.bridge import BridgeConfig, Rate, id_faults, rate_faults
from conf.faults import Fault, nearest
from conf.mqtt import Broker
from conf.topics import check_filter, check_topic, matches
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
    connections = [each for index, rule in rules.items() for each in _connections(index, rule, endpoints)]
    faults += [*_unknown_brokers(connections, names), *_loops(connections), *_shared_ids(connections)]
    return [*faults, *_bridge_faults(tree, connections)]


def _bridge_faults(tree: dict[str, object], connections: list["_Connection"]) -> Iterator[Fault]:
    rates = _valid(_entries(tree, "rate_limit_resources"), Rate)
    bridges = _valid(_entries(tree, "bridges"), BridgeConfig)
    placed = [(f"bridges[{index}].", bridge) for index, bridge in bridges.items()]
    yield from rate_faults(placed, list(rates.values()))
    taken = {(each.broker, each.client_id): f"{each.path}.clientId" for each in connections if each.client_id}
    yield from id_faults(placed, taken)


@dataclass(frozen=True)
class _Connection:
    """One of a rule's connections; what is faulty by itself, or absent, is empty.

    `broker` tells one broker from another: its endpoint where that is known, else its name.
    """

    rule: int
    side: str
    name: str
    client_id: str
    topic: str
    broker: Hashable

    @property
    def path(self) -> str:
        """Where it stands in the config."""
        return f"rules[{self.rule}].{self.side}"


def _connections(
    index: int, rule: dict[str, object], endpoints: dict[str, tuple[str, int]]
) -> Iterator[_Connection]:
    for side in ("sub", "pub", "error"):
        told = rule.get(side)
        if isinstance(told, dict):
            name, client_id, topic = (_text(told.get(key)) for key in ("name", "clientId", "topic"))
            yield _Connection(index, side, name, client_id, topic, endpoints.get(name, name))


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


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


def _unknown_brokers(connections: list[_Connection], names: list[str]) -> Iterator[Fault]:
    for each in connections:
        if each.name and each.name not in names:
            yield Fault(f"{each.path}.name", f"no broker is named {each.name!r}", _hint(each.name, names))


def _hint(name: str, names: list[str]) -> str:
    if (near := nearest(name, names)) is not None:
        return f"did you mean `{near}`?"
    return f"brokers under `mqtts`: {', '.join(names)}" if names else "there is none under `mqtts`"


def _loops(connections: list[_Connection]) -> Iterator[Fault]:
    sources = {each.rule: each for each in connections if each.side == "sub"}
    for each in connections:
        source = sources.get(each.rule)
        if source and each is not source and source.broker == each.broker and _takes(source, each):
            yield Fault(
                f"{each.path}.topic",
                f"{each.topic!r} matches this rule's own subscription: each result would be its next event",
                "publish to a topic that the subscription does not take",
            )


def _takes(source: _Connection, target: _Connection) -> bool:
    try:
        return matches(check_filter(source.topic), check_topic(target.topic))
    except ValueError:
        return False  # told where the topic itself is validated


def _shared_ids(connections: list[_Connection]) -> Iterator[Fault]:
    """A broker ends the older of two connections with one id; only publishing connections are shared."""
    with_id = [each for each in connections if each.name and each.client_id]
    subscribing: dict[Hashable, str] = {}
    for each in with_id:
        if each.side == "sub":
            path, key = f"{each.path}.clientId", (each.broker, each.client_id)
            if key in subscribing:
                yield _taken(path, each.client_id, subscribing[key])
            subscribing.setdefault(key, path)
    for each in with_id:
        key = (each.broker, each.client_id)
        if each.side != "sub" and key in subscribing:
            yield _taken(f"{each.path}.clientId", each.client_id, subscribing[key])


def _taken(path: str, client_id: str, owner: str) -> Fault:
    return Fault(
        path, f"{client_id!r} is the id of {owner} on the same broker", "give each connection its own id"
    )
