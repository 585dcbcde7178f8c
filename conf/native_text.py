"""Writes a config in its native form as YAML, with a comment at each assumption made."""

import re
from collections.abc import Iterator, Mapping, Sequence

from conf.faults import below

PLAIN = re.compile(r"(?:[^\W\d]|/)(?:[\w./+=-]|:(?=\S))*")
QUANTITY = re.compile(r"[0-9]+(ms|s|m|h|d)")
WORDS = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")  # which some readers take for others
STEP = "  "


def write_native(tree: Mapping[str, object], comments: Mapping[str, Sequence[str]]) -> str:
    """The YAML of `tree`; `comments` has sentences by the path they stand above, "" being the top."""
    lines = [*_comment(comments.get("", ()), ""), *_mapping(tree, "", "", comments)]
    return "".join(f"{line}\n" for line in lines)


def write_lines(value: Mapping[str, object] | list[object], indent: str) -> list[str]:
    """The lines of a mapping or list that is not empty, as they stand at this indent."""
    if isinstance(value, list):
        return list(_sequence(value, "", indent, {}))
    return list(_mapping(value, "", indent, {}))


def write_text(value: str) -> str:
    """A text as a scalar, quoted where it has to be."""
    return _text(value)


def _mapping(
    mapping: Mapping[str, object], path: str, indent: str, comments: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    for key, value in mapping.items():
        inner = below(path, key)
        yield from _comment(comments.get(inner, ()), indent)
        if isinstance(value, dict) and value:
            yield f"{indent}{_text(key)}:"
            yield from _mapping(value, inner, indent + STEP, comments)
        elif isinstance(value, list) and value:
            yield f"{indent}{_text(key)}:"
            yield from _sequence(value, inner, indent, comments)
        else:
            yield f"{indent}{_text(key)}: {_scalar(value)}"


def _sequence(
    items: list[object], path: str, indent: str, comments: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    for index, item in enumerate(items):
        inner = below(path, index)
        yield from _comment(comments.get(inner, ()), indent)
        if isinstance(item, dict) and item:
            yield from _bulleted(list(_mapping(item, inner, "", comments)), indent)
        elif isinstance(item, list) and item:
            yield from _bulleted(list(_sequence(item, inner, "", comments)), indent)
        else:
            yield f"{indent}- {_scalar(item)}"


def _bulleted(lines: list[str], indent: str) -> Iterator[str]:
    """The lines of one item: its first entry follows the dash, comments above it stand before."""
    first = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    yield from (indent + line for line in lines[:first])
    yield f"{indent}- {lines[first]}"
    yield from (indent + STEP + line for line in lines[first + 1 :])


def _comment(sentences: Sequence[str], indent: str) -> Iterator[str]:
    # What a file says may stand in a sentence: a line of it would be taken for config.
    return (f"{indent}# {_escaped(sentence)}" for sentence in sentences)


def _scalar(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dict | list):
        return "[]" if isinstance(value, list) else "{}"
    return _text(str(value))


def _text(text: str) -> str:
    is_plain = PLAIN.fullmatch(text) and text.lower() not in WORDS and text.isprintable()
    if is_plain or QUANTITY.fullmatch(text):
        return text
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_escaped(quoted)}"'


def _escaped(text: str) -> str:
    return "".join(letter if letter.isprintable() else _escape(letter) for letter in text)


def _escape(letter: str) -> str:
    code = ord(letter)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
