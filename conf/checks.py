"""What no single key of the config can tell: names that must exist or be unique, and rules that loop.

The checks look at whatever is valid by itself, so that faults between entries are reported together with all
others.
"""

import unicodedata
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
    brokers, rules, funcs, timers = (_entries(tree, name) for name in ("mqtts", "rules", "funcs", "timers"))
    faults = [
        *_repeated("mqtts", brokers, "name"),
        *_repeated("rules", rules, "name"),
        *_repeated("funcs", funcs, "modelName"),
        *_repeated("timers", timers, "name"),
    ]
    names = [str(entry["name"]) for entry in brokers.values() if "name" in entry]
    valid = _valid(brokers, Broker)
    endpoints = {broker.name: broker.endpoint for broker in valid.values()}
    owners = [*_owners("rules", rules), *_owners("timers", timers)]
    connections = [each for path, owner in owners for each in _connections(path, owner, endpoints)]
    faults += [*_unknown_brokers(connections, names), *_loops(connections), *_shared_ids(connections)]
    faults += [*_fed_statuses(valid, connections), *_unknown_functions(timers, funcs)]
    faults += _namesakes(timers, rules)
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
    """One of a rule's or timer's connections; what is faulty by itself, or absent, is empty.

    `owner` is the path of that rule or timer. `broker` tells one broker from another: its endpoint where that
    is known, else its name.
    """

    owner: str
    side: str
    name: str
    client_id: str
    topic: str
    broker: Hashable

    @property
    def path(self) -> str:
        """Where it stands in the config."""
        return f"{self.owner}.{self.side}"


def _owners(section: str, entries: Entries) -> Iterator[tuple[str, dict[str, object]]]:
    return ((f"{section}[{index}]", entry) for index, entry in entries.items())


def _connections(
    path: str, owner: dict[str, object], endpoints: dict[str, tuple[str, int]]
) -> Iterator[_Connection]:
    for side in ("sub", "pub", "error"):
        told = owner.get(side)
        if isinstance(told, dict):
            name, client_id, topic = (_text(told.get(key)) for key in ("name", "clientId", "topic"))
            yield _Connection(path, side, name, client_id, topic, endpoints.get(name, name))


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


def _namesakes(timers: Entries, rules: Entries) -> Iterator[Fault]:
    # A rule without a name is called so where dead letters are told by it.
    owners = {str(rule.get("name") or f"rule{index}"): index for index, rule in rules.items()}
    for index, timer in timers.items():
        owner = owners.get(_text(timer.get("name")))
        if owner is not None:
            told = f"{_text(timer['name'])!r} is the name of rules[{owner}] already"
            yield Fault(f"timers[{index}].name", told, "dead letters are told by it; take another one")


def _unknown_brokers(connections: list[_Connection], names: list[str]) -> Iterator[Fault]:
    for each in connections:
        if each.name and each.name not in names:
            hint = _hint(each.name, names, "mqtts")
            yield Fault(f"{each.path}.name", f"no broker is named {each.name!r}", hint)


def _unknown_functions(timers: Entries, funcs: Entries) -> Iterator[Fault]:
    names = [_composed(entry.get("modelName")) for entry in funcs.values()]
    for index, timer in timers.items():
        told = timer.get("functions")
        for number, name in enumerate(map(_composed, told if isinstance(told, list) else ())):
            if name and name not in names:
                hint = _hint(name, names, "funcs")
                yield Fault(f"timers[{index}].functions[{number}]", f"no function is named {name!r}", hint)


def _composed(name: object) -> str:
    return unicodedata.normalize("NFC", _text(name))  # as names of functions are


def _hint(name: str, names: list[str], section: str) -> str:
    if (near := nearest(name, names)) is not None:
        return f"did you mean `{near}`?"
    return f"those under `{section}`: {', '.join(names)}" if names else f"there is none under `{section}`"


def _loops(connections: list[_Connection]) -> Iterator[Fault]:
    sources = {each.owner: each for each in connections if each.side == "sub"}
    for each in connections:
        source = sources.get(each.owner)
        if source and each is not source and source.broker == each.broker and _takes(source, each.topic):
            yield Fault(
                f"{each.path}.topic",
                f"{each.topic!r} matches this rule's own subscription: each result would be its next event",
                "publish to a topic that the subscription does not take",
            )


def _fed_statuses(brokers: dict[int, Broker], connections: list[_Connection]) -> Iterator[Fault]:
    sources = [each for each in connections if each.side == "sub"]
    for index, broker in brokers.items():
        if broker.status is None:
            continue
        for source in sources:
            if source.broker == broker.endpoint and _takes(source, broker.status):
                yield Fault(
                    f"mqtts[{index}].status",
                    f"{broker.status!r} matches {source.path}.topic: the host would be fed its own status",
                    "say it on a topic that no rule takes",
                )


def _takes(source: _Connection, topic: str) -> bool:
    try:
        return matches(check_filter(source.topic), check_topic(topic))
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
