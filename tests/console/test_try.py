"""The tab Try: one event, and all that came of it."""

import ast
import asyncio
import base64
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from host.saved_events import FILE, MOST_EACH, SavedEvent, SavedEventError, SavedEvents
from tests.browser import Browser
from tests.console.console import go
from tests.hosts import RunningHost, StartHost

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


def test_saved_events_are_shared_bounded_and_stand_beside_the_packages_samples(
    shared_host: RunningHost,
) -> None:
    samples = {"samples/夜班.json": '{"event": {"t": 9}}', "samples/broken.json": "{"}
    shared_host.deploy({"index.py": ECHO, **samples}, "kept")
    path, client = f"{shared_host.url}/api/functions/kept/saved-events", shared_host.client
    event = {"body": "'{\"t\": 1}'", "content_type": "text/plain", "headers": ["x-line: 7"]}
    assert client.put(f"{path}?event=三号 line", json=event).status_code == 200
    told = client.get(path).json()
    assert [each["name"] for each in told["samples"]] == ["夜班"]
    (saved,) = told["saved"]
    assert {name: saved[name] for name in ("name", *event)} == {"name": "三号 line", **event}
    assert client.put(f"{path}?event=large", json={"body": "x" * 70_000}).status_code == 413
    assert client.put(f"{path}?event=60 KiB, 3/7", json={"body": '"' * 61_440}).status_code == 200
    assert client.delete(f"{path}?event=60 KiB, 3/7").status_code == 200
    assert client.put(f"{path}?event=half", content=b'{"body": "\\ud800"}').status_code == 200
    assert client.put(f"{path}?event={'x' * 81}", json={}).status_code == 400
    for name in ("", ".", "..", "%07"):
        assert client.put(f"{path}?event={name}", json={}).status_code == 400
        assert client.delete(f"{path}?event={name}").status_code == 404
    for wrong in ({"body": 1}, {"headers": "x"}, {"encoding": "rot13"}):
        assert client.put(f"{path}?event=wrong", json=wrong).status_code == 400
    assert client.delete(f"{path}?event=三号 line").status_code == 200
    assert client.delete(f"{path}?event=三号 line").status_code == 404
    client.delete(f"{shared_host.url}/api/functions/kept")
    shared_host.deploy({"index.py": ECHO}, "kept")
    assert client.get(path).json()["saved"] == []


def test_trying_takes_the_right_to_invoke_that_function(start_host: StartHost) -> None:
    host = start_host("access: {invoke: token}\n")
    host.deploy({"index.py": ECHO}, "mine")
    scopes = {"name": "other", "scopes": ["read", "invoke:other"]}
    token = host.client.post(f"{host.url}/api/tokens", json=scopes).json()["token"]
    headers = {"authorization": f"Bearer {token}"}
    assert try_it(host, "mine", headers=headers).status_code == 403
    path = f"{host.url}/api/functions/mine/saved-events"
    assert httpx.get(path, headers=headers).status_code == 200
    assert httpx.put(f"{path}?event=x", headers=headers, json={}).status_code == 403
    assert httpx.delete(f"{path}?event=x", headers=headers).status_code == 403
    page = httpx.get(f"{host.url}/console/functions/mine", headers=headers).text
    assert "tab=try" not in page and "tab=live" in page


def test_saved_events_survive_a_restart_and_have_bounds(tmp_path: Path) -> None:
    async def scenario() -> None:
        saved = SavedEvents(tmp_path)
        for number in range(MOST_EACH):
            await saved.save("echo", SavedEvent(f"{number:03}", "{}"))
        with pytest.raises(SavedEventError, match="delete one first"):
            await saved.save("echo", SavedEvent("more", "{}"))
        await saved.save("echo", SavedEvent("000", "[]"))
        again = await SavedEvents(tmp_path).of("echo")
        assert (len(again), again[0]) == (MOST_EACH, SavedEvent("000", "[]"))
        (tmp_path / FILE).write_text("[")
        assert await SavedEvents(tmp_path).of("echo") == []

    asyncio.run(scenario())


def test_an_event_is_tried_in_the_browser_saved_and_copied(
    shared_host: RunningHost, console: Browser
) -> None:
    shared_host.deploy({"index.py": ECHO}, "shown")
    go(console, shared_host, "/console/functions/shown?tab=try")
    console.wait_for("document.getElementById('body').value === '{}'", "an event is proposed")
    console.run("document.getElementById('body').focus(), document.getElementById('body').select()")
    console.type(json.dumps({"名": "<script>'a'</script>"}, ensure_ascii=False))
    console.run(
        "document.getElementById('body').dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'Enter', ctrlKey: true, bubbles: true, cancelable: true}))"
    )
    console.wait_for("document.querySelector('#answer .state.good')", "it has an answer")
    console.wait_for("document.querySelector('.waterfall-table .span-bar.run')", "its time is shown")
    console.wait_for("document.querySelector('.run-log')?.textContent.includes('seen')", "its log is shown")
    answer = console.run("document.querySelector('#answer .json').textContent")
    assert "<script>'a'</script>" in answer
    console.run(
        "document.getElementById('save-name').value = '夜班', document.getElementById('save').click()"
    )
    console.wait_for(
        "document.querySelector('#events option:checked')?.textContent === '夜班'", "it is saved"
    )
    console.run(
        "document.getElementById('body').value = '{\"n\":[12345678901234567890,1.0,{}]}',"
        " document.getElementById('format').click()"
    )
    lines = ["{", '  "n": [', "    12345678901234567890,", "    1.0,", "    {}", "  ]", "}"]
    assert console.run("document.getElementById('body').value").split("\n") == lines
    console.run("document.getElementById('send').click()")
    number = "document.querySelector('#answer .json')?.textContent.includes('12345678901234567890')"
    console.wait_for(number, "the answer's numbers are as they were written")
    go(console, shared_host, "/console/functions/shown?tab=try", "zh-CN")
    console.wait_for("document.getElementById('body').value.includes('1.0')", "the draft is there again")
    assert console.run("document.getElementById('send').textContent") == "发送"
    assert console.complaints == []


FORMED = """
accepts: json
input:
  type: object
  required: [t]
  properties:
    t: {type: number, description: "<b>Temperature</b> in °C."}
    line: {enum: [甲, 乙]}
"""


def test_an_event_is_written_in_the_form_that_the_manifest_declares(
    shared_host: RunningHost, console: Browser
) -> None:
    shared_host.deploy({"index.py": ECHO}, "formed")
    shared_host.deploy({"index.py": ECHO, "function.yaml": FORMED}, "formed")
    place = f"{shared_host.url}/api/functions/formed/revisions"
    told = shared_host.client.get(f"{place}/2/environment").json()
    assert told["input"]["required"] == ["t"] and "input" not in told["manifest"]
    assert shared_host.client.get(f"{place}/1/environment").json()["input"] is None
    go(console, shared_host, "/console/functions/formed?tab=try")
    console.wait_for("document.querySelector('#body-form input[type=number]')", "the form is drawn")
    assert console.run("document.getElementById('body').hidden")
    assert "<b>Temperature</b>" in console.run("document.getElementById('body-form').textContent")
    console.run("document.querySelector('#body-form input[type=number]').focus()")
    console.type("21.5")
    console.run("document.getElementById('send').click()")
    console.wait_for("document.querySelector('#answer .json')?.textContent.includes('21.5')", "it is sent")
    console.run("document.getElementById('as-json').click()")
    assert json.loads(console.run("document.getElementById('body').value")) == {"t": 21.5}
    assert not console.run("document.getElementById('body').hidden")
    write = (
        "(text) => { const body = document.getElementById('body'); body.value = text;"
        " body.dispatchEvent(new Event('input', {bubbles: true}));"
        " document.getElementById('as-form').click(); }"
    )
    console.run(f"({write})('[1]')")
    shown = (
        "[...document.querySelectorAll('#misfit, #body, #body-form')]"
        ".filter((each) => !each.hidden).map((each) => each.id)"
    )
    assert console.run(shown) == ["misfit", "body"]
    console.run(f'({write})(\'{{"t": 7, "more": 1}}\')')
    assert console.run(shown) == ["body-form"]
    assert console.run("document.querySelector('#body-form input[type=number]').value") == "7"
    choose = "const box = document.getElementById('target'); box.value = '1';"
    console.run(f"(() => {{ {choose} box.dispatchEvent(new Event('change', {{bubbles: true}})); }})()")
    console.wait_for("document.getElementById('views').hidden", "the first revision declares none")
    assert console.run(shown) == ["body"]
    go(console, shared_host, "/console/functions/formed?tab=environment&revision=2")
    assert "Temperature" in console.run("document.getElementById('input-schema').textContent")
    assert console.complaints == []


def test_commands_are_quoted_so_that_a_shell_changes_nothing(
    shared_host: RunningHost, console: Browser
) -> None:
    go(console, shared_host, "/console/sign-in")
    body = '{"名": "it\'s $HOME `id` \\\\ !"}\n\n'
    way = {"host": "127.0.0.1", "port": 1883, "qos": 1}
    made = console.run(
        "import('/static/js/shell_words.js').then(({curlCommand, mosquittoCommand}) => ["
        "curlCommand({url: 'http://x/invoke/%E5%90%8D', contentType: '', headers: ['x: $(id)'],"
        f" body: {json.dumps(body)}}}),"
        f'mosquittoCommand({{way: {json.dumps(way)}, topic: "车间/it\'s", body: {json.dumps(body)}}}),'
        "curlCommand({url: 'http://x/', contentType: 'a/b', headers: [], body: '/wA=', isBase64: true})])"
    )
    curl, mosquitto, raw = (_words(each) for each in made)
    assert curl == [
        *("-X", "POST", "http://x/invoke/%E5%90%8D", "-H", "content-type:"),
        *("-H", "x: $(id)", "--data-raw", body),
    ]
    assert mosquitto == ["-h", "127.0.0.1", "-p", "1883", "-q", "1", "-t", "车间/it's", "-m", body]
    assert raw == [*("-X", "POST", "http://x/", "-H", "content-type: a/b"), "--data-binary", "@-", "\xff\0"]


def _words(command: str) -> list[str]:
    """What the program is given by a shell, and what it reads if that is piped to it."""
    python = "import sys; read = sys.argv[-1] == '@-' and [sys.stdin.buffer.read().decode('latin-1')] or []\n"
    python += "print(ascii(sys.argv[1:] + read))"
    told = f'show() {{ {shlex.quote(sys.executable)} -c {shlex.quote(python)} "$@"; }}\n'
    script = told + command.replace("curl ", "show ", 1).replace("mosquitto_pub ", "show ", 1)
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, timeout=60)
    words: list[str] = ast.literal_eval(done.stdout)
    return words
