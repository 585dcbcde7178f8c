"""Functions that yield, from the caller's socket to the generator and back."""

import pytest

from tests.hosts import RunningHost, wait_until

YIELDING = """
import pathlib

def index(event, context):
    try:
        for number in range(event["count"]):
            if number == event.get("raise"):
                raise ValueError("no more")
            yield {"number": number}
    finally:
        if "closed" in event:
            pathlib.Path(event["closed"]).touch()
"""


@pytest.fixture(scope="module")
def host(shared_host: RunningHost) -> RunningHost:
    """The shared host with a function that yields."""
    done = shared_host.deploy({"index.py": YIELDING}, "yielding")
    assert done["type"] == "done", done
    return shared_host


def test_what_a_function_yields_comes_as_lines_or_as_events(host: RunningHost) -> None:
    for _ in range(3):
        answer = host.invoke("yielding", {"count": 3})
        assert answer.headers["content-type"] == "application/x-ndjson"
        assert answer.headers["transfer-encoding"] == "chunked"
        assert answer.text == '{"number": 0}\n{"number": 1}\n{"number": 2}\n'
    headers = {"accept": "text/event-stream", "content-type": "application/json"}
    answer = host.invoke("yielding", '{"count": 2, "raise": 1}', headers=headers)
    first, second = answer.text.removesuffix("\n\n").split("\n\n")
    assert first == 'data: {"number": 0}'
    assert second.startswith("event: error\ndata: {") and '"errorMessage": "no more"' in second


def test_a_function_that_raises_before_it_yields_gets_500(host: RunningHost) -> None:
    assert host.invoke("yielding", {"count": 1, "raise": 0}).status_code == 500


def test_a_generator_is_closed_when_its_caller_hangs_up(host: RunningHost) -> None:
    closed = host.state / "output" / "yielding" / "closed"
    event = {"count": 10_000_000, "closed": str(closed)}
    with host.client.stream("POST", f"{host.url}/invoke/yielding", json=event) as answer:
        assert next(answer.iter_lines()) == '{"number": 0}'
    wait_until(closed.exists, "the generator is closed")
    assert host.invoke("yielding", {"count": 1}).text == '{"number": 0}\n'
