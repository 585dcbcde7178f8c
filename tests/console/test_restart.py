"""A page that stays open while the host is silent, and while it is killed and started again."""

import signal
from collections.abc import Iterator

import pytest

from tests.brokers import free_port
from tests.browser import Browser
from tests.console.console import go, sign_in
from tests.hosts import RunningHost, wait_until

FUNCTION = {"index.py": "def index(event, context):\n    return event\n"}
STATE = "document.getElementById('live').dataset.state"
TOAST = "document.getElementById('toasts').innerText"
NOTE_RATES = """
window.__rates = [];
new MutationObserver(() => window.__rates.push(document.querySelector('[data-figure=rate]').textContent))
    .observe(document.getElementById('figures'), {childList: true, subtree: true, characterData: true})
"""
MARK = "window.__stayed = true, 0"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """On a port that it keeps from start to start."""
    running = RunningHost(tmp_path_factory.mktemp("host"))
    running.listen = f"127.0.0.1:{free_port()}"
    running.start()
    running.deploy(FUNCTION, "echo")
    yield running
    running.close()


@pytest.fixture(scope="module")
def token(host: RunningHost) -> str:
    """One that outlives a restart, unlike that of the host's own user."""
    made = host.client.post(f"{host.url}/api/tokens", json={"scopes": ["read"], "name": "wall"}).json()
    text: str = made["token"]
    return text


def test_an_open_page_says_when_it_hears_nothing_any_more_and_goes_on(
    host: RunningHost, browser: Browser, token: str
) -> None:
    sign_in(browser, host, token)
    go(browser, host, "/")
    browser.run(MARK)
    browser.wait_for(f"{STATE} === 'live'", "it is live")
    host.process.send_signal(signal.SIGSTOP)
    try:
        browser.wait_for(f"{STATE} === 'stale'", "it says that it is stale")
        assert "Stale: nothing heard since" in browser.run("document.getElementById('live').textContent")
    finally:
        host.process.send_signal(signal.SIGCONT)
    browser.wait_for(f"{STATE} === 'live'", "it is live again")
    assert browser.run("window.__stayed") is True and "restarted" not in browser.run(TOAST)


def test_an_open_page_outlives_the_host_says_so_and_goes_on(
    host: RunningHost, browser: Browser, token: str
) -> None:
    sign_in(browser, host, token)
    go(browser, host, "/")
    browser.run(MARK)
    browser.wait_for(f"{STATE} === 'live'", "it is live")
    host.kill()
    browser.wait_for(f"{STATE} === 'lost'", "it says that there is no connection")
    assert "No connection since" in browser.run("document.getElementById('live').textContent")
    host.start()
    browser.wait_for(f"{STATE} === 'live'", "it is live again by itself")
    browser.wait_for(f"{TOAST}.includes('The host was restarted')", "it says that the host was restarted")
    browser.run(NOTE_RATES)

    def counts() -> bool:
        host.invoke("echo", {"t": 1})
        return bool(browser.run("window.__rates.some((text) => parseFloat(text) > 0)"))

    wait_until(counts, "the page counts events of the new host")
    assert browser.run("window.__stayed"), "it is the same page"
