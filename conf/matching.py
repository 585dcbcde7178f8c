"""Finds the functions that take an event, by looking up what it says instead of asking each of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from conf.devices import Device
from conf.expressions import Expression, Path, look_up

NAME_PATH: Path = ("deviceInfo", "deviceName")


@dataclass(frozen=True)
class _Candidate:
    """A device of a function, and what remains to be asked once the index has led to it."""

    function: int
    position: int
    name: str | None
    remaining: tuple[Expression, ...]


@dataclass
class _Node:
    """Candidates, and below them those that ask one thing more of the event, by path and text."""

    candidates: list[_Candidate] = field(default_factory=list)
    equal: dict[Path, dict[str, "_Node"]] = field(default_factory=dict)
    contains: dict[Path, dict[str, "_Node"]] = field(default_factory=dict)

    def collect(self, event: object, found: list[_Candidate]) -> None:
        """Append every candidate that the event leads to."""
        found += self.candidates
        for path, by_text in self.equal.items():
            value = look_up(event, path)
            if isinstance(value, str) and value in by_text:
                by_text[value].collect(event, found)
        for path, by_text in self.contains.items():
            for text in _contained(look_up(event, path), by_text):
                by_text[text].collect(event, found)


class Matcher:
    """The functions of one rule; built once, asked for each event.

    `evaluated` counts the devices that were looked at beyond the index, since the start.
    """

    def __init__(self, functions: Sequence[tuple[str, Sequence[Device]]]) -> None:
        self.evaluated = 0
        self._root = _Node()
        self._always = [(index, -1, None) for index, (_, devices) in enumerate(functions) if not devices]
        for index, (_, devices) in enumerate(functions):
            for position, device in enumerate(devices):
                self._insert(index, position, device)

    def match(self, event: object) -> list[tuple[int, str | None]]:
        """(index of the function, name of the device) once for each device that matches, in their order.

        A function without devices takes every event, with None as the device. Never raises.
        """
        found: list[_Candidate] = []
        self._root.collect(event, found)
        self.evaluated += len(found)
        matched = [
            (each.function, each.position, each.name)
            for each in found
            if all(holds(event) for holds in each.remaining)
        ]
        ordered = sorted([*self._always, *matched], key=lambda entry: entry[:2])
        return [(function, name) for function, _, name in ordered]

    def _insert(self, function: int, position: int, device: Device) -> None:
        expressions = [attribute.compile() for attribute in device.device_attr]
        equal = {each.equality for each in expressions if each.equality}
        contains = {each.membership for each in expressions if each.membership}
        if not expressions and device.device_name is not None:
            equal = {(NAME_PATH, device.device_name)}
        remaining = tuple(each for each in expressions if not (each.equality or each.membership))
        node = self._root
        for path, text in sorted(equal, key=repr):
            node = node.equal.setdefault(path, {}).setdefault(text, _Node())
        for path, text in sorted(contains, key=repr):
            node = node.contains.setdefault(path, {}).setdefault(text, _Node())
        node.candidates.append(_Candidate(function, position, device.device_name, remaining))


def _contained(container: object, wanted: dict[str, _Node]) -> Iterable[str]:
    """Which of the wanted texts are in the container, found from the smaller side."""
    if isinstance(container, dict):
        small, large = (wanted, container) if len(wanted) < len(container) else (container, wanted)
        return [key for key in small if key in large]
    if isinstance(container, list):
        return {item for item in container if isinstance(item, str) and item in wanted}
    if isinstance(container, str):
        return [text for text in wanted if text in container]
    return ()
