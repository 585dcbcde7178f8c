"""Puts a mark in the place of each secret of a config before it is shown, and the secret back afterwards."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import yaml

from conf.document import compose
from conf.exposure import holds_secret
from conf.faults import below
from conf.native_text import write_text

REFERENCES = re.compile(r"(\$\{\w+:[^{}]*\})+")
MARK = re.compile(r"\$\{kept:([0-9]{1,6})\}")
USERINFO = re.compile(r"(?<=://)(?P<user>[^/@\s:]*):(?P<password>(?:[^/@\s{}]|\$\{\w+:[^{}]*\})+)(?=@)")
HIDDEN = "***"


@dataclass(frozen=True)
class Kept:
    """A secret that stands in plain text, and how it was written: None where it is a part of something.

    What was written as a block can be so again in a line of the same `indent` only.
    """

    value: str
    source: str | None = None
    indent: int | None = None

    def write(self, indent: int) -> str:
        """It, as it stands in the place of its mark in a line of this indent."""
        if self.source is None or self.indent not in (None, indent):
            return write_text(self.value)
        return self.source


@dataclass(frozen=True)
class Masked:
    """A config's text with `${kept:1}` and so on in the place of its secrets, which `kept` has in this order.

    References such as `${env:NAME}` are no secrets, and stay.
    """

    text: str
    kept: tuple[Kept, ...]


def mask(text: str) -> Masked:
    """The text as it may be shown; raises yaml.YAMLError for what is no YAML, or cannot be masked."""
    kept: list[Kept] = []

    def keep(secret: Kept) -> str:
        kept.append(secret)
        return f"${{kept:{len(kept)}}}"

    return Masked(_replace(text, keep), tuple(kept))


def hide(text: str) -> str:
    """The text with stars for each secret in it; raises as `mask`."""
    return _replace(text, lambda _: HIDDEN)


def put_back(text: str, kept: tuple[Kept, ...]) -> str:
    """The text with secrets for their marks where secrets belong; elsewhere marks stay, and are faults."""

    def restored(scalar: _Scalar) -> str | None:
        if not scalar.is_secret:
            value = USERINFO.sub(lambda found: _fill(found[0], kept), scalar.value)
            return write_text(value) if value != scalar.value else None
        found = MARK.fullmatch(scalar.value)
        if found and 0 < int(found[1]) <= len(kept):
            return kept[int(found[1]) - 1].write(_indent(text, scalar.start))
        return None

    return _rewrite(text, restored)


def _fill(text: str, kept: tuple[Kept, ...]) -> str:
    def secret(found: re.Match[str]) -> str:
        return kept[int(found[1]) - 1].value if 0 < int(found[1]) <= len(kept) else found[0]

    return MARK.sub(secret, text)


@dataclass(frozen=True)
class _Scalar:
    """One value, and where in the text it stands."""

    value: str
    is_secret: bool
    is_block: bool
    start: int
    end: int


def _replace(text: str, name: Callable[[Kept], str]) -> str:
    def masked(scalar: _Scalar) -> str | None:
        if scalar.is_secret:
            if not scalar.value or REFERENCES.fullmatch(scalar.value):
                return None
            source = text[scalar.start : scalar.end].rstrip("\n")
            indent = _indent(text, scalar.start) if scalar.is_block else None
            return write_text(name(Kept(scalar.value, source, indent)))
        value = USERINFO.sub(lambda found: _userinfo(found, name), scalar.value)
        return write_text(value) if value != scalar.value else None

    return _rewrite(text, masked)


def _userinfo(found: re.Match[str], name: Callable[[Kept], str]) -> str:
    if REFERENCES.fullmatch(found["password"]):
        return found[0]
    return f"{found['user']}:{name(Kept(found['password']))}"


def _rewrite(text: str, change: Callable[[_Scalar], str | None]) -> str:
    root = compose(text)
    if root is None:
        return text
    pieces, at = [], 0
    for scalar in _by_place(_scalars(root)):
        new = change(scalar)
        if new is None:
            continue
        pieces += [text[at : scalar.start], new]
        # The end of a block is the begin of what follows it, empty lines included.
        at = scalar.start + len(text[scalar.start : scalar.end].rstrip("\n"))
    return "".join([*pieces, text[at:]])


def _indent(text: str, place: int) -> int:
    line = text[text.rfind("\n", 0, place) + 1 :]
    return len(line) - len(line.lstrip(" "))


def _by_place(scalars: Iterator[_Scalar]) -> list[_Scalar]:
    """In the order of the text, each once: an alias leads to the same place, and one secret use decides."""
    found: dict[int, _Scalar] = {}
    for each in scalars:
        if each.start not in found or each.is_secret:
            found[each.start] = each
    return [found[start] for start in sorted(found)]


def _scalars(node: yaml.Node, path: str = "", is_secret: bool = False) -> Iterator[_Scalar]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = str(key.value)
            inner = path if name == "<<" else below(path, name)
            yield from _scalars(value, inner, holds_secret(path, name, is_secret))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _scalars(item, below(path, index))
    else:
        start, end = node.start_mark.index, node.end_mark.index
        if end > start:
            yield _Scalar(str(node.value), is_secret, getattr(node, "style", None) in ("|", ">"), start, end)
