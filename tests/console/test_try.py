"""The tab Try: one event, and all that came of it."""

import base64
import json
from typing import Any

import httpx

from tests.hosts import RunningHost

JSON = "application/json"
ECHO = """
def index(event, context):
    context.logger.info("seen %s" % event)
    if event == "boom":
        raise ValueError("no such line 7 号")
    headers = context.event.headers
    return {"event": event, "line": headers.get("x-line"), "cookie": headers.get("cookie")}
"""
PAGE = """
def index(event, context):
    return context.Response("<script>document.title = 'mine'</script>", 201, {"x-own": "1"}, "text/html")
"""


def try_it(host: RunningHost, name: str, content: bytes = b"{}", **options: Any) -> httpx.Response:
    """Send one event."""
    return host.client.post(f"{host.url}/api/functions/{name}/try", content=content, **options)


def test_a_try_is_told_as_data_and_a_record_of_it_is_kept(shared_host: RunningHost) -> None:
    shared_host.deploy({"index.py": ECHO}, "echo")
    headers = {"params": {"header": ["X-Line: 7", "cookie: mine"]}, "headers": {"content-type": JSON}}
    told = try_it(shared_host, "echo", b'{"t": 1}', **headers)
    said = told.json()
    assert (told.status_code, said["result"], said["status"], said["revision"]) == (200, "ok", 200, "echo@1")
    assert json.loads(said["body"]) == {"event": {"t": 1}, "line": "7", "cookie": None}
    kept = shared_host.client.get(f"{shared_host.url}/api/records/{said['id']}").json()["attempts"]
    assert [(each["result"], each["input"]["body"]) for each in kept] == [("ok", '{"t": 1}')]


def test_what_fails_is_told_with_its_stack_and_an_unknown_function_as_a_problem(
    shared_host: RunningHost,
) -> None:
    shared_host.deploy({"index.py": ECHO}, "failing")
    said = try_it(shared_host, "failing", b'"boom"').json()
    assert (said["result"], said["error"]["type"]) == ("raised", "ValueError")
    assert said["error"]["message"] == "no such line 7 号"
    assert "index.py" in "".join(said["error"]["stack"])
    assert try_it(shared_host, "failing", params={"revision": "9"}).status_code == 404
    assert try_it(shared_host, "nobody").status_code == 404


def test_a_page_of_a_function_is_text_in_the_answer_and_bytes_are_base64(shared_host: RunningHost) -> None:
    shared_host.deploy({"index.py": PAGE}, "page")
    told = try_it(shared_host, "page")
    assert told.headers["content-type"] == "application/json"
    said = told.json()
    assert (said["status"], said["body"]) == (201, "<script>document.title = 'mine'</script>")
    assert ["x-own", "1"] in said["headers"]
    shared_host.deploy({"index.py": "def index(event, context):\n    return b'\\xff\\x00'\n"}, "raw")
    said = try_it(shared_host, "raw").json()
    assert (said["encoding"], base64.b64decode(said["body"])) == ("base64", b"\xff\x00")
