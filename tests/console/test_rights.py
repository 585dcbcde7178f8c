"""What a token may not do is not offered, and what it may not see says so."""

from urllib.parse import quote

import pytest

from host.console.site import NAVIGATION
from tests.browser import Browser
from tests.console.console import go, sign_in
from tests.console.judging import settle
from tests.hosts import RunningHost

FUNCTION = {"index.py": "def index(event, context):\n    return event\n"}
NAME = "测温"
TABS = ("try", "live", "metrics", "logs", "revisions", "why", "environment")
PLACES = [
    *("/" if name == "overview" else f"/console/{name}" for name in NAVIGATION),
    *(f"/console/functions/{quote(NAME)}?tab={tab}" for tab in TABS),
]


@pytest.fixture(scope="module")
def host(shared_host: RunningHost) -> RunningHost:
    shared_host.deploy(FUNCTION, NAME)
    shared_host.deploy(FUNCTION, "other")
    shared_host.invoke(NAME, {"t": 1})
    shared_host.invoke(NAME, b"{")
    return shared_host


HARMS = """
[...document.querySelectorAll('#remove, #publish-form, #listen, #apply, #review, .danger-text, [data-act]')]
    .map((each) => each.outerHTML)
"""
"""All that changes something, on any page."""


def signed_in(browser: Browser, host: RunningHost, *scopes: str) -> None:
    made = host.client.post(f"{host.url}/api/tokens", json={"scopes": scopes, "name": "visitor"}).json()
    sign_in(browser, host, made["token"])
    browser.complaints.clear()


def test_who_may_only_read_sees_all_and_is_offered_nothing_that_harms(
    host: RunningHost, browser: Browser
) -> None:
    signed_in(browser, host, "read")
    for place in PLACES:
        go(browser, host, place)
        settle(browser)
        assert browser.run(HARMS) == [], place
    # Nothing was asked for that it may not have.
    assert browser.complaints == []


def test_who_may_do_everything_is_offered_what_others_are_not(host: RunningHost, browser: Browser) -> None:
    sign_in(browser, host)
    for place, offered in (
        ("/console/functions", "data-act"),
        (f"/console/functions/{quote(NAME)}?tab=logs", "remove"),
        ("/console/settings", "apply"),
    ):
        go(browser, host, place)
        settle(browser)
        assert offered in "".join(browser.run(HARMS)), place


def test_who_may_only_invoke_is_told_that_pages_are_not_for_this_token(
    host: RunningHost, browser: Browser
) -> None:
    signed_in(browser, host, f"invoke:{NAME}")
    assert browser.run("document.querySelectorAll('nav.pages a[href^=\"/console\"]').length") == 0
    for language, told in (("en", "may not see this page"), ("zh-CN", "无权查看该页面")):
        go(browser, host, "/console/settings", language)
        shown = browser.run("document.querySelector('main').innerText")
        assert told in shown and f"invoke:{NAME}" in shown


def test_who_is_not_signed_in_is_asked_to_and_comes_back(host: RunningHost, browser: Browser) -> None:
    browser.call("Network.clearBrowserCookies")
    place = f"/console/functions/{quote(NAME)}?tab=logs"
    browser.call("Page.navigate", url=host.url + place)
    browser.wait_for("document.getElementById('token')", "it asks for a token")
    browser.wait_for("document.readyState === 'complete'", "it is whole")
    browser.run("document.getElementById('token').focus()")
    browser.type(host.local_token())
    browser.press("Enter")
    browser.wait_for(f"location.pathname + location.search === {place!r}", "it is where it was asked for")
