"""Fuzzes the reader of device expressions: it says what Python says, and runs nothing."""

import sys
from types import FrameType
from typing import Any

from hypothesis import strategies as st

from conf.expression_text import LONGEST, ExpressionError
from conf.expressions import compile_rule
from tests.conf.test_expressions import EVENTS, KEYS, TAILS, answer_of_python
from tests.fuzz.target import Target, any_json, any_text

EXECUTING = frozenset({"eval", "exec", "__import__", "open", "system", "getattr", "setattr", "input"})
PIECES = st.sampled_from(
    [
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "in",
        "not",
        "and",
        "or",
        "is",
        "if",
        "else",
        "for",
        "lambda",
        "await",
        "yield",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ".",
        ",",
        ":",
        ";",
        ":=",
        "**",
        "*",
        "+",
        "-",
        "%",
        "@",
        "~",
        "\\",
        "data_to_dict",
        "__import__",
        "eval",
        "exec",
        "open",
        "os",
        "system",
        "__class__",
        "__globals__",
        "__builtins__",
        "'a'",
        '"a"',
        "'''",
        "f'{x}'",
        "b'x'",
        "1",
        "0x1",
        "1e999",
        "1j",
        "10**10**10",
        "True",
        "None",
        "...",
        "#",
        "==",
        "data_to_dict['a']",
        "data_to_dict.a",
        "data_to_dict[0]",
        "()",
        "[]",
        "{}",
        "(1,)",
        "x:=1",
    ]
)
TEXTS = st.lists(PIECES | any_text(4), max_size=12).map(" ".join) | any_text(60)
DEEP = st.builds(
    lambda opening, depth, inner, closing: f"== {opening * depth}{inner}{closing * depth}",
    st.sampled_from(["(", "[", "not ", "-", "data_to_dict[", "(lambda: ", "1 if 1 else "]),
    st.sampled_from([1, 31, 33, 90, 190, 220, 950, 1990]),
    st.sampled_from(["1", "'a'", "data_to_dict"]),
    st.sampled_from([")", "]", ""]),
)


class Watch:
    """Which builtins were called that could run something, while expressions were compiled or asked."""

    def __init__(self) -> None:
        self.called: set[str] = set()

    def see(self, frame: FrameType, event: str, what: Any) -> None:
        """A profiler's look."""
        if event == "c_call" and frame.f_globals.get("__name__", "").startswith("conf.expression"):
            self.called |= {getattr(what, "__name__", "")} & EXECUTING

    def __enter__(self) -> "Watch":
        self._before = sys.getprofile()
        sys.setprofile(self.see)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(self._before)


def check_text(case: tuple[str, str, Any]) -> None:
    """It is refused by position, or answers any event with yes or no; nothing is run on the way."""
    value, text, event = case
    with Watch() as watch:
        try:
            answers = compile_rule(value, text)(event) in (True, False)
        except ExpressionError as error:
            answers = 1 <= error.column <= min(len(text), LONGEST) + 1
    assert answers and watch.called <= {"getattr"}, (watch.called, text)


def check_meaning(case: tuple[str, str, Any]) -> None:
    """What is of the grammar means what it means in Python."""
    value, text, event = case
    assert compile_rule(value, text)(event) is answer_of_python(value, text, event)


TARGETS = (
    Target(
        "expressions, any text", st.tuples(any_text(5), TEXTS | DEEP, EVENTS | any_json(4)), check_text, 80
    ),
    Target("expressions of the grammar", st.tuples(KEYS | any_text(5), TAILS, EVENTS), check_meaning, 80),
)
