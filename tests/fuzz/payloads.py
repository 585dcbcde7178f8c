"""Fuzzes how bytes become events and results become bytes."""

import json
from typing import Any

from hypothesis import strategies as st

from runtime.worker.payload import InputError, ResultError, decode_event, encode_json
from tests.fuzz.target import Target, any_json, any_text, check_told, nested

DEEPEST = 100
KINDS = st.sampled_from(
    [
        None,
        "",
        "application/json",
        "application/JSON; charset=x",
        "text/plain",
        "application/x-www-form-urlencoded",
        "x/y+json",
    ]
) | st.text(max_size=10)
WRITTEN = any_json(12).map(
    lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
)
BODIES = (
    WRITTEN
    | st.tuples(WRITTEN, st.integers(0, 60), st.binary(max_size=3)).map(
        lambda case: case[0][: case[1]] + case[2] + case[0][case[1] :]
    )
    | st.sampled_from(
        [
            nested(900),
            nested(100_000),
            "[" * 999,
            "9" * 5000,
            "-",
            '{"a":1,"a":2}',
            "\ufeff{}",
            "NaN",
            "1e999",
        ]
    ).map(str.encode)
    | st.binary(max_size=40)
)
RESULTS = st.recursive(
    any_json(4) | st.binary(max_size=3) | st.sets(st.integers(), max_size=2) | st.complex_numbers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            any_text(4) | st.integers() | st.none() | st.tuples(st.integers()), inner, max_size=3
        )
        | st.tuples(inner, inner)
    ),
    max_leaves=8,
)


def check_event(case: tuple[bytes, str | None, str]) -> None:
    """An event as its function takes it, or an InputError; JSON reads as Python's own reader has it."""
    body, kind, accepts = case
    try:
        event = decode_event(body, kind, (accepts, DEEPEST))
    except InputError as error:
        check_told(error)
        return
    if accepts == "bytes":
        assert event == body
    elif accepts == "text":
        assert event == body.decode()
    else:
        assert repr(event) == repr(json.loads(body))


def check_result(result: Any) -> None:
    """JSON that any reader reads, or a ResultError."""
    try:
        body = encode_json(result)
    except ResultError as error:
        check_told(error)
        return
    json.loads(body, parse_constant=lambda name: 1 / 0)


TARGETS = (
    Target(
        "events",
        st.tuples(BODIES, KINDS, st.sampled_from(["json", "json", "text", "bytes"])),
        check_event,
        150,
    ),
    Target("results", RESULTS, check_result, 60),
)
