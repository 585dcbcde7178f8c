"""The table of all functions: live figures, sorting, filters, and what may be done from there."""

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest

from host.console.glances import Glances
from host.console.live.functions import AT_A_TIME, FunctionsSource
from tests.browser import Browser
from tests.console.console import go, sign_in
from tests.hosts import RunningHost, wait_until

CONFIG = "funcs:\n- modelName: absent\n  package: /nowhere/absent.zip\n"
SEEN = {"index.py": "def index(event, context):\n    return {'hot': event['t'] > 100}\n"}
BROKEN = {"index.py": "import no_such_module\n\ndef index(event, context):\n    return 1\n"}
NAMES = "[...document.querySelectorAll('#rows tr:not([hidden])')].map((row) => row.dataset.name)"


@pytest.fixture(scope="module")
def shared_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """A host with a function of each kind: at work, broken, and named by the config only."""
    host = RunningHost(tmp_path_factory.mktemp("functions"), CONFIG).start()
    assert host.deploy(SEEN, "测温")["type"] == "done"
    assert host.deploy(SEEN, "industry")["type"] == "done"
    assert host.deploy(BROKEN, "broken")["type"] == "error"
    yield host
    host.close()


def cell(name: str, column: str) -> str:
    """What a cell of the table says, for the browser to read."""
    return f"document.querySelector('tr[data-name={json.dumps(name)}] [data-is={column}]').textContent.trim()"


def test_the_table_shows_each_function_how_it_is_and_sorts_and_filters(
    shared_host: RunningHost, console: Browser
) -> None:
    go(console, shared_host, "/console/functions")
    console.wait_for("document.getElementById('live').dataset.state === 'live'", "it is live")
    assert console.run(NAMES)[:3] == ["absent", "broken", "industry"]
    assert console.run(f"[{cell('absent', 'condition')}, {cell('broken', 'condition')}]") == [
        "missing",
        "failed",
    ]
    assert "/nowhere/absent.zip" in console.run(cell("absent", "last_error"))
    assert "no_such_module" in console.run(cell("broken", "last_error"))
    rate = f"parseFloat({cell('industry', 'events')}) > 0"
    wait_until(lambda: shared_host.invoke("industry", {"t": 188}) and console.run(rate), "its rate is shown")
    console.wait_for("document.querySelector('tr[data-name=industry] svg.sparkline')", "its line is drawn")
    console.run("document.querySelector('th[data-column=name] button').click()")
    assert console.run(NAMES)[-1] == "absent"
    assert console.run("document.querySelector('th[aria-sort]').getAttribute('aria-sort')") == "descending"
    console.run("document.querySelector('#filter select').focus()")
    console.run("document.querySelector('#filter select').value = 'trouble'")
    console.run("document.querySelector('#filter').dispatchEvent(new Event('input'))")
    assert set(console.run(NAMES)) == {"absent", "broken"}
    assert "state=trouble" in console.run("location.search")
    go(console, shared_host, "/console/functions?text=测", "zh-CN")
    console.wait_for(f"JSON.stringify({NAMES}) === '[\"测温\"]'", "the address says what is looked for")
    assert console.complaints == []


def test_what_is_deployed_scaled_and_removed_elsewhere_or_here_is_seen(
    shared_host: RunningHost, console: Browser
) -> None:
    go(console, shared_host, "/console/functions")
    console.wait_for("document.getElementById('live').dataset.state === 'live'", "it is live")
    shared_host.deploy(SEEN, "later")
    console.wait_for("document.querySelector('tr[data-name=later] a')", "the new function has come")
    console.run("document.querySelector('[data-act=later]').click()")
    console.run("document.querySelector('dialog .stack button').click()")
    console.wait_for("document.getElementById('scale-count')", "it asks how many")
    console.run(
        "document.getElementById('scale-count').value = 1,"
        "document.getElementById('scale-count').dispatchEvent(new Event('input')),"
        "document.querySelector('dialog form').requestSubmit()"
    )
    wait_until(lambda: shared_host.describe("later")["fixed"] == 1, "the number is fixed")
    console.run("document.querySelector('[data-act=later]').click()")
    console.run("document.querySelector('dialog .danger-text').click()")
    console.wait_for("document.querySelector('dialog .danger')", "it asks first")
    console.run("document.querySelector('dialog .danger').click()")
    console.wait_for("!document.querySelector('tr[data-name=later]')", "its row is gone")
    assert shared_host.client.get(f"{shared_host.url}/api/functions/later").status_code == 404


def test_what_a_token_may_not_do_is_not_offered(shared_host: RunningHost, browser: Browser) -> None:
    scopes = {"name": "looker", "scopes": ["read", "deploy:indu*"]}
    token = shared_host.client.post(f"{shared_host.url}/api/tokens", json=scopes).json()["token"]
    sign_in(browser, shared_host, token)
    go(browser, shared_host, "/console/functions")
    assert browser.run("[...document.querySelectorAll('[data-act]')].map((each) => each.dataset.act)") == [
        "industry"
    ]
    go(browser, shared_host, "/console/functions/broken?tab=logs")
    assert browser.run("!document.getElementById('remove') && !document.getElementById('scale')")


class ManyNames:
    """As many functions as a test wants, whose looks are counted."""

    def __init__(self, count: int) -> None:
        self.all = [f"f{number:03d}" for number in range(count)]
        self.looks = 0
        self.queued = 0

    def names(self) -> list[str]:
        """Of all."""
        return self.all

    def take(self, name: str) -> dict[str, Any]:
        """One look."""
        self.looks += 1
        return {"name": name, "queued": self.queued}


def test_many_functions_are_looked_at_in_turns_and_only_what_has_changed_is_told() -> None:
    many = ManyNames(AT_A_TIME * 2 + 50)
    source = FunctionsSource(cast(Glances, many))
    told = [source.tell("") for _ in range(3)]
    assert [len(each["changed"]) for each in told] == [AT_A_TIME, AT_A_TIME, 50]
    assert [source.tell("") for _ in range(3)] == [None, None, None]
    assert many.looks == 2 * len(many.all)
    gone = many.all.pop()
    assert source.tell("") == {"changed": [], "removed": [gone]}
    assert source.begin("")["names"] == many.all
