"""Records over the API of a real host with a real broker: listed, shown whole, run again."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.brokers import Mosquitto
from tests.hosts import RunningHost, StartHost, wait_until
from tests.mqtt.clients import device, until

FAILING = """
def index(event, context):
    if event["t"] < 0:
        raise ValueError(f"no such temperature: {event['t']}")
    return {"t": event["t"], "by": context.function_version, "kind": context.trigger.kind}
"""
STREAMING = "def index(event, context):\n    yield 'one'\n    yield 'two'\n"
BATCH = "def index_batch(events, context):\n    return [1 / each for each in events]\n"
CONFIG = "access: {invoke: token}\nrecords: {sample: 1, body: 1KiB, redact: [user.password]}\n"
RULE = """
mqtts: [{{name: b1, broker: "{url}", qos: 1}}]
rules:
- {{sub: {{name: b1, clientId: host-in, topic: in/#}}, pub: {{name: b1, clientId: host-out, topic: out}},
   functions: [mqtt]}}
funcs: [{{modelName: mqtt, retry: {{attempts: 2, backoff: 10ms}}}}]
records: {{sample: 1}}
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """A host that keeps a record of everything; each test has a function of its own."""
    running = RunningHost(tmp_path_factory.mktemp("records"), CONFIG).start()
    yield running
    running.close()


def ask(host: RunningHost, path: str = "", method: str = "GET", **query: Any) -> Any:
    answer = host.client.request(method, f"{host.url}/api/records{path}", params=query)
    return answer.json() if answer.status_code == 200 else answer


def deploy(host: RunningHost, name: str, code: str = FAILING, manifest: str = "") -> None:
    done = host.deploy({"index.py": code, "function.yaml": manifest or "{}"}, name)
    assert done["type"] == "done", done


def post(host: RunningHost, name: str, event: Any, **headers: str) -> httpx.Response:
    token = {"authorization": f"Bearer {host.local_token()}", "content-type": "application/json"}
    return host.invoke(name, json.dumps(event), headers={**token, **headers})


def invoke(host: RunningHost, name: str, event: Any, status: int = 200) -> str:
    answer = post(host, name, event)
    assert answer.status_code == status, answer.text
    return answer.headers["x-request-id"]


def test_a_failure_is_listed_shown_and_run_again_by_another_revision(host: RunningHost) -> None:
    deploy(host, "first")
    event_id = invoke(host, "first", {"t": -1}, 500)
    deploy(host, "first", FAILING.replace("< 0", "< -5"))
    (brief,) = ask(host, function="first", failed=1)["records"]
    assert (brief["id"], brief["result"], brief["revision"], brief["attempt"]) == (event_id, "raised", 1, 1)
    assert brief["error"] == {"type": "ValueError", "message": "no such temperature: -1"}
    (shown,) = ask(host, f"/{event_id}")["attempts"]
    assert (shown["input"]["body"], shown["input"]["content_type"]) == ('{"t": -1}', "application/json")
    assert 'index.py", line 4, in index' in "".join(shown["error"]["stack"])
    stages = list(shown["stages"].values())
    assert list(shown["stages"]) == ["received", "queued", "started", "ended"]
    assert stages == sorted(stages)
    assert shown["pid"] > 0
    now = ask(host, f"/{event_id}/replay", "POST")
    assert (now["result"], now["revision"], now["of"]) == ("ok", "first@2", event_id)
    assert json.loads(now["body"]) == {"t": -1, "by": "2", "kind": "http"}
    before = ask(host, f"/{event_id}/replay", "POST", on="first@1")
    assert (before["result"], before["error"]["type"], before["status"]) == ("raised", "ValueError", 500)
    assert ask(host, f"/{now['id']}")["attempts"][0]["meta"]["replay"] == event_id
    assert [each["id"] for each in ask(host, function="first", result="raised")["records"]] == [
        before["id"],
        event_id,
    ]


def test_what_is_not_kept_whole_is_not_run_again_and_says_which_setting_would_keep_it(
    host: RunningHost,
) -> None:
    deploy(host, "partial")
    long = invoke(host, "partial", {"t": 1, "more": "x" * 2000})
    secret = invoke(host, "partial", {"t": 1, "user": {"password": "hunter2", "name": "a"}})
    (cut,), (redacted,) = ask(host, f"/{long}")["attempts"], ask(host, f"/{secret}")["attempts"]
    assert cut["input"]["body"] is None
    assert json.loads(redacted["input"]["body"])["user"] == {"password": "***", "name": "a"}
    refused = ask(host, f"/{long}/replay", "POST")
    assert refused.status_code == 409
    assert "records.body" in refused.json()["detail"]
    assert "records.redact" in ask(host, f"/{secret}/replay", "POST").json()["detail"]
    assert ask(host, "/nothing/replay", "POST").status_code == 404
    assert ask(host, f"/{secret}/replay", "POST", on="partial@7").status_code in (404, 409)


def test_streams_batches_and_asynchronous_events_have_records(host: RunningHost) -> None:
    deploy(host, "streaming", STREAMING)
    deploy(host, "batch", BATCH, "batch: {max_size: 4}")
    streamed = invoke(host, "streaming", 1)
    (shown,) = wait_until(lambda: ask(host, function="streaming")["records"], "the stream has ended")
    assert shown["id"] == streamed
    assert "streamed" in ask(host, f"/{streamed}")["attempts"][0]["output"]["lost"]
    good, bad = invoke(host, "batch", 4), invoke(host, "batch", 0, 500)
    assert [each["id"] for each in ask(host, function="batch")["records"]] == [bad, good]
    assert ask(host, f"/{good}")["attempts"][0]["output"]["body"] == "0.25"
    left = post(host, "batch", 2, **{"x-invocation-type": "async"})
    later = left.json()["id"]
    wait_until(lambda: isinstance(ask(host, f"/{later}"), dict), "the asynchronous event has a record")


def test_totals_say_exactly_how_many_there_were(host: RunningHost) -> None:
    before = ask(host)["totals"]
    deploy(host, "counted")
    for t in (1, 2, -3):
        invoke(host, "counted", {"t": t}, 500 if t < 0 else 200)
    after = ask(host, limit=1)["totals"]
    assert after["ok"]["made"] - before["ok"]["made"] == 2
    assert after["raised"]["made"] - before["raised"]["made"] == 1
    assert after["ok"]["kept"] - before["ok"]["kept"] == 2


def test_what_is_asked_wrongly_is_refused(host: RunningHost) -> None:
    for query in ({"result": "bad"}, {"limit": 0}, {"before": "x"}, {"since": "nan"}, {"failed": "yes"}):
        assert ask(host, **query).status_code == 400


def test_a_token_runs_again_only_what_it_may_see_and_invoke(host: RunningHost) -> None:
    deploy(host, "guarded")
    event_id = invoke(host, "guarded", {"t": 1})
    url = f"{host.url}/api/records/{event_id}"

    def statuses(*scopes: str) -> tuple[int, int]:
        made = host.client.post(f"{host.url}/api/tokens", json={"scopes": scopes, "name": "one"}).json()
        token = {"authorization": f"Bearer {made['token']}"}
        again = host.client.post(f"{url}/replay", headers=token)
        return again.status_code, host.client.get(url, headers=token).status_code

    assert statuses("read", "invoke:guarded") == (200, 200)
    assert statuses("read", "invoke:elsewhere") == (403, 200)
    assert statuses("invoke:guarded") == (403, 403)
    audit = host.client.get(f"{host.url}/api/audit", params={"tail": 50}).json()["records"]
    told = [(each["outcome"], each["target"]) for each in audit if each["action"] == "records.replay"][-3:]
    assert told == [("ok", f"id={event_id} on=guarded"), ("403", f"id={event_id}"), ("403", f"id={event_id}")]


def test_the_way_of_a_message_ends_with_its_publication_and_acknowledgement(
    start_host: StartHost, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    host = start_host(RULE.format(url=mosquitto.url))
    deploy(host, "mqtt")

    async def scene() -> None:
        with device(mosquitto) as line:
            await line.listen("out")
            line.say("in/1", b'{"t": 1}')
            await until(lambda: len(line.heard) == 1, "it is answered")
            line.say("in/2", b'{"t": -2}')

    asyncio.run(scene())
    failed = wait_until(
        lambda: (
            (found := ask(host, failed=1)["records"])[1:] and "acknowledged" in found[0]["stages"] and found
        ),
        "it failed twice, and was acknowledged",
    )
    assert [each["attempt"] for each in failed] == [2, 1]
    assert failed[0]["id"] == failed[1]["id"]
    assert "acknowledged" not in failed[1]["stages"]
    (good,) = ask(host, result="ok")["records"]
    assert list(good["stages"]) == ["received", "queued", "started", "ended", "published", "acknowledged"]
    assert list(good["stages"].values()) == sorted(good["stages"].values())
    again = ask(host, f"/{good['id']}/replay", "POST")
    assert json.loads(again["body"]) == {"t": 1, "by": "1", "kind": "mqtt"}
