"""Device expressions: they mean what Python means, and nothing else is taken."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conf.expression_text import ExpressionError
from conf.expressions import compile_rule

EVENT = {
    "deviceInfo": {"deviceName": "设备2", "edgeCalculation": False},
    "telemetry": {"ts": 1585194439000, "OPC温度": 10370, "OPC湿度": "86", "a.b": 1, "it's": 2, 'say "hi"': 3},
    "list": ["x", 1, None],
}


@pytest.mark.parametrize(
    ("value", "expression", "holds"),
    [
        ("设备2", "== data_to_dict['deviceInfo']['deviceName']", True),
        ("设备3", "== data_to_dict['deviceInfo']['deviceName']", False),
        ("设备2", "== data_to_dict.deviceInfo.deviceName", True),
        ("OPC温度", 'in data_to_dict["telemetry"]', True),
        ("OPC温度", "not in data_to_dict['telemetry']", False),
        ("OPC温度", "in data_to_dict.telemetry and data_to_dict.telemetry.OPC温度 > 10_000", True),
        ("a.b", "in data_to_dict['telemetry']", True),
        ("it's", "in data_to_dict['telemetry']", True),
        ('say "hi"', "in data_to_dict['telemetry']", True),
        ("2", "== '2' and data_to_dict['telemetry'][\"it's\"] == 2", True),
        ("86", "== data_to_dict['telemetry']['OPC湿度']", True),
        ("86", "== 86", False),
        ("x", "in data_to_dict['list'] or data_to_dict['missing']", True),
        ("x", "== data_to_dict['list'][-3]", True),
        ("x", "== data_to_dict['list'][7]", False),
        ("x", "== data_to_dict['missing']['deeper']", False),
        ("x", "!= data_to_dict['missing']", False),
        ("x", "< data_to_dict['telemetry']['ts']", False),
        ("b", "in ('a', 'b')", True),
        ("b", "> 'a' < 'c'", True),
        ("b", "== 'b' and not (1 < -2)", True),
        ("b", "== data_to_dict['deviceInfo'].keys", False),
    ],
)
def test_an_expression_goes_on_from_the_value(value: str, expression: str, holds: bool) -> None:
    assert compile_rule(value, expression)(EVENT) is holds


@pytest.mark.parametrize("event", [None, 5, "text", b"bytes", [], [[]], {"deviceInfo": None}])
def test_an_event_of_another_shape_does_not_match(event: object) -> None:
    assert compile_rule("x", "== data_to_dict['deviceInfo']['deviceName']")(event) is False


def test_a_dotted_key_is_never_an_attribute_of_an_object() -> None:
    class Thing:
        secret = "x"

    assert compile_rule("x", "== data_to_dict.secret")(Thing()) is False
    assert compile_rule("x", "== data_to_dict.secret")({"secret": "x"}) is True


HOSTILE = [
    ("== __import__('os').system('x')", 4),
    ("== open('/etc/passwd').read()", 4),
    ("== (lambda: 1)()", 4),
    ("== (lambda: 1)", 5),
    ("in [x for x in data_to_dict]", 4),
    ("in {x for x in data_to_dict}", 4),
    ("in {x: 1 for x in data_to_dict}", 4),
    ("in (x for x in data_to_dict)", 4),
    ("== f'{data_to_dict}'", 4),
    ("== f''", 4),
    ("== (x := 3)", 5),
    ("== data_to_dict.__class__", 4),
    ("== data_to_dict.deviceInfo.__class__.__mro__", 4),
    ("== ().__class__.__bases__[0].__subclasses__()", 4),
    ("== 'a'.upper", 4),
    (".upper()", 7),
    (".__class__ == data_to_dict", 1),
    ("(data_to_dict)", 1),
    ("% data_to_dict", 1),
    ("== '%s' % data_to_dict", 4),
    ("== 10**10**10", 4),
    ("== 'a' * 10**9", 4),
    ("* 1000000000", 1),
    ("== 1 + 1", 4),
    ("== -data_to_dict", 4),
    ("== ~1", 4),
    ("== 1 << 99999", 4),
    ("== data_to_dict[1:2]", 17),
    ("== data_to_dict[::-1]", 17),
    ("in [*data_to_dict]", 5),
    ("in [data_to_dict]", 5),
    ("in {'a', 'b'}", 4),
    ("== {'a': 1}", 4),
    ("== b'x'", 4),
    ("== 1j", 4),
    ("== ...", 4),
    ("is None", 1),
    ("== 1 is not None", 6),
    ("if data_to_dict else 2", 1),
    ("== 1 if data_to_dict else 2", 6),
    ("== await x", 4),
    ("== (yield)", 5),
    ("== os", 4),
    ("== print", 4),
    ("== __builtins__['eval']", 4),
    ("== data_to_dit['a']", 4),
    ("== 设备.x", 4),
    ("== '设备' and 设备", 13),
    ("== data_to_dict; import os", 16),
    ("== data_to_dict\nimport os", 17),
    ("==", 3),
    ("== (1", 4),
    ("== 'a", 4),
    ("= 'a'", 1),
    ("", 1),
    ("   ", 1),
    ("# nothing", 1),
    ("'b'", 1),
    ("== 'a\0'", 6),
    ("== " + "(" * 40 + "1" + ")" * 40, 36),
    ("== " + "(" * 300 + "1" + ")" * 300, 204),
    ("== " + "[" * 40 + "]" * 40, 35),
    ("or " + "not " * 40 + "1", 128),
    ("or " + "not " * 480 + "1", 128),
    ("== data_to_dict" + "['a']" * 100, 4),
    ("== data_to_dict" + ".a" * 100, 4),
    ("== " + "-" * 1900 + "1", 4),
    ("== '" + "x" * 2000 + "'", 2001),
]


@pytest.mark.parametrize(("expression", "column"), HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_comparison_is_refused_with_its_position(expression: str, column: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_rule("设备2", expression)
    assert caught.value.column == column
    assert str(caught.value).startswith(f"column {column}: ")


def test_a_misspelt_event_is_refused_with_the_right_name() -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_rule("x", "== data_to_dic['a']")
    assert caught.value.hint == "did you mean data_to_dict?"


@pytest.mark.parametrize(
    "value", ["'", '"', "'''", "\\", "\n", "' or 'a' == 'a", "\x00", "{x}", "%s", "设\u2028备"]
)
def test_a_value_is_text_whatever_stands_in_it(value: str) -> None:
    assert compile_rule(value, "== data_to_dict['v']")({"v": value}) is True
    assert compile_rule(value, "== data_to_dict['v']")({"v": "other"}) is False


def test_an_escape_that_python_warns_of_is_taken() -> None:
    assert compile_rule(r"\d", r"== '\d'")({}) is True


@pytest.mark.parametrize(
    ("expression", "equality", "membership"),
    [
        ("== data_to_dict['a']['b']", (("a", "b"), "x"), None),
        ("== data_to_dict.a['b'][0]", (("a", "b", 0), "x"), None),
        ("in data_to_dict['t']", None, (("t",), "x")),
        ("== data_to_dict['a'] and 'y' == data_to_dict['b']", None, None),
        ("== data_to_dict[data_to_dict['a']]", None, None),
        ("== 'y'", None, None),
        ("!= data_to_dict['a']", None, None),
        ("in data_to_dict['t'] == True", None, None),
    ],
)
def test_what_an_index_can_answer_is_known(expression: str, equality: object, membership: object) -> None:
    compiled = compile_rule("x", expression)
    assert (compiled.equality, compiled.membership) == (equality, membership)


# The allowed grammar, written out as Python.
KEYS = st.sampled_from(["a", "b", "设备", "a.b", "it's", 'q"q', "\\", ""])
LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | KEYS
EVENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
LITERALS = LEAVES.map(repr)
PLACES = st.lists(KEYS.map(repr) | st.integers(-2, 2).map(repr), max_size=3).map(
    lambda keys: "data_to_dict" + "".join(f"[{key}]" for key in keys)
)
SEQUENCES = st.lists(LITERALS, max_size=3).map(lambda items: f"[{', '.join(items)}]") | st.lists(
    LITERALS, min_size=1, max_size=3
).map(lambda items: f"({', '.join(items)},)")
OPERATORS = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "not in"])


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(inner, OPERATORS, inner, OPERATORS, inner)
    return st.one_of(
        st.tuples(inner, OPERATORS, inner).map(lambda parts: f"({' '.join(parts)})"),
        pairs.map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda part: f"(not {part})"),
    )


TERMS = st.recursive(LITERALS | PLACES | SEQUENCES, _grow, max_leaves=6)
TAILS = st.lists(st.tuples(OPERATORS | st.sampled_from(["and", "or"]), TERMS), min_size=1, max_size=3).map(
    lambda parts: " ".join(word for pair in parts for word in pair)
)


def answer_of_python(value: str, expression: str, event: Any) -> bool:
    try:
        return bool(eval(f"{value!r} {expression}", {"__builtins__": {}}, {"data_to_dict": event}))
    except (LookupError, TypeError, ValueError):
        return False


@settings(deadline=None, max_examples=500)
@given(value=KEYS | st.text(max_size=5), expression=TAILS, event=EVENTS)
def test_an_expression_means_what_it_means_in_python(value: str, expression: str, event: Any) -> None:
    assert compile_rule(value, expression)(event) is answer_of_python(value, expression, event)


@settings(deadline=None)
@given(value=st.text(max_size=10), expression=st.text(max_size=60))
def test_any_text_is_either_taken_or_refused_by_position(value: str, expression: str) -> None:
    column = 1
    try:
        assert compile_rule(value, expression)({}) in (True, False)
    except ExpressionError as error:
        column = error.column
    assert 1 <= column <= len(expression) + 1


@settings(deadline=None)
@given(st.recursive(EVENTS, lambda inner: st.lists(inner, max_size=2), max_leaves=5), KEYS, KEYS)
def test_an_index_answers_what_the_expression_answers(event: Any, key: str, text: str) -> None:
    expression = compile_rule(text, f"== data_to_dict[{key!r}]")
    assert expression.equality == ((key,), text)
    assert expression(event) is (isinstance(event, dict) and event.get(key) == text)
