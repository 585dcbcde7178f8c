"""Puts a mark in the place of each secret of a config before it is shown, and the secret back afterwards."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import yaml

from conf.document import compose
from conf.exposure import SECTIONS, holds_secret
from conf.faults import Fault, below
from conf.native_text import write_text

REFERENCES = re.compile(r"(\$\{\w+:[^{}]*\})+")
MARK = re.compile(r"\$\{kept:([0-9]{1,6})\}")
USER = re.compile(r"://[^/@\s:]*:")
"""What stands before a password in a URL, which goes on to the last @: passwords may hold any character."""
LOOKS_SECRET = re.compile(r"(?i)pass(wor[dt]|wd|phrase)|secret|token|(api|access|auth|private)[_-]?key")
"""Keys that the config does not know are shown, too, and somebody may have misspelt one."""
PROPERTIES = re.compile(r"(?:[&!]\S*\s+)+")
SHORT = 4
HIDDEN = "***"


@dataclass(frozen=True)
class Kept:
    """A secret that stands in plain text, and how it was written: None where it is a part of something.

    What was written as a block can be so again in a line of the same `indent` only. With an empty `place` it
    may move to wherever secrets belong, else to that place in another item of its list: it might be told.
    """

    value: str
    source: str | None = None
    indent: int | None = None
    place: str = ""

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
        start, end = (0, len(scalar.value)) if scalar.is_secret else _password(scalar.value)
        found = MARK.fullmatch(scalar.value, start, end)
        if not found or not 0 < int(found[1]) <= len(kept):
            return None
        secret = kept[int(found[1]) - 1]
        if secret.place != scalar.place:
            return None
        if scalar.is_secret:
            return secret.write(_indent(text, scalar.start))
        return write_text(scalar.value[:start] + secret.value + scalar.value[end:])

    return _rewrite(text, restored)


def blot(faults: tuple[Fault, ...], kept: tuple[Kept, ...]) -> tuple[Fault, ...]:
    """Faults with stars for what is kept, as it is and as Python and JSON write it; short ones as words."""
    written: set[str] = set()
    for value in {each.value for each in kept if each.value}:
        written |= {
            value,
            repr(value)[1:-1],
            json.dumps(value)[1:-1],
            json.dumps(value, ensure_ascii=False)[1:-1],
        }
    if not written:
        return faults
    found = re.compile("|".join(map(_as_pattern, sorted(written, key=len, reverse=True))))

    def hidden(fault: Fault) -> Fault:
        hint = None if fault.hint is None else found.sub(HIDDEN, fault.hint)
        return replace(fault, message=found.sub(HIDDEN, fault.message), hint=hint)

    return tuple(map(hidden, faults))


def _as_pattern(text: str) -> str:
    return re.escape(text) if len(text) >= SHORT else rf"(?<!\w){re.escape(text)}(?!\w)"


def _password(url: str) -> tuple[int, int]:
    """Where the password of a URL stands, (0, 0) where there is none."""
    user, end = USER.search(url), url.rfind("@")
    return (user.end(), end) if user and user.end() < end else (0, 0)


@dataclass(frozen=True)
class _Scalar:
    """One value, and where in the text it stands; `place` is where in the config, if a secret must stay."""

    value: str
    is_secret: bool
    place: str
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
            return write_text(name(Kept(scalar.value, source, indent, scalar.place)))
        start, end = _password(scalar.value)
        password = scalar.value[start:end]
        if not password or REFERENCES.fullmatch(password):
            return None
        mark = name(Kept(password, place=scalar.place))
        return write_text(scalar.value[:start] + mark + scalar.value[end:])

    return _rewrite(text, masked)


def _rewrite(text: str, change: Callable[[_Scalar], str | None]) -> str:
    root = compose(text)
    if root is None:
        return text
    pieces, at = [], 0
    for scalar in _by_place(_scalars(root, _Where()), text):
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


def _by_place(scalars: Iterator[_Scalar], text: str) -> list[_Scalar]:
    """In the order of the text, each once: an alias leads to the same place, and one secret use decides.

    Each begins behind its anchor and tag, which stay.
    """
    found: dict[int, _Scalar] = {}
    for each in scalars:
        if each.start not in found or each.is_secret:
            found[each.start] = each
    return [_without_properties(found[start], text) for start in sorted(found)]


def _without_properties(scalar: _Scalar, text: str) -> _Scalar:
    properties = PROPERTIES.match(text, scalar.start, scalar.end)
    return replace(scalar, start=properties.end()) if properties else scalar


@dataclass(frozen=True)
class _Where:
    """How far a walk has come; `is_own` says that the config knows a secret at this path."""

    path: str = ""
    is_secret: bool = False
    is_own: bool = False

    def key(self, name: str, is_mapping: bool) -> "_Where":
        """At a key here. All below a secret key is secret, but for the functions that may have it."""
        if name == "<<":
            return self
        inner = below(self.path, name)
        if self.is_own and self.path.startswith(("secrets.", "secrets[")) and name == "functions":
            return _Where(inner)
        is_own = holds_secret(self.path, name, self.is_secret and self.is_own)
        is_odd = LOOKS_SECRET.search(name) is not None and name != "secrets"
        is_flat = inner in SECTIONS and not is_mapping
        return _Where(inner, self.is_secret or is_own or is_odd or is_flat, is_own)


def _scalars(node: yaml.Node, where: _Where) -> Iterator[_Scalar]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _scalars(value, where.key(str(key.value), isinstance(value, yaml.MappingNode)))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _scalars(item, _Where(below(where.path, index), where.is_secret))
    else:
        start, end = node.start_mark.index, node.end_mark.index
        if end > start:
            is_block = getattr(node, "style", None) in ("|", ">")
            place = "" if where.is_own else re.sub(r"\[[0-9]+\]", "[]", where.path)
            yield _Scalar(str(node.value), where.is_secret, place, is_block, start, end)
