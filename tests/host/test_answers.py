"""What callers are answered over HTTP: the rows of the table of answers that stand by now."""

import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest

from tests.hosts import RunningHost, wait_until

ANYTHING = """
import os, signal, time

def index(event, context):
    if event.get("sleep"):
        time.sleep(event["sleep"])
    if event.get("raise"):
        raise ValueError("no good: 温度")
    if "exit" in event:
        os._exit(event["exit"])
    if event.get("kill"):
        os.kill(os.getpid(), signal.SIGSEGV)
    return context.Response("none", event["page"]) if "page" in event else event
"""

HELD = """
import os, time

def index(event, context):
    while not os.path.exists(os.path.join(context.output_dir, "go")):
        time.sleep(0.01)
    return 1
"""


@pytest.fixture(scope="module")
def host(shared_host: RunningHost) -> RunningHost:
    """The shared host with a function that does what its event says."""
    manifest = "timeout: 2s\nqueue: 3\nscale: {min: 1, max: 2}\nmax_event: 1KiB\n"
    done = shared_host.deploy({"index.py": ANYTHING, "function.yaml": manifest}, "anything")
    assert done["type"] == "done", done
    return shared_host


def assert_problem(answer: httpx.Response, status: int) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, object] = answer.json()
    assert told["status"] == status
    assert told["requestId"] == answer.headers["x-request-id"]
    return told


TIMING = re.compile(r"queue;dur=(\d+\.\d{3}), run;dur=(\d+\.\d{3})")


def assert_provenance(answer: httpx.Response, host: RunningHost) -> None:
    assert answer.headers["x-function-revision"] == "anything@1"
    digest = host.describe("anything")["revisions"][0]["sha256"]
    assert answer.headers["x-function-digest"] == f"sha256:{digest}"
    assert TIMING.fullmatch(answer.headers["server-timing"])


def test_an_event_is_answered_with_the_result_as_json_and_its_provenance(host: RunningHost) -> None:
    answer = host.invoke("anything", {"t": 1})
    assert (answer.status_code, answer.json()) == (200, {"t": 1})
    assert answer.headers["content-type"] == "application/json"
    assert_provenance(answer, host)


@pytest.mark.parametrize("event", [{"raise": True}, {"exit": 4}, {"sleep": 0.2, "page": 404}], ids=str)
def test_whatever_the_function_makes_of_it_the_answer_says_which_one_that_was(
    host: RunningHost, event: dict[str, object]
) -> None:
    assert_provenance(host.invoke("anything", event), host)


def test_the_time_that_the_function_ran_is_told_in_milliseconds(host: RunningHost) -> None:
    timing = TIMING.fullmatch(host.invoke("anything", {"sleep": 0.2}).headers["server-timing"])
    assert timing is not None
    assert 200 <= float(timing[2]) < 2000, "its deadline is 2 s"


def test_a_function_answers_by_its_revision_and_by_its_alias(host: RunningHost) -> None:
    for target in ("anything", "anything@1", "anything@live"):
        assert host.invoke(target, {"t": 1}).status_code == 200


def test_a_request_id_of_the_caller_is_kept_and_one_that_is_none_is_replaced(host: RunningHost) -> None:
    kept = host.invoke("anything", b"{}", headers={"x-request-id": "line-7.b"})
    assert kept.headers["x-request-id"] == "line-7.b"
    for odd in ("a b\tc", "-rf", ".", "x" * 65):
        replaced = host.invoke("anything", b"{}", headers={"x-request-id": odd})
        assert len(replaced.headers["x-request-id"]) == 32


def test_a_body_that_says_json_and_is_not_gets_400(host: RunningHost) -> None:
    answer = host.invoke("anything", b"{nope", headers={"content-type": "application/json"})
    assert "not JSON" in str(assert_problem(answer, 400)["detail"])


def test_an_event_of_no_bytes_gets_400_from_a_function_that_accepts_json(host: RunningHost) -> None:
    assert "empty" in str(assert_problem(host.invoke("anything", b""), 400)["detail"])


def test_an_unknown_function_revision_or_alias_gets_404_that_says_which(host: RunningHost) -> None:
    assert "nobody" in str(assert_problem(host.invoke("nobody", b"{}"), 404)["detail"])
    assert "'9'" in str(assert_problem(host.invoke("anything@9", b"{}"), 404)["detail"])
    assert "'canary'" in str(assert_problem(host.invoke("anything@canary", b"{}"), 404)["detail"])


def test_a_body_over_the_functions_limit_gets_413(host: RunningHost) -> None:
    assert "1024" in str(assert_problem(host.invoke("anything", b" " * 2000), 413)["detail"])


def test_a_body_over_the_hosts_limit_gets_413_before_it_is_sent(host: RunningHost) -> None:
    port = int(host.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        head = "POST /invoke/anything HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_body_of_unknown_length_over_the_hosts_limit_gets_413(host: RunningHost) -> None:
    chunks = (b" " * 65536 for _ in range(200))
    answer = host.client.post(f"{host.url}/invoke/anything", content=chunks)
    assert_problem(answer, 413)


def test_a_head_that_is_too_large_for_a_frame_gets_431_and_harms_no_instance(host: RunningHost) -> None:
    before = host.describe("anything")["instances_detail"]
    answer = host.invoke("anything", b"{}", headers={"x-large": "x" * 600_000})
    assert_problem(answer, 431)
    assert host.describe("anything")["instances_detail"] == before


def test_a_function_that_raised_gets_500_with_its_own_stack_only(host: RunningHost) -> None:
    told = assert_problem(host.invoke("anything", {"raise": True}), 500)
    assert (told["errorType"], told["errorMessage"]) == ("ValueError", "no good: 温度")
    stack = "\n".join(told["stackTrace"])  # type: ignore[arg-type]
    assert "index.py" in stack
    assert "runtime/worker" not in stack


@pytest.mark.parametrize("code", [0, 1, 3, 4])
def test_an_instance_that_exits_gets_502_with_its_exit_code_and_the_next_event_is_answered(
    host: RunningHost, code: int
) -> None:
    told = assert_problem(host.invoke("anything", {"exit": code}), 502)
    assert f"exit code {code}" in str(told["detail"])
    assert host.invoke("anything", {"t": 1}).status_code == 200


def test_an_instance_that_crashes_gets_502_with_the_signal(host: RunningHost) -> None:
    told = assert_problem(host.invoke("anything", {"kill": True}), 502)
    assert "SIGSEGV" in str(told["detail"])


def test_an_event_that_runs_too_long_gets_504_and_the_function_goes_on(host: RunningHost) -> None:
    told = assert_problem(host.invoke("anything", {"sleep": 60}), 504)
    assert "2 s" in str(told["detail"])
    assert host.invoke("anything", {"t": 1}).status_code == 200
    lines = [line["line"] for line in host.logs("anything")]
    assert any("index.py" in line and "in index" in line for line in lines), "the log shows where it was"


def test_a_full_queue_gets_429_with_retry_after(host: RunningHost) -> None:
    host.deploy({"index.py": HELD, "function.yaml": "queue: 3\nscale: {max: 1}\n"}, "held")
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(host.invoke, "held", b"{}") for _ in range(4)]
        wait_until(lambda: host.describe("held")["queued"] == 3, "one runs and three wait")
        refused = host.invoke("held", b"{}")
        (host.state / "output" / "held" / "go").touch()
        assert [each.result().status_code for each in waiting] == [200] * 4
    assert_problem(refused, 429)
    assert int(refused.headers["retry-after"]) >= 1


def test_get_is_refused_with_405_and_what_is_allowed(host: RunningHost) -> None:
    answer = host.client.get(f"{host.url}/invoke/anything")
    assert_problem(answer, 405)
    assert answer.headers["allow"] == "POST"


def test_a_function_that_can_no_longer_start_gets_503_with_retry_after(host: RunningHost) -> None:
    index = """
import context_flag
def index(event, context):
    return 1
"""
    # It starts once, while the flag is there; then its own file takes the flag away.
    flag = host.folder / "flag"
    flag.touch()
    module = f"import pathlib\nassert pathlib.Path({str(flag)!r}).exists(), 'the flag is gone'\n"
    assert host.deploy({"index.py": index, "context_flag.py": module}, "fickle")["type"] == "done"
    assert host.invoke("fickle", b"{}").status_code == 200
    flag.unlink()
    instance = psutil.Process(host.describe("fickle")["instances_detail"][0]["pid"])
    psutil.Process(instance.ppid()).kill()
    answer = wait_until(
        lambda: found if (found := host.invoke("fickle", b"{}")).status_code == 503 else None, "it gives up"
    )
    assert "the flag is gone" in str(assert_problem(answer, 503)["detail"])
    assert int(answer.headers["retry-after"]) >= 1
    flag.touch()
    wait_until(lambda: host.invoke("fickle", b"{}").status_code == 200, "it comes back by itself")


def test_a_caller_whose_instance_is_killed_gets_502_and_no_other_notices(host: RunningHost) -> None:
    # An event that has not begun when its instance dies goes to another: so each says that it has.
    slow = (
        "import os, pathlib, time\n"
        "def index(event, context):\n"
        "    pathlib.Path(context.output_dir, str(os.getpid())).touch()\n"
        "    time.sleep(1)\n"
        "    return event\n"
    )
    begun = host.state / "output" / "slow"
    manifest = "scale: {min: 3, max: 3}\n"
    assert host.deploy({"index.py": slow, "function.yaml": manifest}, "slow")["type"] == "done"
    wait_until(lambda: host.describe("slow")["instances"] == 3, "three instances")
    results: dict[int, int] = {}

    def call(number: int) -> None:
        results[number] = host.invoke("slow", {"number": number}).status_code

    callers = [threading.Thread(target=call, args=(number,)) for number in range(6)]
    for caller in callers:
        caller.start()
    instances = wait_until(lambda: sorted(begun.iterdir()), "an instance has begun")
    psutil.Process(int(instances[0].name)).kill()
    for caller in callers:
        caller.join(60)
    assert sorted(results.values()) == [200] * 5 + [502]
