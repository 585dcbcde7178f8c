"""Samples: what their files mean, and how an answer is compared with the expected one."""

from pathlib import Path
from typing import Any

import pytest

from host.authoring.difference import difference
from host.authoring.faults import AuthoringError
from host.authoring.samples import Sample, read_sample, read_samples
from host.authoring.screen import curl_line
from host.authoring.trial import answer_of
from host.client.client import Reply

HERE = Path("samples/a.json")


def sample(text: str, folder: Path) -> Sample:
    path = folder / "a.json"
    path.write_text(text, encoding="utf-8")
    return read_sample(path)


def test_a_description_has_an_event_and_perhaps_an_answer(tmp_path: Path) -> None:
    told = sample('{"event": {"t": "温"}, "expect": null, "approx": 0.1}', tmp_path)
    assert (told.body, told.content_type) == ('{"t": "温"}'.encode(), "application/json")
    assert (told.says_answer, told.expected, told.approx) == (True, None, 0.1)


@pytest.mark.parametrize("text", ['{"t": 1}', "[1, 2]", '"text"', '{"event": 1, "device": "d"}'])
def test_everything_else_is_the_event_itself(tmp_path: Path, text: str) -> None:
    told = sample(text, tmp_path)
    assert told.body == text.encode() and not told.says_answer


def test_text_travels_as_it_is_where_its_type_says_so(tmp_path: Path) -> None:
    told = sample('{"event": "温度 21", "content_type": "text/plain"}', tmp_path)
    assert told.body == "温度 21".encode()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{\n"event": 1,\n}', "a.json:3: it is not JSON"),
        ('{"event": 1, "approx": "x"}', "`approx` must be a number"),
        ('{"event": 1, "content_type": 5}', "`content_type` must be text"),
        ("1" * 5000, "a.json: it has more digits in a number than Python reads"),
        ("[" * 100_000 + "]" * 100_000, "a.json: it is nested too deeply"),
        ('{"t": "\\ud800"}', r"a.json: it has '\\ud800', half of a character"),
    ],
)
def test_a_faulty_file_is_told_with_its_place(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(AuthoringError, match=fault):
        sample(text, tmp_path)


def test_they_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    for name in ("b.json", "a.json", "notes.txt"):
        (tmp_path / "samples" / name).write_text("{}")
    assert [each.name for each in read_samples(tmp_path)] == ["a", "b"]


@pytest.mark.parametrize("document", [{"event": 1, "approx": 0.1}, [1, {"event": 2}]])
def test_a_file_keeps_what_it_says_when_an_answer_is_written(tmp_path: Path, document: Any) -> None:
    before = Sample(HERE, document)
    after = sample(before.with_answer({"温": 1}), tmp_path)
    assert (after.event, after.expected, after.approx) == (before.event, {"温": 1}, before.approx)


@pytest.mark.parametrize(
    ("expected", "answered", "approx"),
    [
        ({"a": 1, "b": [2]}, {"b": [2], "a": 1}, 0),
        ({"a": [1.0, 200.0]}, {"a": [1.0009, 200.1]}, 0.001),
        (0, 0.0005, 0.001),
        (None, None, 0),
        ("a\nb", "a\nb", 0),
        ([10**400, 1.5], [10**400, 1.5], 0.1),
    ],
)
def test_answers_that_are_near_enough_do_not_differ(expected: Any, answered: Any, approx: float) -> None:
    assert difference(expected, answered, approx) == []


@pytest.mark.parametrize(
    ("expected", "answered", "approx"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, 1),
        ({"a": 1}, {}, 1),
        (1, True, 5),
        ("1", 1, 5),
        ([1, 2], [1], 5),
        (200.0, 200.3, 0.001),
        (None, {}, 1),
        (10**400, 1.5, 0.1),
        ("a\nb", "a\nb\n", 0),
    ],
)
def test_answers_that_are_not_do(expected: Any, answered: Any, approx: float) -> None:
    assert difference(expected, answered, approx)


def test_only_what_differs_is_shown_with_what_stands_around_it() -> None:
    expected = {"list": list(range(100)), "x": 1.0, "y": 1}
    lines = difference(expected, {**expected, "x": 1.0001, "y": 2}, 0.001)
    assert [line for line in lines if line[0] in "+-"] == [
        "--- expected",
        "+++ answered",
        '-  "y": 1',
        '+  "y": 2',
    ]
    assert len(lines) < 9


def test_a_difference_has_an_end() -> None:
    lines = difference(list(range(100)), list(range(100, 220)), 0)
    assert len(lines) == 41 and lines[-1].startswith("… and ")


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (Reply(204, "", b""), None),
        (Reply(200, "application/json", b'{"a": 1}'), {"a": 1}),
        (Reply(200, "application/problem+json", b"[]"), []),
        (Reply(200, "text/html; charset=utf-8", "温".encode()), "温"),
        (Reply(200, "image/png", b"\xff\x00"), {"base64": "/wA="}),
    ],
)
def test_an_answer_is_what_a_sample_would_say(reply: Reply, answer: Any) -> None:
    assert answer_of(reply) == answer


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        (
            {"event": "x" * 3000, "content_type": "text/plain"},
            "jq -rj .event {0} | curl -H 'content-type: text/plain' --data-binary @- http://h/invoke/f",
        ),
        ({"event": {"a": "x" * 3000}}, "jq -cj .event {0} | curl --data-binary @- http://h/invoke/f"),
        ({"a": "x" * 3000}, "curl --data-binary @{0} http://h/invoke/f"),
        ({"a": 1}, """curl -d '{{"a": 1}}' http://h/invoke/f"""),
    ],
)
def test_a_long_event_is_shown_as_its_file(tmp_path: Path, document: object, shown: str) -> None:
    assert curl_line("http://h/invoke/f", Sample(tmp_path / "a.json", document)) == shown.format(
        tmp_path / "a.json"
    )
