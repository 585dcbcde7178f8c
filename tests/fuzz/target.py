"""What is fuzzed: where cases come from, and what must hold for each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st


@dataclass(frozen=True)
class Target:
    """`check` raises for a case that does harm; `few` cases are tried in the suite."""

    name: str
    cases: st.SearchStrategy[Any] = field(repr=False)
    check: Callable[[Any], None]
    few: int


TROUBLE = "\ud800\udfff\0\n\r\x1b\x7f\u0301\u2028é\u212a温\U0001f40d"
"""Half characters, controls, what combines, what folds to another letter, what takes four bytes."""


def any_text(most: int = 20) -> st.SearchStrategy[str]:
    """Texts with everything that Python's str may hold, lone surrogates and NUL as well."""
    return st.text(TROUBLE, max_size=most) | st.text(st.characters(exclude_categories=()), max_size=most)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.integers()
    | st.sampled_from([2**31, 2**63, 2**64, -(2**63), 10**400])
    | st.floats()
    | any_text()
)


def any_json(most: int = 8) -> st.SearchStrategy[Any]:
    """Whatever Python's reader of JSON may return, NaN and numbers of 400 digits as well."""
    return st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text(8), inner, max_size=3),
        max_leaves=most,
    )


def check_told(error: Exception) -> None:
    """A refusal says why, in text that can be printed."""
    assert str(error).encode()


def nested(depth: int) -> str:
    """JSON as deep as this."""
    return "[" * depth + "]" * depth
