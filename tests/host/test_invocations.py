"""Asynchronous invocations: taken in on disk, answered later, and by no crash lost."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.cli.stub_host import Prepared, StubHost, StubServer
from tests.hosts import RunningHost, StartHost, wait_until

WORKER = """
import pathlib, time

def index(event, context):
    with open(pathlib.Path(context.output_dir) / "runs", "a") as runs:
        runs.write(str(event.get("n")) + "\\n")
    if event.get("sleep"):
        time.sleep(event["sleep"])
    if event.get("raise"):
        raise ValueError("no good: 温度")
    if event.get("teapot"):
        return context.Response("short", status=418, headers={"x-kind": "tea"}, content_type="text/plain")
    return None if event.get("nothing") else event
"""
MANIFEST = "timeout: 20s\nscale: {min: 1, max: 1}\n"
CONFIG = "funcs: [{modelName: worker, retry: {attempts: 2, backoff: 10ms}}]\ncallback_hosts: [127.0.0.1]\n"
LATER = {"x-invocation-type": "async", "content-type": "application/json"}


def begin(start_host: StartHost, env: dict[str, str] | None = None) -> RunningHost:
    host = start_host(CONFIG, env)
    deploy_worker(host)
    return host


def deploy_worker(host: RunningHost) -> None:
    done = host.deploy({"index.py": WORKER, "function.yaml": MANIFEST}, "worker")
    assert done["type"] == "done", done


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """A host for the tests that do not end it."""
    running = RunningHost(tmp_path_factory.mktemp("later"), CONFIG).start()
    deploy_worker(running)
    yield running
    running.close()


@pytest.fixture
def receiver() -> Iterator[StubHost]:
    """Who is called back."""
    with StubServer() as stub:
        yield stub


def leave(host: RunningHost, event: dict[str, Any], **headers: str) -> str:
    """Have an event taken in; returns its id."""
    answer = host.invoke(
        "worker", event, headers=LATER | {k.replace("_", "-"): v for k, v in headers.items()}
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def show(host: RunningHost, id_: str) -> dict[str, Any]:
    answer = host.client.get(f"{host.url}/api/invocations/{id_}")
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def ended(host: RunningHost, id_: str) -> dict[str, Any]:
    wait_until(lambda: show(host, id_)["finished"], f"{id_} has ended: {show(host, id_)}")
    return show(host, id_)


def called_back(host: RunningHost, id_: str, state: str) -> None:
    wait_until(lambda: show(host, id_)["callback_state"] == state, f"its callback is {state}")


def result(host: RunningHost, id_: str) -> httpx.Response:
    return host.client.get(f"{host.url}/api/invocations/{id_}/result")


def runs(host: RunningHost) -> list[str]:
    """The numbers of the events that the function began, in their order."""
    return [line for file in (host.state / "output").rglob("runs") for line in file.read_text().split()]


def test_an_event_is_taken_in_and_its_answer_fetched_later(host: RunningHost) -> None:
    answer = host.invoke("worker", {"n": 1}, headers=LATER)
    place = answer.headers["location"]
    assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
    assert place == f"/api/invocations/{answer.json()['id']}" == answer.json()["location"]
    assert "preference-applied" not in answer.headers
    shown = ended(host, answer.json()["id"])
    assert (shown["state"], shown["attempts"], shown["error"]) == ("done", 1, None)
    assert shown["created"] <= shown["finished"] < shown["expires"]
    assert (shown["result"]["body"], shown["result"]["revision"]) == ({"n": 1}, "worker@1")
    own = result(host, shown["id"])
    assert (own.status_code, own.json(), own.headers["x-request-id"]) == (200, {"n": 1}, shown["id"])
    assert own.headers["x-function-revision"] == "worker@1"


def test_a_caller_may_prefer_it_and_is_told_that_this_was_done(host: RunningHost) -> None:
    answer = host.invoke("worker", b"{}", headers={"prefer": "respond-async"})
    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "respond-async")


def test_the_functions_own_status_headers_and_type_are_kept(host: RunningHost) -> None:
    id_ = leave(host, {"teapot": True})
    shown = ended(host, id_)
    assert (shown["result"]["status"], shown["result"]["body"]) == (418, "short")
    own = result(host, id_)
    assert (own.status_code, own.text, own.headers["x-kind"]) == (418, "short", "tea")
    assert own.headers["content-type"] == "text/plain"


def test_nothing_returned_is_204(host: RunningHost) -> None:
    id_ = leave(host, {"nothing": True})
    ended(host, id_)
    assert (result(host, id_).status_code, result(host, id_).content) == (204, b"")


def test_an_unknown_function_is_told_at_once_and_nothing_is_kept(host: RunningHost) -> None:
    answer = host.invoke("nobody", b"{}", headers={**LATER, "x-request-id": "lost-1"})
    assert answer.status_code == 404
    assert host.client.get(f"{host.url}/api/invocations/lost-1").status_code == 404


def test_an_event_with_an_id_that_is_known_runs_once(host: RunningHost) -> None:
    first = leave(host, {"n": 21}, x_request_id="order-21")
    ended(host, first)
    again = host.invoke("worker", {"n": 21}, headers={**LATER, "x-request-id": "order-21"})
    assert (first, again.status_code, again.json()["state"]) == ("order-21", 202, "done")
    assert runs(host).count("21") == 1


def test_an_id_of_another_functions_event_is_refused(host: RunningHost) -> None:
    leave(host, {}, x_request_id="taken")
    answer = host.invoke("worker@1", b"{}", headers={**LATER, "x-request-id": "taken"})
    assert (answer.status_code, answer.json()["errorType"]) == (409, "TakenId")


def test_while_it_runs_the_result_is_to_come(host: RunningHost) -> None:
    id_ = leave(host, {"sleep": 1})
    answer = result(host, id_)
    assert (answer.status_code, answer.headers["retry-after"]) == (202, "1")
    wait_until(lambda: show(host, id_)["state"] == "running", "it runs")
    assert ended(host, id_)["state"] == "done"


def test_what_fails_for_good_is_told_like_any_failure_and_becomes_a_dead_letter(host: RunningHost) -> None:
    id_ = leave(host, {"raise": True, "n": 31})
    shown = ended(host, id_)
    assert (shown["state"], shown["attempts"], shown["result"]) == ("failed", 2, None)
    assert shown["error"]["errorMessage"] == "no good: 温度"
    told = result(host, id_)
    assert (told.status_code, told.headers["content-type"]) == (500, "application/problem+json")
    assert told.json()["errorType"] == "ValueError"
    letters = host.client.get(f"{host.url}/api/dead-letters", params={"function": "worker"}).json()
    (letter,) = [each for each in letters["dead_letters"] if each["event_id"] == id_]
    assert (letter["lane"], letter["attempts"]) == ("async/worker", 2)
    assert runs(host).count("31") == 2


def test_a_dead_letter_that_is_replayed_ends_in_the_same_invocation(host: RunningHost) -> None:
    id_ = leave(host, {"raise": True, "n": 41})
    ended(host, id_)
    letters = host.client.get(f"{host.url}/api/dead-letters").json()["dead_letters"]
    (seq,) = [each["seq"] for each in letters if each["event_id"] == id_]
    fixed = WORKER.replace('event.get("raise")', "False")
    host.deploy({"index.py": fixed, "function.yaml": MANIFEST}, "worker")
    try:
        assert host.client.post(f"{host.url}/api/dead-letters/{seq}/replay").status_code == 200
        wait_until(lambda: show(host, id_)["state"] == "done", "the replayed event is done")
        assert show(host, id_)["result"]["body"] == {"raise": True, "n": 41}
    finally:
        deploy_worker(host)


def test_what_waits_can_be_cancelled_and_never_runs(host: RunningHost) -> None:
    before = leave(host, {"sleep": 1})
    waiting = leave(host, {"n": 51})
    answer = host.client.delete(f"{host.url}/api/invocations/{waiting}")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    ended(host, before)
    ended(host, leave(host, {}))
    assert "51" not in runs(host)
    assert (result(host, waiting).status_code, show(host, waiting)["state"]) == (410, "cancelled")
    assert host.client.delete(f"{host.url}/api/invocations/{waiting}").status_code == 200


def test_what_runs_can_be_cancelled_and_has_no_result(host: RunningHost) -> None:
    id_ = leave(host, {"sleep": 1, "n": 52})
    wait_until(lambda: "52" in runs(host), "it runs")
    assert host.client.delete(f"{host.url}/api/invocations/{id_}").json()["attempts"] == 1
    ended(host, leave(host, {}))
    assert show(host, id_)["state"] == "cancelled"


def test_what_has_ended_cannot_be_cancelled(host: RunningHost) -> None:
    id_ = leave(host, {})
    ended(host, id_)
    answer = host.client.delete(f"{host.url}/api/invocations/{id_}")
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert show(host, id_)["state"] == "done"
    assert host.client.delete(f"{host.url}/api/invocations/none").status_code == 404


def test_the_result_is_posted_to_the_callback_until_it_is_taken(
    host: RunningHost, receiver: StubHost
) -> None:
    receiver.answers["POST /done"] = Prepared(b"", 503)
    id_ = leave(host, {"n": 61}, x_callback_url=f"{receiver.url}/done")
    wait_until(lambda: receiver.seen, "the first try")
    assert show(host, id_)["callback_state"] == "waiting"
    receiver.answers["POST /done"] = Prepared(b"")
    called_back(host, id_, "done")
    assert len(receiver.seen) >= 2
    seen = receiver.seen[-1]
    assert (seen.body, seen.headers["content-type"]) == (b'{"n": 61}', "application/json")
    assert (seen.headers["x-request-id"], seen.headers["x-invocation-state"]) == (id_, "done")
    assert (seen.headers["x-function-status"], seen.headers["x-function-revision"]) == ("200", "worker@1")


def test_a_failure_is_posted_as_a_problem(host: RunningHost, receiver: StubHost) -> None:
    receiver.answers["POST /done"] = Prepared(b"", 204)
    leave(host, {"raise": True}, x_callback_url=f"{receiver.url}/done")
    wait_until(lambda: receiver.seen, "it is posted")
    seen = receiver.seen[0]
    assert (seen.headers["x-invocation-state"], seen.headers["content-type"]) == (
        "failed", "application/problem+json",
    )  # fmt: skip


def test_a_callback_is_not_led_elsewhere_and_one_that_is_refused_is_not_repeated(
    host: RunningHost, receiver: StubHost
) -> None:
    receiver.answers["POST /moved"] = Prepared(b"", 307)
    for path in ("moved", "nowhere"):
        id_ = leave(host, {}, x_callback_url=f"{receiver.url}/{path}")
        called_back(host, id_, "failed")
    assert [seen.path for seen in receiver.seen] == ["/moved", "/nowhere"]


def test_a_callback_that_is_no_address_is_refused_before_anything_is_kept(host: RunningHost) -> None:
    headers = {**LATER, "x-callback-url": "ftp://a/", "x-request-id": "bad-callback"}
    answer = host.invoke("worker", b"{}", headers=headers)
    assert (answer.status_code, answer.json()["errorType"]) == (400, "CallbackRefused")
    assert host.client.get(f"{host.url}/api/invocations/bad-callback").status_code == 404


def test_a_callback_to_the_hosts_own_api_is_refused(host: RunningHost) -> None:
    own = host.url.replace("127.0.0.1", "localhost") + "/api/functions"
    answer = host.invoke("worker", b"{}", headers={**LATER, "x-callback-url": own})
    assert (answer.status_code, answer.json()["errorType"]) == (400, "CallbackRefused")
    assert "callback_hosts: [" in answer.json()["detail"]


def test_a_host_whose_quota_is_used_takes_nothing_in_until_there_is_room_again(start_host: StartHost) -> None:
    host = start_host(CONFIG + "limits: {delivery: 1MiB}\n")
    deploy_worker(host)
    large = leave(host, {"nothing": True, "sleep": 1, "load": "x" * 850_000})
    answer = host.invoke("worker", b"{}", headers=LATER)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "of the 1 MiB that it may" in answer.json()["detail"]
    assert host.invoke("worker", b"{}", headers={**LATER, "x-request-id": large}).status_code == 202
    assert host.invoke("worker", b"{}").status_code == 200
    ended(host, large)
    wait_until(lambda: host.invoke("worker", b"{}", headers=LATER).status_code == 202, "there is room again")


def test_events_that_were_taken_in_are_answered_after_kill_9(
    start_host: StartHost, receiver: StubHost
) -> None:
    receiver.answers["POST /done"] = Prepared(b"")
    host = begin(start_host)
    ids = [leave(host, {"n": n, "sleep": 0.1}, x_callback_url=f"{receiver.url}/done") for n in range(10)]
    cancelled = ids.pop(5)
    host.client.delete(f"{host.url}/api/invocations/{cancelled}")
    host.kill()
    host.start()
    assert [ended(host, id_)["state"] for id_ in ids] == ["done"] * 9
    assert {int(n) for n in runs(host)} == set(range(10)) - {5}
    assert show(host, cancelled)["state"] == "cancelled"
    wait_until(lambda: {seen.headers["x-request-id"] for seen in receiver.seen} >= set(ids), "all are posted")


def test_a_caller_that_was_not_told_asks_again_and_the_event_runs_once(start_host: StartHost) -> None:
    host = begin(start_host, {"FNHOST_FAILPOINT": "async.accepted"})
    headers = {**LATER, "x-request-id": "again"}
    with pytest.raises(httpx.TransportError):
        host.invoke("worker", {"n": 1}, headers=headers)
    host.process.wait(30)
    host._env.pop("FNHOST_FAILPOINT")
    host.start()
    assert host.invoke("worker", {"n": 1}, headers=headers).status_code == 202
    assert ended(host, "again")["state"] == "done"
    assert runs(host) == ["1"]


def test_an_answer_that_is_on_disk_is_posted_though_the_host_died_before(
    start_host: StartHost, receiver: StubHost
) -> None:
    receiver.answers["POST /done"] = Prepared(b"")
    host = begin(start_host, {"FNHOST_FAILPOINT": "async.answered"})
    id_ = leave(host, {"n": 1}, x_callback_url=f"{receiver.url}/done")
    host.process.wait(30)
    assert receiver.seen == []
    host._env.pop("FNHOST_FAILPOINT")
    host.start()
    called_back(host, id_, "done")
    assert (runs(host), len(receiver.seen)) == (["1"], 1)


def test_a_host_that_is_stopped_lets_what_runs_finish_and_keeps_what_waits(start_host: StartHost) -> None:
    host = begin(start_host)
    ids = [leave(host, {"n": n, "sleep": 0.5}) for n in range(3)]
    wait_until(lambda: runs(host), "one runs")
    assert host.stop() == 0
    host.start()
    assert [ended(host, id_)["state"] for id_ in ids] == ["done"] * 3
    assert runs(host) == ["0", "1", "2"]
