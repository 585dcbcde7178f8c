"""Bodies become events and results become bodies by the rules of the ABI."""

import math
from typing import Any

import numpy as np
import pytest

from runtime.worker.payload import (
    InputError,
    Response,
    ResultError,
    decode_event,
    encode_json,
    encode_response,
    encode_result,
)

JSON = "application/json"


@pytest.mark.parametrize(
    ("accepts", "content_type", "body", "event"),
    [
        ("json", JSON, b'{"t": 1}', {"t": 1}),
        ("json", "Application/JSON; charset=utf-8", b"[1]", [1]),
        ("json", "application/cloudevents+json", b"1.5", 1.5),
        ("json", "text/json", b"true", True),
        ("json", "application/x-www-form-urlencoded", b'{"t": 1}', {"t": 1}),
        ("json", "multipart/form-data; boundary=x", b"null", None),
        ("json", None, '{"温度": 1}'.encode(), {"温度": 1}),
        ("json", "", b" 1 \n", 1),
        ("json", None, b"\xef\xbb\xbf{}", {}),
        ("json", None, rb'"\ud800"', "\ud800"),
        ("text", None, b"", ""),
        ("text", None, '{"温度": 1}\n'.encode(), '{"温度": 1}\n'),
        ("text", "text/plain", b"\xef\xbb\xbfx", "\ufeffx"),
        ("text", "application/x-www-form-urlencoded", b"a=b", "a=b"),
        ("text", "application/octet-stream", b"a", "a"),
        ("text", JSON, b'{"t": 1}\n', '{"t": 1}\n'),
        ("bytes", None, b"", b""),
        ("bytes", "text/plain", b"\xff\x00", b"\xff\x00"),
        ("bytes", JSON, b"not json", b"not json"),
    ],
)
def test_a_body_becomes_the_event_that_the_function_accepts(
    accepts: str, content_type: str | None, body: bytes, event: object
) -> None:
    decoded = decode_event(body, content_type, (accepts, 100))
    assert decoded == event
    assert type(decoded) is type(event)


@pytest.mark.parametrize(
    ("accepts", "content_type", "body", "why"),
    [
        ("json", JSON, b"", "empty"),
        ("json", JSON, b"{", "not JSON"),
        ("json", JSON, b"[", r"^the body is not JSON: Expecting value: line 1 column 2 \(char 1\)$"),
        ("json", JSON, b'{"a":', r"not JSON: Expecting value: line 1 column 6 \(char 5\)$"),
        ("json", None, b"[1,\n tru", r"not JSON: Expecting value: line 2 column 2 \(char 5\)$"),
        ("json", None, b"hello", "not JSON"),
        ("json", JSON, b"{}{}", "not JSON"),
        ("json", JSON, b"NaN", "NaN is not JSON"),
        ("json", JSON, b'{"t": -Infinity}', "-Infinity is not JSON"),
        ("json", JSON, b'"\xff"', "byte 1 is not UTF-8"),
        ("json", JSON, b"[" * 100_000, "nested more than 100 deep"),
        ("json", JSON, b"1" * 5000, "not JSON"),
        ("json", "text/plain", b"{}", "accepts JSON, not text/plain"),
        ("json", "application/octet-stream", b"{}", "accepts JSON, not application/octet-stream"),
        ("text", None, b"ok\xff", "byte 2"),
        ("text", JSON, b"hello", "not JSON"),
        ("text", "application/geo+json", b"", "empty"),
    ],
)
def test_a_body_that_the_function_does_not_accept_is_refused_with_a_reason(
    accepts: str, content_type: str | None, body: bytes, why: str
) -> None:
    with pytest.raises(InputError, match=why):
        decode_event(body, content_type, (accepts, 100))


@pytest.mark.parametrize(
    ("result", "body"),
    [
        ({"t": 1, "温度": [1.5, True, None]}, rb'{"t": 1, "\u6e29\u5ea6": [1.5, true, null]}'),
        ("1", b'"1"'),
        (0, b"0"),
        (False, b"false"),
        ((1, 2), b"[1, 2]"),
        ("\ud800", rb'"\ud800"'),
        ({1: 2, None: 3}, b'{"1": 2, "null": 3}'),
        (np.float32(0.5), b"0.5"),
        (np.float64(0.5), b"0.5"),
        (np.int64(7), b"7"),
        (np.bool_(True), b"true"),
        (np.longdouble(1), b"1.0"),
        (np.str_("x"), b'"x"'),
        (np.array([[1, 2], [3, 4]]), b"[[1, 2], [3, 4]]"),
        (np.array(3), b"3"),
        ({"y": np.arange(2), "label": [np.int8(1)]}, b'{"y": [0, 1], "label": [1]}'),
    ],
)
def test_a_result_becomes_json_as_the_older_program_wrote_it(result: object, body: bytes) -> None:
    assert encode_result(result) == (body, JSON)


@pytest.mark.parametrize("result", [b"\xff\x00", bytearray(b"\xff\x00"), memoryview(b"\xff\x00")])
def test_bytes_travel_as_they_are(result: object) -> None:
    assert encode_result(result) == (b"\xff\x00", "application/octet-stream")


class Odd:
    """Something that JSON cannot say."""


def a_generator() -> Any:
    yield 1


@pytest.mark.parametrize(
    ("result", "why"),
    [
        ({"a": [1, 2, 3, {5}]}, r"result\['a'\]\[3\] is of type set, which JSON cannot say"),
        ({"a": ({"b": Odd()},)}, r"result\['a'\]\[0\]\['b'\] is of type tests\.worker\.test_payload\.Odd"),
        (Odd(), "result is of type"),
        ({"a": math.nan}, r"result\['a'\] is nan"),
        ([math.inf], r"result\[0\] is inf"),
        (np.array([1.0, np.nan]), r"result\[1\] is nan"),
        ({"y": np.array([[1.0], [np.inf]])}, r"result\['y'\]\[1\]\[0\] is inf"),
        (np.float32("nan"), "result is nan"),
        (np.array([Odd()], dtype=object), r"result\[0\] is of type tests"),
        (np.clongdouble(1), "result is "),
        (np.datetime64("2026-01-01"), "result is of type datetime.date"),
        ({(1, 2): 3}, "result has a key of type tuple; JSON keys are text"),
        ({np.int64(1): 3}, "result has a key of type numpy.int64"),
        ({"raw": b"x"}, r"result\['raw'\] is of type bytes.*the whole result"),
        ([a_generator()], "a generator can only be the whole result"),
        (1 + 2j, "result is of type complex"),
    ],
)
def test_a_result_that_cannot_travel_is_refused_with_its_type_and_the_path_to_it(
    result: object, why: str
) -> None:
    with pytest.raises(ResultError, match=why):
        encode_json(result)


def test_a_result_that_holds_itself_or_is_very_deep_is_refused() -> None:
    circle: list[object] = []
    circle.append(circle)
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    for result in (circle, deep):
        with pytest.raises(ResultError, match="nested deeper than 100 levels"):
            encode_json(result)
    while deep:
        deep = deep.pop()  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("response", "body", "content_type"),
    [
        (Response(), b"", "text/plain; charset=utf-8"),
        (Response("温度"), "温度".encode(), "text/plain; charset=utf-8"),
        (Response("<p>", content_type="text/html"), b"<p>", "text/html"),
        (Response("1", content_type="application/json"), b'"1"', "application/json"),
        (Response({"t": 1}), b'{"t": 1}', JSON),
        (
            Response({"t": 1}, content_type="application/problem+json"),
            b'{"t": 1}',
            "application/problem+json",
        ),
        (Response(b"\x89PNG", content_type="image/png"), b"\x89PNG", "image/png"),
        (Response(b"x"), b"x", "application/octet-stream"),
    ],
)
def test_a_response_travels_as_told(response: Response, body: bytes, content_type: str) -> None:
    assert encode_response(response) == (body, content_type)


def test_a_response_of_half_a_character_is_refused() -> None:
    with pytest.raises(ResultError, match="surrogate"):
        encode_response(Response("ab\ud800"))


def test_a_response_takes_numbers_as_header_values_and_refuses_a_status_that_is_no_number() -> None:
    assert Response(headers={"X-Count": 3}).headers == {"X-Count": "3"}  # type: ignore[dict-item]
    with pytest.raises(ValueError):
        Response(status="fine")  # type: ignore[arg-type]
