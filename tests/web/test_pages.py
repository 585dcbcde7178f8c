"""The page to try the API, as a real browser has it, and the files it is made of."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from host.web.pages import FOLDER
from tests.browser import Browser, browsing
from tests.hosts import RunningHost

INDEX = "def index(event, context):\n    return {'hot': event['t'] > 100, 'said': '<b>x</b>'}\n"
LIST, INVOKE = "document.getElementById('listFunctions')", "document.getElementById('invoke')"


@pytest.fixture(scope="module")
def host(shared_host: RunningHost) -> RunningHost:
    shared_host.deploy({"index.py": INDEX}, "industry")
    return shared_host


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with browsing(tmp_path) as running:
        yield running


def test_a_browser_signs_in_finds_an_operation_by_keyboard_and_tries_it(
    host: RunningHost, browser: Browser
) -> None:
    browser.call("Page.navigate", url=f"{host.url}/api")
    browser.wait_for("document.querySelector('#operations h2')?.textContent.startsWith('Sign in')", "it asks")
    browser.run("document.querySelector('#session input').focus()")
    browser.type(host.local_token())
    browser.press("Enter")
    browser.wait_for("document.querySelectorAll('details.operation').length > 30", "operations are listed")
    assert "local" in browser.run("document.getElementById('session').innerText")
    assert browser.run("document.cookie") == "", "no script can read the session"

    browser.press("/")
    browser.type("get functions nobody")
    assert (
        browser.run("[...document.querySelectorAll('#index a')].filter(a => a.checkVisibility()).length") == 1
    )
    browser.run(f"{LIST}.open = true, {LIST}.querySelector('summary').focus()")
    browser.wait_for(f"{LIST}.querySelector('form')", "its form is there")
    browser.press("Tab")
    browser.press("Enter")
    browser.wait_for(f"{LIST}.querySelector('.status')?.textContent.startsWith('200')", "it is answered")
    assert '"name": "industry"' in browser.run(f"{LIST}.querySelector('.answer pre').textContent")

    browser.run("location.hash = 'invoke'")
    browser.wait_for(f"{INVOKE}.querySelector('form')", "the address opens an operation")
    browser.run(f"{INVOKE}.querySelector('input').focus()")
    browser.type("industry")
    browser.press("Enter")
    browser.wait_for(f"{INVOKE}.querySelector('.status')?.textContent.startsWith('200')", "it is answered")
    shown = browser.run(f"{INVOKE}.querySelector('.answer pre').textContent")
    assert shown == '{\n  "hot": true,\n  "said": "<b>x</b>"\n}'
    headers = browser.run(f"{INVOKE}.querySelector('.answer table').textContent")
    assert "x-function-revisionindustry@1" in headers
    assert browser.complaints == [f"{UNAUTHORIZED} {host.url}/api/openapi.json"]


UNAUTHORIZED = "Failed to load resource: the server responded with a status of 401 (Unauthorized)"


def test_pages_may_do_nothing_but_what_their_own_files_do_and_browsers_ask_whether_they_are_current(
    host: RunningHost,
) -> None:
    page = httpx.get(f"{host.url}/api")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policies = page.headers.get_list("content-security-policy")
    assert len(policies) == 1 and policies[0].startswith(
        "default-src 'none'; script-src 'self'; style-src 'self'"
    )
    assert not re.search(r"<script(?! type=\"module\" src=)|<style|style=|\son\w+=|https?://", page.text)
    for name in re.findall(r'"(/static/[^"]+)"', page.text):
        file = httpx.get(host.url + name)
        assert file.status_code == 200 and file.headers["cache-control"] == "no-cache"
        again = httpx.get(host.url + name, headers={"if-none-match": file.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    assert httpx.get(f"{host.url}/static/nothing.js").status_code == 404
    assert httpx.get(f"{host.url}/static/api.html").status_code == 404


def test_no_file_of_a_page_leads_elsewhere_or_makes_markup_of_text() -> None:
    for file in FOLDER.iterdir():
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text), file
        assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text), file
