"""A YAML document of bounded size, read without surprises, that knows the line of everything in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from conf.faults import ConfigError, Fault, below

MOST_BYTES = 10 * 1024 * 1024
MOST_NODES = 200_000  # with every alias written out, so that ten anchors cannot become ten million entries
DEEPEST = 64  # libyaml's composer recurses in C and crashes the process on some 100,000 brackets

TAG = "tag:yaml.org,2002:"
PLAIN = {
    "merge": (r"<<$", "<"),
    "null": (r"(~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    "bool": (r"(true|True|TRUE|false|False|FALSE)$", "tTfF"),
    "int": (r"-?(0|[1-9][0-9]{0,17})$", "-0123456789"),
    "float": (r"-?(0|[1-9][0-9]*)(\.[0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$", "-0123456789"),
}


@dataclass(frozen=True)
class Document:
    """What stands in the document, and on which line (from 1) each path of it stands."""

    value: object
    lines: dict[str, int]

    def line_of(self, path: str) -> int | None:
        """The line of `rules[0].pub`, or of what is nearest around it."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path)


class Loader(yaml.CSafeLoader):
    """Scalars without quotes mean what YAML 1.2 says: `0123` and `12:30` are text, and so is `no`."""

    yaml_implicit_resolvers = {
        start: [
            (TAG + kind, re.compile(pattern)) for kind, (pattern, starts) in PLAIN.items() if start in starts
        ]
        for start in {start for _, starts in PLAIN.values() for start in starts}
    }


def read_document(text: bytes) -> Document:
    """The one document in `text`; raises ConfigError with every duplicate key and foreign tag."""
    if len(text) > MOST_BYTES:
        raise ConfigError([Fault("", f"is larger than {MOST_BYTES // 1024**2} MiB")])
    try:
        _check_depth(text)
        return _compose(text)
    except yaml.MarkedYAMLError as error:
        fault = Fault("", f"is not YAML: {error.problem}", line=_line(error.problem_mark))
        raise ConfigError([fault]) from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ConfigError([Fault("", "is not YAML: it holds bytes that are not UTF-8 text")]) from None


def compose(text: str) -> yaml.Node | None:
    """The nodes of `text` with their marks, None for an empty one; raises yaml.YAMLError."""
    loader = Loader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def _check_depth(text: bytes) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ConfigError(
                [Fault("", f"is nested more than {DEEPEST} deep", line=_line(event.start_mark))]
            )


def _line(mark: Any) -> int | None:  # the stubs know two kinds of mark, neither of them public
    return None if mark is None else mark.line + 1


def _compose(text: bytes) -> Document:
    loader = Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return Document(None, {})
        scan = _Scan(loader)
        scan.visit(root)
        if scan.faults:
            raise ConfigError(scan.faults)
        return Document(loader.construct_document(root), scan.lines)
    finally:
        loader.dispose()


class _Scan:
    """A walk over the nodes, aliases written out, that notes lines and faults."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader
        self.lines: dict[str, int] = {}
        self.faults: list[Fault] = []
        self.left = MOST_NODES

    def visit(self, node: yaml.Node, path: str = "", depth: int = 0) -> None:
        self.left -= 1
        if self.left < 0 or depth > DEEPEST:
            raise ConfigError(
                [Fault("", f"the document has over {MOST_NODES:,} entries, aliases written out")]
            )
        if not self._has_plain_tag(node):
            self._refuse(path, node, f"has the tag {node.tag}, which is not read here")
        for step, line, child in self._children(path, node):
            inner = below(path, step)
            self.lines.setdefault(inner, line)
            self.visit(child, inner, depth + 1)

    def _children(self, path: str, node: yaml.Node) -> Iterator[tuple[int | str, int, yaml.Node]]:
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                yield index, item.start_mark.line + 1, item
        elif isinstance(node, yaml.MappingNode):
            seen: dict[str, int] = {}
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    self._refuse(path, key, "has a key that is a list or a mapping")
                    continue
                if key.value in seen:
                    hint = f"it stands on line {seen[key.value]} already"
                    self._refuse(below(path, key.value), key, "is written twice", hint)
                seen.setdefault(key.value, key.start_mark.line + 1)
                yield key.value, key.start_mark.line + 1, value

    def _has_plain_tag(self, node: yaml.Node) -> bool:
        if isinstance(node, yaml.ScalarNode):
            meant = self.loader.resolve(yaml.ScalarNode, node.value, (True, False))  # type: ignore[no-untyped-call]
            return node.tag in ("!", TAG + "str", meant)
        return node.tag == TAG + ("map" if isinstance(node, yaml.MappingNode) else "seq")

    def _refuse(self, path: str, node: yaml.Node, message: str, hint: str | None = None) -> None:
        self.faults.append(Fault(path, message, hint, _line(node.start_mark)))
