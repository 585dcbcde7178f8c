"""Prints the reference of the config as Markdown: `python -m conf.reference`."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from conf.load import json_schema
from conf.models import Config
from conf.quantities import write_duration
from conf.units import BYTES

Schema = dict[str, Any]

HEAD = """# The config, key by key

Generated from the models by `python -m conf.reference`; `conf/config.yaml` is a commented example with every
key. `fnhost serve --config FILE` reads YAML, and JSON from files called `.json`; older forms are recognised,
and `fnhost config convert FILE` prints them in this one. The whole file is checked before anything starts,
all faults are told at once (`fnhost config check FILE`), and unknown keys are refused. Flags win over
`FNHOST_*` variables, these over the file, and the file over the defaults. Any text may hold `${env:NAME}` or
`${file:PATH}`; relative paths start at the folder of the file.
"""
SIZES = {unit: BYTES[unit] for unit in ("MiB", "GiB")}
NAMES = {
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "mapping",
    "string": "text",
}


def render_reference() -> str:
    """The whole document."""
    whole = json_schema()
    # An address is no JSON value, so the schema is silent about this default.
    whole["properties"]["listen"]["default"] = str(Config().listen)
    sections = {"The top level": {**whole, "description": ""}}
    sections |= {f"`{path}`": section for path, section in _inner(whole, whole)}
    return "\n".join([HEAD, *(_section(title, section) for title, section in sections.items())])


def _inner(whole: Schema, section: Schema, prefix: str = "") -> Iterator[tuple[str, Schema]]:
    """Every section below this one, with its path, in the order of the keys."""
    for key, described in section["properties"].items():
        listed = described.get("items", {})
        others = described.get("additionalProperties")
        kinds = [*described.get("patternProperties", {}).values(), *([others] if others else [])]
        named: Schema = kinds[0] if kinds else {}
        target = _target(whole, listed or named or described)
        if target is not None:
            path = f"{prefix}{key}" + ("[]" if listed else ".NAME" if named else "")
            yield path, target
            yield from _inner(whole, target, f"{path}.")


def _target(whole: Schema, described: Schema) -> Schema | None:
    """The section that a key holds, if it holds one."""
    for one in [described, *described.get("anyOf", [])]:
        if "$ref" in one:
            found: Schema = whole["$defs"][one["$ref"].rpartition("/")[2]]
            return found
    return None


def _section(title: str, section: Schema) -> str:
    rows = [_row(key, described, section) for key, described in section["properties"].items()]
    text = section.get("description")
    head = ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    return "\n".join([f"## {title}", "", *([text, ""] if text else []), *head, *rows, ""])


def _row(key: str, described: Schema, section: Schema) -> str:
    default = "required" if key in section.get("required", []) else _default(described)
    return f"| `{key}` | {_kind(described)} | {default} | {described['description']} |"


def _default(described: Schema) -> str:
    """As a person would write it; empty for what is absent, empty, or shown as a section of its own."""
    value = described.get("default")
    if value in (None, []) or isinstance(value, dict):
        return ""
    if isinstance(value, float):
        return f"`{value:g}`" if _kind(described) == "number" else f"`{write_duration(value)}`"
    size = _in_units(value, SIZES) if isinstance(value, int) and value else None
    return f"`{size or (value if isinstance(value, str) else json.dumps(value))}`"


def _in_units(number: float, units: Mapping[str, float]) -> str | None:
    """`number` in the largest unit of which it is a multiple."""
    fitting = [(size, unit) for unit, size in units.items() if number % size == 0]
    return f"{number / max(fitting)[0]:g}{max(fitting)[1]}" if fitting else None


def _kind(described: Schema) -> str:
    """What a value may be, in words: the first of its forms, which is how a person writes it."""
    form = described
    while "anyOf" in form:
        form = form["anyOf"][0]
    if "enum" in form:
        return ", ".join(f"`{value}`" for value in form["enum"])
    if "const" in form:
        return f"`{form['const']}`"
    if "$ref" in form:
        return "section"
    if form.get("type") == "array":
        if "enum" in form["items"]:
            return f"list out of {_kind(form['items'])}"
        return f"list of {_kind(form['items'])}s"
    if "examples" in form:
        return f"such as `{form['examples'][0]}`"
    return str(form.get("format") or NAMES[form["type"]])


if __name__ == "__main__":
    print(render_reference(), end="")
