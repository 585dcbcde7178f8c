"""How deep JSON is nested is known before anything is built of it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.worker.json_depth import is_deeper
from runtime.worker.payload import InputError, decode_event

leaves = st.none() | st.integers() | st.text(alphabet='[]{}"\\aé', max_size=6)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('[{"\\', max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


def depth_of(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


@given(values, st.booleans(), st.integers(0, 8))
def test_the_depth_is_that_of_the_parsed_value(value: object, ascii_only: bool, limit: int) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert is_deeper(text, limit) == (depth_of(value) > limit)


@given(st.binary(max_size=60) | st.text('[]{}"\\ ,', max_size=60).map(str.encode), st.integers(0, 8))
def test_what_is_no_json_breaks_nothing(text: bytes, limit: int) -> None:
    is_deeper(text, limit)


@pytest.mark.parametrize("accepts", ["json", "text"])
@pytest.mark.parametrize(("left", "right"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_an_event_of_the_limit_passes_and_one_level_more_is_refused(
    left: bytes, right: bytes, accepts: str
) -> None:
    deep, deeper = (left * number + b"[]" + right * number for number in (99, 100))
    decode_event(deep, "application/json", (accepts, 100))
    with pytest.raises(InputError, match=r"nested more than 100 deep \(`limits.json_depth`\)"):
        decode_event(deeper, "application/json", (accepts, 100))


def test_brackets_that_never_close_take_no_recursion() -> None:
    with pytest.raises(InputError, match="nested more than"):
        decode_event(b"[" * 5_000_000, None, ("json", 100))
