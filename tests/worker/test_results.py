"""Events and results of every kind and size, and what functions print, through a real host."""

from typing import Any

import pytest

from tests.hosts import RunningHost, wait_until
from tests.worker.deploying import deploy, instance, wait_for_line

INDEX = """
import collections, json, logging, os, sys, time, warnings

def index(event, context):
    return globals()[event.pop("do")](event, context)

def nothing(event, context):
    return None
def text(event, context):
    return "1"
def raw(event, context):
    return b"\\x00\\xff"
def page(event, context):
    return context.Response("<p>温度</p>", 203, {"X-A": "b"}, "text/html; charset=utf-8")
def not_modified(event, context):
    return context.Response(b"ignored", 304)
def split_header(event, context):
    return context.Response("", headers={"X-A": "b\\r\\nX-C: d"})
def odd_status(event, context):
    return context.Response("", status=99)
def odd_type(event, context):
    return context.Response("", content_type=7)
def large(event, context):
    return "x" * event["size"]
def set_result(event, context):
    return {"a": [0, {1}]}
def metadata(event, context):
    return {"seen": context.event}
def trigger(event, context):
    return context.trigger
def named_tuple(event, context):
    return {"point": collections.namedtuple("Point", "x y")(1, [2])}
def many_headers(event, context):
    return context.Response("", headers={f"X-{number}": "y" * 1000 for number in range(2000)})
def leave(event, context):
    sys.exit("good bye")
def interrupt(event, context):
    raise KeyboardInterrupt
def weird(event, context):
    class Weird(Exception):
        def __str__(self):
            raise RuntimeError("no")
    raise Weird
def surrogate(event, context):
    raise ValueError("half a \\ud800 character\\0\\r\\n\\x1e and more")
def long_message(event, context):
    raise ValueError("\\x01" * 5_000_000)
def recursion(event, context):
    return recursion(event, context)
def chained(event, context):
    try:
        context.model("none.pkl")
    except Exception as error:
        raise ValueError("no model") from error
def chatter(event, context):
    for number in range(100_000):
        print(number, "x" * 94)
    return "done"
def speak(event, context):
    print("printed")
    print("to stderr", file=sys.stderr)
    logging.getLogger("deep.library").warning("logged")
    warnings.warn("warned")
    os.write(1, b"raw on 1\\n")
    os.system("echo from a shell")
    print("no end", end="")
"""


@pytest.fixture(scope="module")
def host(shared_host: RunningHost) -> RunningHost:
    """The shared host with a function that answers as it is told, one with a larger limit, and echoes."""
    deploy(shared_host, "any", INDEX, "scale: {min: 1, max: 1}\nprocesses: 2\n")
    deploy(shared_host, "large", INDEX, "max_result: 32MiB\nscale: {min: 1, max: 1}\n")
    for accepts in ("text", "bytes"):
        deploy(
            shared_host, accepts, "def index(event, context):\n    return event\n", f"accepts: {accepts}\n"
        )
    return shared_host


def failure(host: RunningHost, do: str) -> dict[str, Any]:
    """What is told of a failed invocation; the instance must outlive it."""
    before = instance(host, "any")
    response = host.invoke("any", {"do": do})
    assert response.status_code == 500, response.text
    wait_until(lambda: instance(host, "any") == before, "the instance lives")
    told: dict[str, Any] = response.json()
    return told


def test_none_is_204_without_a_body(host: RunningHost) -> None:
    response = host.invoke("any", {"do": "nothing"})
    assert (response.status_code, response.content) == (204, b"")
    assert "content-type" not in response.headers


@pytest.mark.parametrize(
    ("do", "status", "content_type", "body"),
    [
        ("text", 200, "application/json", b'"1"'),
        ("raw", 200, "application/octet-stream", b"\x00\xff"),
        ("page", 203, "text/html; charset=utf-8", "<p>温度</p>".encode()),
        ("not_modified", 304, None, b""),
        ("odd_type", 200, "7", b""),
        ("named_tuple", 200, "application/json", b'{"point": [1, [2]]}'),
    ],
)
def test_each_kind_of_result_travels_as_the_abi_says(
    host: RunningHost, do: str, status: int, content_type: str | None, body: bytes
) -> None:
    response = host.invoke("any", {"do": do})
    assert (response.status_code, response.content) == (status, body)
    assert response.headers.get("content-type") == content_type


@pytest.mark.parametrize("do", ["split_header", "odd_status"])
def test_a_response_that_http_does_not_allow_is_the_functions_error(host: RunningHost, do: str) -> None:
    assert failure(host, do)["errorType"] == "ResponseError"


def test_a_result_over_the_limit_is_an_error_that_names_the_key_to_raise(host: RunningHost) -> None:
    before = instance(host, "any")
    response = host.invoke("any", {"do": "large", "size": 20_000_000})
    assert response.status_code == 500
    assert "the result has 20000002 bytes" in response.text
    assert "`max_result` in function.yaml" in response.text
    assert instance(host, "any") == before


def test_a_result_of_20_mb_is_delivered_whole_where_the_manifest_allows_it(host: RunningHost) -> None:
    response = host.invoke("large", {"do": "large", "size": 20_000_000})
    assert response.status_code == 200
    assert response.content == b'"' + b"x" * 20_000_000 + b'"'


def test_a_result_that_json_cannot_say_is_named_by_type_and_path(host: RunningHost) -> None:
    told = failure(host, "set_result")
    assert told["errorType"] == "ResultError"
    assert told["errorMessage"].startswith("result['a'][1] is of type set, which JSON cannot say")
    for do, what in {
        "metadata": "result['seen'] is of type {}EventInfo",
        "trigger": "result is of type {}Trigger",
    }.items():
        message = failure(host, do)["errorMessage"]
        assert message.startswith(what.format("_fnhost_worker.metadata.") + ", which JSON cannot say")


def test_headers_beyond_a_frames_head_are_an_error_and_not_a_death(host: RunningHost) -> None:
    assert "headers and topics of one answer" in failure(host, "many_headers")["errorMessage"]


@pytest.mark.parametrize(("name", "body"), [("text", b'""'), ("bytes", b"")])
def test_an_event_of_no_bytes_reaches_functions_of_text_and_bytes(
    host: RunningHost, name: str, body: bytes
) -> None:
    response = host.invoke(name, b"")
    assert (response.status_code, response.content) == (200, body)


def test_an_event_of_no_bytes_is_no_json(host: RunningHost) -> None:
    assert host.invoke("any", b"").status_code == 400


@pytest.mark.parametrize(
    ("do", "kind", "message"),
    [
        ("leave", "SystemExit", "good bye"),
        ("interrupt", "KeyboardInterrupt", ""),
        ("weird", "weird.<locals>.Weird", "(its message cannot be printed)"),
        ("surrogate", "ValueError", "half a ? character\0\r\n\x1e and more"),
        ("long_message", "ValueError", "\x01" * 4000),
        ("recursion", "RecursionError", "maximum recursion depth exceeded"),
        ("chained", "ValueError", "no model"),
    ],
)
def test_whatever_a_function_raises_is_an_answer_and_its_instance_lives(
    host: RunningHost, do: str, kind: str, message: str
) -> None:
    told = failure(host, do)
    assert told["errorType"] == kind
    assert told["errorMessage"] == message
    assert "index.py" in "\n".join(told["stackTrace"])
    assert "runtime/worker" not in "\n".join(told["stackTrace"])


def test_a_function_that_prints_10_mb_is_answered_and_the_rest_is_counted(host: RunningHost) -> None:
    response = host.invoke("large", {"do": "chatter"}, headers={"x-request-id": "chatter"})
    assert response.json() == "done"
    told = wait_for_line(host, "large", lambda line: "bytes more were printed" in line["line"])
    assert (told["id"], told["level"]) == ("chatter", "warning")
    assert 8_000_000 < int(told["line"].split()[0]) < 10_000_000


def test_all_that_is_printed_or_logged_lands_in_the_log_with_the_id_where_that_is_known(
    host: RunningHost,
) -> None:
    response = host.invoke("any", {"do": "speak"}, headers={"x-request-id": "speak"})
    assert response.status_code == 204
    wait_for_line(host, "any", lambda line: line["line"] == "no end")
    said = {line["line"]: (line["level"], line["id"]) for line in host.logs("any")}
    assert said["printed"] == ("info", "speak")
    assert said["to stderr"] == ("warning", "speak")
    assert said["logged"] == ("warning", "speak")
    assert said["no end"] == ("info", "speak")
    assert said["raw on 1"] == said["from a shell"] == ("stderr", "")
    assert any("UserWarning: warned" in line and told == ("warning", "speak") for line, told in said.items())
