"""Changes a YAML text so that it says something else, and leaves what is the same as people wrote it."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from conf.document import Loader, compose, read_document
from conf.faults import ConfigError
from conf.native_text import write_lines, write_native

Tree = Mapping[str, Any]
NAMES = ("name", "modelName", "label", "caller", "deviceName", "attrName")
"""Keys by which an entry of a list is found again."""
OF_SOURCES = ("name", "clientId", "topic")
"""As NAMES, for rules: in what they subscribe to."""
DASH = re.compile(r"[ ]*- +")


class CannotEditError(Exception):
    """The text is written in a way that only writing all of it anew can change."""


@dataclass(frozen=True)
class Edited:
    """The new text; `is_whole` says that comments and forms of writing stayed."""

    text: str
    is_whole: bool


def edit(text: str, wanted: Tree) -> Edited:
    """The text changed so that it says `wanted`; comments at what goes, go with it. Raises yaml.YAMLError."""
    if text and not text.endswith("\n"):
        text += "\n"
    try:
        edited = _Editor(text).edit(wanted)
        if _says(edited, wanted):
            return Edited(edited, True)
    except CannotEditError:
        pass
    return Edited(write_native(dict(wanted), {}), "#" not in text)


def _says(text: str, wanted: Tree) -> bool:
    try:
        return (read_document(text.encode()).value or {}) == wanted
    except ConfigError:
        return False


@dataclass
class _Editor:
    """Collects what to put between which places of the text."""

    text: str
    patches: list[tuple[int, int, str]] = field(default_factory=list)

    def edit(self, wanted: Tree) -> str:
        root = compose(self.text)
        if root is None:
            lines = write_lines(wanted, "") if wanted else []
            return self.text + "".join(f"{line}\n" for line in lines)
        if not isinstance(root, yaml.MappingNode) or root.flow_style or not wanted:
            raise CannotEditError
        self._mapping(root, wanted)
        text = self.text
        for start, end, new in sorted(self.patches, reverse=True):
            text = text[:start] + new + text[end:]
        return text

    def _mapping(self, node: yaml.MappingNode, wanted: Tree) -> None:
        entries = {str(key.value): (key, value) for key, value in node.value}
        if "<<" in entries or not entries.keys() & wanted.keys():
            raise CannotEditError
        order = list(entries)
        for place, name in enumerate(order):
            if name not in wanted:
                self._remove_entry(node, place)
            elif _plain(entries[name][1]) != wanted[name]:
                self._change_entry(*entries[name], wanted[name])
        if added := {name: value for name, value in wanted.items() if name not in entries}:
            self._insert(self._line_end(_end(node)), write_lines(added, " " * node.start_mark.column))

    def _remove_entry(self, node: yaml.MappingNode, place: int) -> None:
        key, value = node.value[place]
        start = self._line_start(key.start_mark.index)
        if self.text[start : key.start_mark.index].strip(" "):
            # It stands behind the dash of a list's item: what comes next takes its place.
            if place + 1 == len(node.value):
                raise CannotEditError
            self.patches.append((key.start_mark.index, node.value[place + 1][0].start_mark.index, ""))
        else:
            self.patches.append((start, self._line_end(max(_end(value), key.end_mark.index)), ""))

    def _change_entry(self, key: yaml.Node, value: yaml.Node, wanted: object) -> None:
        if self._go_into(value, wanted):
            return
        column, name = key.start_mark.column, str(key.value)
        lines = write_lines({name: wanted}, " " * column)
        end = max(_end(value), self.text.index(":", key.end_mark.index) + 1)
        self.patches.append((key.start_mark.index, end, "\n".join(lines)[column:]))

    def _go_into(self, node: yaml.Node, wanted: object) -> bool:
        """Whether the change is one of what stands inside."""
        if isinstance(node, yaml.CollectionNode) and (node.flow_style or not node.value):
            return False
        if isinstance(wanted, list) and wanted and isinstance(node, yaml.SequenceNode):
            self._sequence(node, wanted)
            return True
        if isinstance(wanted, dict) and isinstance(node, yaml.MappingNode):
            if {str(key.value) for key, _ in node.value}.isdisjoint(wanted):
                return False
            self._mapping(node, wanted)
            return True
        return False

    def _sequence(self, node: yaml.SequenceNode, wanted: list[Any]) -> None:
        items, indent = node.value, " " * node.start_mark.column
        old, new = [_name(_plain(item)) for item in items], [_name(item) for item in wanted]
        for _, first, last, begin, end in difflib.SequenceMatcher(None, old, new, False).get_opcodes():
            both = min(last - first, end - begin)
            for place in range(both):
                self._change_item(items[first + place], wanted[begin + place], indent)
            for item in items[first + both : last]:
                self.patches.append((self._item_start(item), self._line_end(_end(item)), ""))
            if wanted[begin + both : end]:
                at = first + both
                place = self._line_end(_end(items[at - 1])) if at else self._item_start(items[0])
                self._insert(place, write_lines(wanted[begin + both : end], indent))

    def _change_item(self, item: yaml.Node, wanted: object, indent: str) -> None:
        if _plain(item) == wanted or self._go_into(item, wanted):
            return
        start = self._item_start(item)
        self.patches.append((start, _end(item), "\n".join(write_lines([wanted], indent))))

    def _insert(self, place: int, lines: list[str]) -> None:
        self.patches.append((place, place, "".join(f"{line}\n" for line in lines)))

    def _item_start(self, item: yaml.Node) -> int:
        start = self._line_start(item.start_mark.index)
        if not DASH.fullmatch(self.text[start : item.start_mark.index]):
            raise CannotEditError
        return start

    def _line_start(self, index: int) -> int:
        return self.text.rfind("\n", 0, index) + 1

    def _line_end(self, index: int) -> int:
        """Behind the end of the line of what ends at `index`."""
        if self.text[index - 1] == "\n":
            return index
        return self.text.index("\n", index) + 1


def _end(node: yaml.Node) -> int:
    """Where the node's own text ends: marks of blocks stand where the next thing begins."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        return max(_end(child) for child in _children(node))
    end: int = node.end_mark.index
    return end


def _children(node: yaml.CollectionNode) -> Iterator[yaml.Node]:
    for child in node.value:
        yield from child if isinstance(child, tuple) else (child,)


def _plain(node: yaml.Node) -> Any:
    """What the node says."""
    loader = Loader("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _name(value: object) -> str:
    """What an entry of a list is called, else all that it says."""
    if isinstance(value, dict):
        source = value.get("sub")
        keys, inner = (OF_SOURCES, source) if isinstance(source, dict) else (NAMES, value)
        told = [inner[key] for key in keys if key in inner]
        if told:
            return json.dumps(told)
    return json.dumps(value, sort_keys=True)
