"""The pages of invocations: the list with its filters, and one with its waterfall and a replay."""

from urllib.parse import quote

import httpx

from tests.browser import Browser
from tests.console.console import go
from tests.hosts import RunningHost

HOSTILE = "<script>document.title = 'mine'</script>"
FUNCTION = f"""
def index(event, context):
    if event["t"] > 100:
        raise ValueError("{HOSTILE} 太热")
    return {{"hot": False}}
"""


def read(host: RunningHost, path: str) -> str:
    """A page as a caller with the local token has it."""
    return httpx.get(host.url + path, headers={"authorization": f"Bearer {host.local_token()}"}).text


def fail(host: RunningHost, name: str, count: int) -> list[str]:
    """Have so many invocations fail; returns their ids."""
    return [host.invoke(name, {"t": 200 + n}).headers["x-request-id"] for n in range(count)]


def test_the_list_is_filtered_and_paged_and_shows_what_fails(shared_host: RunningHost) -> None:
    shared_host.deploy({"index.py": FUNCTION}, "hot")
    shared_host.deploy({"index.py": FUNCTION}, "other")
    ids = fail(shared_host, "hot", 52)
    fail(shared_host, "other", 1)
    page = read(shared_host, "/console/invocations?function=hot")
    assert page.count("<tr>") == 1 + 50 and "&lt;script&gt;" in page and HOSTILE not in page
    before = shared_host.client.get(f"{shared_host.url}/api/records", params={"function": "hot", "limit": 50})
    older = f"function=hot&before={before.json()['records'][-1]['number']}"
    assert f"part=more&{older}".replace("&", "&amp;") in page
    rest = read(shared_host, f"/console/invocations?part=more&{older}")
    assert rest.count("<tr>") == 2 and ids[0] in rest and "<html" not in rest
    for query in (f"text={quote('太热')}", "result=failed&since=15m", "trigger=http"):
        assert ids[-1] in read(shared_host, f"/console/invocations?part=rows&function=hot&{query}")
    for query in ("text=nothing+like+it", "result=timeout", "trigger=mqtt"):
        assert ids[-1] not in read(shared_host, f"/console/invocations?part=rows&function=hot&{query}")


def test_the_text_is_sought_in_memory_and_on_disk_alike(shared_host: RunningHost) -> None:
    shared_host.deploy({"index.py": FUNCTION}, "sought")
    (found,) = fail(shared_host, "sought", 1)
    told = {"function": "sought", "text": '"T": 200'}
    records = shared_host.client.get(f"{shared_host.url}/api/records", params=told).json()["records"]
    assert [each["id"] for each in records] == [found]
    long = shared_host.client.get(f"{shared_host.url}/api/records", params={"text": "x" * 201})
    assert long.status_code == 400


def test_new_ones_are_announced_and_one_is_replayed_beside_what_came_then(
    shared_host: RunningHost, console: Browser
) -> None:
    shared_host.deploy({"index.py": FUNCTION}, "again")
    (failed,) = fail(shared_host, "again", 1)
    go(console, shared_host, "/console/invocations?function=again")
    console.wait_for("document.getElementById('live').dataset.state === 'live'", "it is live")
    fail(shared_host, "again", 2)
    console.wait_for("document.getElementById('newer').textContent.startsWith('2 ')", "two are announced")
    console.run("document.getElementById('newer').click()")
    console.wait_for("document.querySelectorAll('#rows tbody tr').length === 3", "they are shown")
    assert console.run("document.getElementById('newer').hidden")
    shared_host.deploy({"index.py": "def index(event, context):\n    return {'t': event['t']}\n"}, "again")
    go(console, shared_host, f"/console/invocations/{failed}")
    console.wait_for("document.querySelector('.waterfall-table .span-bar.run')", "its time is shown")
    console.wait_for("document.querySelector('.run-log')", "its log is shown")
    words = console.run("document.querySelector('.waterfall-table').innerText")
    assert "Waited for an instance" in words and "Ran" in words
    console.run("document.querySelector('#replay button').click()")
    console.wait_for("document.querySelector('#replayed .now .state.good')", "it was run again")
    told = console.run("document.getElementById('replayed').innerText")
    assert "Another answer than then." in told and "again@1" in told and "again@2" in told
    assert console.run("document.title") != "mine" and console.complaints == []
