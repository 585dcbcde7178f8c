"""What is written as YAML is read back as it was, with its comments above what they are about."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conf.document import read_document
from conf.native_text import write_native

TEXTS = st.text(max_size=12) | st.sampled_from(
    [
        "no",
        "NULL",
        "~",
        "true",
        "0123",
        "1e5",
        "12:30",
        "a: b",
        "a #b",
        "- a",
        "tcp://h:1",
        "10s",
        "a:",
        "==",
        "\u2028",
    ]
)
SCALARS = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_what_is_written_is_read_back(tree: dict[str, Any]) -> None:
    text = write_native(tree, {"": ["top"], "a": ["above"]})
    assert read_document(text.encode()).value == (tree or None)


def test_comments_stand_above_what_they_are_about() -> None:
    tree = {"a": [{"b": {"c": 1}, "d": [[2]]}], "e": {}}
    comments = {path: [path or "top"] for path in ("", "a", "a[0]", "a[0].b", "a[0].b.c", "a[0].d[0]", "e")}
    assert write_native(tree, comments).splitlines() == [
        "# top",
        "# a",
        "a:",
        "# a[0]",
        "# a[0].b",
        "- b:",
        "    # a[0].b.c",
        "    c: 1",
        "  d:",
        "  # a[0].d[0]",
        "  - - 2",
        "# e",
        "e: {}",
    ]


@pytest.mark.parametrize("sentence", ["a\nlisten: 0.0.0.0:1", "a\rb", "a\u2028b", "a\x85b"])
def test_a_comment_never_becomes_config(sentence: str) -> None:
    assert read_document(write_native({"a": 1}, {"a": [sentence]}).encode()).value == {"a": 1}
