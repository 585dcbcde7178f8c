"""YAML, read without surprises and within bounds."""

import pytest

from conf.document import MOST_BYTES, read_document
from conf.faults import ConfigError


def refused(text: str | bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        read_document(text.encode() if isinstance(text, str) else text)
    return str(caught.value)


def test_scalars_mean_what_they_look_like() -> None:
    text = b"{a: 0123, b: 12:30, c: no, d: 2020-01-01, e: 12, f: 1.5, g: true, h: ~, i: !!str 5, j: 1_000}"
    assert read_document(text).value == {
        "a": "0123", "b": "12:30", "c": "no", "d": "2020-01-01", "e": 12,
        "f": 1.5, "g": True, "h": None, "i": "5", "j": "1_000",
    }  # fmt: skip


def test_a_value_may_stand_on_the_line_after_its_key() -> None:
    document = read_document(b"rules:\n- pub:\n    topic:\n      a/b\n")
    assert document.value == {"rules": [{"pub": {"topic": "a/b"}}]}
    assert document.line_of("rules[0].pub.topic") == 3


def test_what_is_absent_has_the_line_of_what_is_around_it() -> None:
    document = read_document(b"a: 1\nrules:\n- sub: {x: 1}\n- sub:\n    y: 2\n")
    assert document.line_of("rules[1].sub.topic") == 4
    assert document.line_of("rules[7].pub") == 2
    assert document.line_of("elsewhere") is None


def test_anchors_and_merges_work() -> None:
    assert read_document(b"a: &x {k: 1}\nb: {<<: *x, z: 2}\nc: *x").value == {
        "a": {"k": 1},
        "b": {"k": 1, "z": 2},
        "c": {"k": 1},
    }


def test_every_duplicate_key_is_told_with_both_lines() -> None:
    message = refused("a: 1\nb: {c: 1, c: 2}\na: 3\n")
    assert "line 2: b.c: is written twice (it stands on line 2 already)" in message
    assert "line 3: a: is written twice (it stands on line 1 already)" in message


@pytest.mark.parametrize("tag", ["!!python/name:os.system x", "!!binary aGk=", "!!int x", "!local y"])
def test_a_tag_is_refused(tag: str) -> None:
    assert "has the tag" in refused(f"a: {tag}")


def test_a_bomb_of_aliases_is_refused() -> None:
    lines = ["n0: &n0 {a: 1}", *(f"n{n}: &n{n} [*n{n - 1}, *n{n - 1}]" for n in range(1, 40))]
    assert "aliases written out" in refused("\n".join(lines))


def test_a_bomb_of_merges_is_refused() -> None:
    lines = ["n0: &n0 {a: 1}", *(f"n{n}: &n{n} {{<<: [*n{n - 1}, *n{n - 1}]}}" for n in range(1, 40))]
    assert "aliases written out" in refused("\n".join(lines))


def test_an_alias_inside_itself_is_refused() -> None:
    assert "aliases written out" in refused("a: &a [*a]")


def test_deep_nesting_is_refused_before_it_can_crash_the_parser() -> None:
    assert "nested more than 64 deep" in refused("[" * 1_000_000)


@pytest.mark.parametrize(
    "text", ["a: [1", "\ta: 1", "a: *nope", "a: 1\n---\nb: 2", b"a: \xff", b"\0", "{}: 1", "a: <<"]
)
def test_what_is_not_one_yaml_mapping_is_refused(text: str | bytes) -> None:
    assert refused(text)


def test_a_document_over_the_size_limit_is_refused() -> None:
    assert "larger than 10 MiB" in refused(b"#" * (MOST_BYTES + 1))
