"""Fuzzes the readers of configs and manifests: a value, or every fault with its place."""

import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from conf.faults import ConfigError
from conf.load import examine_config, json_schema
from functions.errors import PackageError
from functions.manifest import Manifest, read_manifest
from tests.fuzz.target import Target, any_json, any_text, check_told, nested

Tree = dict[str, Any]

PLAIN = st.sampled_from(
    [
        "",
        "a",
        "~",
        "null",
        "yes",
        "10s",
        "-1s",
        "1e999s",
        "512MiB",
        "9" * 40 + "GiB",
        "0",
        "a/b",
        "#",
        "+",
        "$share/g/t",
        "/x",
        "${env:A}",
        "${env:B}",
        "${file:/etc/hostname}",
        "${file:/dev/zero}",
        "${file:..}",
        "${env:${env:A}}",
        "${x:y}",
        "tcp://h:1",
        "mqtt://",
        "ssl://h",
        "http://:0",
        "* * * * *",
        "index:index",
        "function:a",
        "pub",
        "\0",
        "\ud800",
        "== data_to_dict['a']",
        "1.2.3.4",
        "[::1]:80",
        "2024-01-01",
        "0x10",
        "1_000",
        "'",
        "{",
        "- a",
        "!!python/object:os.system",
    ]
)
OLD = (
    "mqtt",
    "mqttList",
    "subTopics",
    "pubTopics",
    "modelName",
    "modelAddress",
    "modelMd5",
    "device",
    "deviceList",
    "attrValue",
    "attrExpression",
    "attrName",
    "instance",
    "host",
    "port",
    "name",
    "clientId",
    "sub",
    "pub",
    "topic",
    "expose",
)


def _keys(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return {key for each in schema for key in _keys(each)}
    if not isinstance(schema, dict):
        return set()
    own = set(schema.get("properties", {}))
    return own | {key for each in schema.values() for key in _keys(each)}


def _trees(schema: Tree) -> st.SearchStrategy[Any]:
    keys = st.sampled_from([*sorted(_keys(schema)), *OLD]) | any_text(6)
    leaves = PLAIN | PLAIN | st.integers(-2, 2**70) | any_json(3)
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=12,
    )


def _shaped(schema: Tree, defs: Tree, depth: int = 0) -> st.SearchStrategy[Any]:
    """What the schema describes, more or less."""
    if "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    for joined in ("anyOf", "oneOf", "allOf"):
        if joined in schema:
            return st.one_of([_shaped(each, defs, depth) for each in schema[joined]])
    kind = schema.get("type")
    if depth < 5 and kind == "object" and "properties" in schema:
        parts = {name: _shaped(each, defs, depth + 1) | PLAIN for name, each in schema["properties"].items()}
        needed = {name: part for name, part in parts.items() if name in schema.get("required", ())}
        others = {name: part for name, part in parts.items() if name not in needed}
        return st.fixed_dictionaries(needed, optional=others)
    if depth < 5 and kind == "array" and isinstance(schema.get("items"), dict):
        return st.lists(_shaped(schema["items"], defs, depth + 1), max_size=2)
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    plain = {"integer": st.integers(-1, 10), "number": st.floats(-1, 10), "boolean": st.booleans()}
    return plain.get(str(kind), PLAIN)


def _texts(schema: Tree) -> st.SearchStrategy[str]:
    # Deferred, since Hypothesis would write all of it into one line.
    shaped = _shaped(schema, schema.get("$defs", {}))
    trees = _trees(schema) | st.deferred(lambda: shaped)
    written = trees.map(lambda tree: yaml.safe_dump(tree, allow_unicode=True, sort_keys=False))
    return written | st.tuples(written, st.integers(0, 300), any_text(4)).map(_broken) | BOMBS | any_text(80)


def _broken(case: tuple[str, int, str]) -> str:
    text, at, more = case
    return text[: at % (len(text) + 1)] + more + text[at % (len(text) + 1) :]


BOMBS = st.builds(
    lambda key, width, depth: (
        "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}' if n else 'x'] * width)}]\n" for n in range(depth))
        + f"{key}: *a{depth - 1}\n"
    ),
    st.sampled_from(["rules", "funcs", "mqtts", "x", "<<"]),
    st.sampled_from([2, 10, 100]),
    st.sampled_from([1, 3, 9, 30]),
) | st.sampled_from(
    [
        nested(60),
        nested(70),
        nested(5000),
        "{" * 5000,
        "- " * 5000,
        "&a [*a]",
        "? " * 500,
        "a: " * 300,
        "%YAML 9.9\n---\na",
        "---\n---\n",
        "\ufeffrules: []",
        "a: !!binary x",
        "!!set {a}",
        "<<: {a: 1}",
        "rules: !!omap []",
        "? [a]\n: b",
    ]
)
ENDINGS = st.sampled_from([".yaml", ".yaml", ".json"])


def check_config(case: tuple[str, str]) -> None:
    """A config, or faults that can be printed; never another exception."""
    text, ending = case
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"config{ending}"
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            found = examine_config(file, {"A": "a", "EMPTY": ""})
        except ConfigError as error:
            check_told(error)
        else:
            assert found.config is not None or found.faults
            assert all(str(fault) for fault in (*found.faults, *found.notes))


def check_manifest(text: str) -> None:
    """A manifest, or a PackageError that can be printed."""
    try:
        read_manifest(text.encode(errors="replace").decode()).model_dump_json()
    except PackageError as error:
        check_told(error)


TARGETS = (
    Target("configs", st.tuples(_texts(json_schema()), ENDINGS), check_config, 50),
    Target("manifests", _texts(Manifest.model_json_schema()), check_manifest, 20),
)
