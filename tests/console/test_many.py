"""Fifty functions: the table and the overview show them all, live."""

from collections.abc import Iterator

import pytest

from tests.bench.planted import plant
from tests.browser import Browser
from tests.console.console import go, sign_in
from tests.console.judging import settle, too_wide
from tests.hosts import RunningHost

FUNCTION = {"index.py": "def index(event, context):\n    return event\n"}
COUNT = 50


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """With one function and fifty copies of it, of which two have been invoked."""
    running = RunningHost(tmp_path_factory.mktemp("many")).start()
    running.deploy(FUNCTION, "echo")
    running.stop()
    names = plant(running, "echo", COUNT)
    running.start()
    for name in names[:2]:
        assert running.invoke(name, {"t": 1}).status_code == 200
    yield running
    running.close()


def test_fifty_functions_are_shown_found_and_live(host: RunningHost, browser: Browser) -> None:
    sign_in(browser, host)
    browser.complaints.clear()
    go(browser, host, "/console/functions")
    settle(browser)
    assert browser.run("document.querySelectorAll('#rows tr').length") == COUNT + 1
    used = "document.querySelector('tr[data-name=echo-0001] [data-is=condition]').textContent.trim()"
    browser.wait_for(f"{used} !== 'cold'", "one that was used is hot")
    go(browser, host, "/console/functions?text=echo-004")
    browser.wait_for("document.querySelectorAll('#rows tr:not([hidden])').length === 10", "ten are found")
    go(browser, host, "/")
    settle(browser)
    browser.resize(320)
    assert too_wide(browser) == []
    browser.resize(1280)
    assert browser.complaints == []
