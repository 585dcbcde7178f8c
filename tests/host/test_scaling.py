"""What the load asks for reaches the instances: scaling, batches, threads, streams, callers that hang up."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.hosts import RunningHost, wait_until


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """One host for all of these tests."""
    running = RunningHost(tmp_path_factory.mktemp("host"))
    try:
        yield running.start()
    finally:
        running.close()


def deploy(host: RunningHost, name: str, code: str, manifest: str = "") -> None:
    told = host.deploy({"index.py": code, "function.yaml": manifest}, name)
    assert told["type"] == "done", told


def invoke_all(host: RunningHost, name: str, bodies: list[str]) -> list[httpx.Response]:
    """All at the same time, each over a connection of its own."""
    together = threading.Barrier(len(bodies))

    def call(body: str) -> httpx.Response:
        with httpx.Client(timeout=60) as client:
            together.wait(60)
            return client.post(f"{host.url}/invoke/{name}", content=body)

    with ThreadPoolExecutor(len(bodies)) as callers:
        return list(callers.map(call, bodies))


def test_an_idle_function_costs_no_process_and_is_there_for_the_next_event(host: RunningHost) -> None:
    code = "import os\ndef index(event, context):\n    return os.getpid()\n"
    deploy(host, "rare", code, "scale: {idle: 200ms, keep_warm: 200ms}\n")
    first = host.invoke("rare").json()
    wait_until(lambda: host.describe("rare")["temperature"] == "cold", "it is cold")
    wait_until(lambda: not any("rare" in " ".join(each.cmdline()) for each in host.processes()), "no process")
    assert host.invoke("rare").json() != first
    told = host.client.get(f"{host.url}/api/functions/rare/why").json()["decisions"]
    assert {"idle", "keep_warm", "first event"} <= {each["why"] for each in told}
    assert "1 event came while it was cold" in " ".join(each["sentence"] for each in told)


def test_fifty_callers_at_once_get_as_many_instances_as_there_may_be_and_no_error(host: RunningHost) -> None:
    code = "import os, time\ndef index(event, context):\n    time.sleep(0.1)\n    return os.getpid()\n"
    deploy(host, "spike", code, "scale: {max: 4}\n")
    answers = invoke_all(host, "spike", ["{}"] * 50)
    assert {each.status_code for each in answers} == {200}
    assert len({each.json() for each in answers}) == 4


def test_concurrent_callers_of_a_vectorised_model_share_calls_and_each_gets_its_own_answer(
    host: RunningHost,
) -> None:
    code = (
        "import time\n"
        "def index_batch(events, context):\n"
        "    time.sleep(0.05)\n"
        "    return [ValueError('odd') if event % 2 else [event, len(events)] for event in events]\n"
    )
    deploy(host, "vector", code, "batch: {max_size: 64, max_wait: 20ms}\nscale: {max: 1}\n")
    answers = invoke_all(host, "vector", [str(number) for number in range(20)])
    assert [each.status_code for each in answers] == [200, 500] * 10
    sizes = [size for number, size in (each.json() for each in answers[::2])]
    assert [each.json()[0] for each in answers[::2]] == list(range(0, 20, 2))
    assert max(sizes) > 2


def test_a_plain_function_may_run_several_events_at_a_time_in_one_instance(host: RunningHost) -> None:
    code = (
        "import os, threading\nmeeting = threading.Barrier(4)\n"
        "def index(event, context):\n    meeting.wait(30)\n    return os.getpid()\n"
    )
    deploy(host, "threads", code, "concurrency: 4\nscale: {max: 1}\n")
    answers = invoke_all(host, "threads", ["{}"] * 4)
    assert len({each.json() for each in answers}) == 1


STREAM = """
import os, time

def index(event, context):
    path = os.path.join(context.output_dir, event["mark"])
    try:
        yield {"piece": 1}
        while not os.path.exists(path + ".go"):
            time.sleep(0.01)
        if event.get("fails"):
            raise ValueError("in the middle")
        for number in range(event.get("more", 1)):
            yield {"piece": number + 2}
            time.sleep(0.01 * event.get("slow", 0))
    finally:
        open(path + ".closed", "w").close()
"""


def output(host: RunningHost, name: str) -> Path:
    return host.state / "output" / name


def test_a_generator_streams_to_http_piece_by_piece(host: RunningHost) -> None:
    deploy(host, "stream", STREAM)
    url = f"{host.url}/invoke/stream"
    with host.client.stream("POST", url, json={"mark": "a"}) as answer:
        pieces = answer.iter_lines()
        assert next(pieces) == '{"piece": 1}'
        assert answer.headers["content-type"] == "application/x-ndjson"
        assert answer.headers["transfer-encoding"] == "chunked"
        (output(host, "stream") / "a.go").touch()
        assert list(pieces) == ['{"piece": 2}']
    with host.client.stream(
        "POST", url, json={"mark": "a"}, headers={"accept": "text/event-stream"}
    ) as answer:
        assert [line for line in answer.iter_lines() if line] == ['data: {"piece": 1}', 'data: {"piece": 2}']


def test_a_stream_that_fails_in_the_middle_is_cut_so_that_the_caller_sees_it(host: RunningHost) -> None:
    deploy(host, "cut", STREAM)
    (output(host, "cut") / "b.go").touch()
    event = {"mark": "b", "fails": True}
    with (
        pytest.raises(httpx.RemoteProtocolError),
        host.client.stream("POST", f"{host.url}/invoke/cut", json=event) as answer,
    ):
        assert '{"piece": 1}' in list(answer.iter_lines())


def test_an_asynchronous_caller_gets_a_stream_as_one_body(host: RunningHost) -> None:
    deploy(host, "whole", STREAM)
    (output(host, "whole") / "d.go").touch()
    headers = {"content-type": "application/json", "x-invocation-type": "async"}
    place = host.invoke("whole", b'{"mark": "d"}', headers=headers).json()["location"]
    wait_until(lambda: host.client.get(host.url + place).json()["state"] == "done", "it has ended")
    result = host.client.get(f"{host.url}{place}/result")
    assert result.text == '{"piece": 1}\n{"piece": 2}\n'


def test_an_event_whose_caller_hangs_up_while_it_waits_is_never_run(host: RunningHost) -> None:
    code = (
        "import os, time\n"
        "def index(event, context):\n"
        "    folder = context.output_dir\n"
        "    open(os.path.join(folder, event['mark']), 'w').close()\n"
        "    while event.get('wait') and not os.path.exists(os.path.join(folder, 'go')):\n"
        "        time.sleep(0.01)\n"
    )
    deploy(host, "hangup", code, "scale: {max: 1}\n")
    folder = output(host, "hangup")
    with ThreadPoolExecutor(1) as callers:
        slow = callers.submit(host.invoke, "hangup", {"mark": "first", "wait": 1})
        wait_until(lambda: (folder / "first").exists(), "the first runs")
        with socket.create_connection((urlsplit(host.url).hostname, urlsplit(host.url).port)) as caller:
            body = b'{"mark": "second"}'
            caller.sendall(
                b"POST /invoke/hangup HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: %d\r\n\r\n%b"
                % (len(body), body)
            )
            wait_until(lambda: host.describe("hangup")["queued"] == 1, "the second waits")
        wait_until(lambda: host.describe("hangup")["queued"] == 0, "it waits no more")
        (folder / "go").touch()
        assert slow.result(60).status_code == 204
    assert host.invoke("hangup", {"mark": "third"}).status_code == 204
    assert not (folder / "second").exists()
