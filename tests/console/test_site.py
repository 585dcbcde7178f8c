"""The frame of all pages: signing in, languages, what is refused, and the live feed's state."""

import subprocess
import sys

import httpx

from tests.browser import Browser
from tests.console.console import go
from tests.hosts import RunningHost

HTML = {"accept": "text/html,*/*;q=0.8"}


def test_the_root_is_a_page_for_browsers_and_the_older_programs_answer_for_others(
    shared_host: RunningHost,
) -> None:
    hello = httpx.get(f"{shared_host.url}/")
    assert hello.json() == {"code": 200, "data": "hello world!", "msg": "", "show": True}
    page = httpx.get(f"{shared_host.url}/", headers=HTML)
    assert (page.status_code, page.headers["location"]) == (303, "/console/sign-in?next=/")


def test_a_page_that_there_is_not_says_so_in_the_viewers_language(shared_host: RunningHost) -> None:
    for page in ("nothing", "functions/x/y", "nothing/industry"):
        assert httpx.get(f"{shared_host.url}/console/{page}").status_code == 404
    root = httpx.get(f"{shared_host.url}/console/")
    assert (root.status_code, root.headers["location"]) == (303, "/")
    told = httpx.get(
        f"{shared_host.url}/console/nothing", headers={"accept-language": "zh-TW,zh;q=0.9,en;q=0.8"}
    )
    assert "没有这个页面" in told.text and '<html lang="zh-CN"' in told.text


def test_pages_are_compressed_but_for_what_other_sites_make_browsers_ask_for(
    shared_host: RunningHost,
) -> None:
    url = f"{shared_host.url}/console/functions"
    mine = {"authorization": f"Bearer {shared_host.local_token()}"}
    for site, encoding in (
        ("same-origin", "gzip"),
        ("none", "gzip"),
        ("same-site", None),
        ("cross-site", None),
    ):
        told = httpx.get(url, headers={**mine, "sec-fetch-site": site, "accept-encoding": "gzip"})
        assert told.headers.get("content-encoding") == encoding
        assert told.headers["vary"] == "accept-encoding, sec-fetch-site"
        assert told.text.endswith("</html>") or told.text.endswith("</html>\n")
    plain = httpx.get(url, headers={**mine, "accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers


def test_a_tab_that_is_not_for_a_token_names_the_scope_that_it_needs(shared_host: RunningHost) -> None:
    made = shared_host.client.post(f"{shared_host.url}/api/tokens", json={"scopes": ["read"]}).json()
    bearer = {"authorization": f"Bearer {made['token']}"}
    told = httpx.get(f"{shared_host.url}/console/settings?tab=tokens", headers=bearer)
    assert told.status_code == 403 and "the scope admin;" in told.text
    assert httpx.get(f"{shared_host.url}/console/settings?tab=none", headers=bearer).status_code == 404


def test_the_overview_is_live_and_changes_its_language(shared_host: RunningHost, console: Browser) -> None:
    go(console, shared_host, "/")
    console.wait_for("document.getElementById('live').dataset.state === 'live'", "it is live")
    console.wait_for("document.querySelector('#events canvas')", "the chart is drawn")
    assert console.run("document.querySelector('h1').textContent") == "Overview"
    console.run(
        "document.getElementById('language').value = 'zh-CN',"
        "document.getElementById('language').dispatchEvent(new Event('change'))"
    )
    console.wait_for("document.querySelector('h1')?.textContent === '总览'", "it speaks Chinese")
    assert console.complaints == []


def test_the_link_of_the_command_line_signs_in_once(shared_host: RunningHost, browser: Browser) -> None:
    words = [sys.executable, "-m", "host.cli", "console", "--url", shared_host.url]
    link = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    browser.call("Network.clearBrowserCookies")
    browser.call("Page.navigate", url=link)
    browser.wait_for("location.pathname === '/' && document.body?.dataset.live === 'live'", "it is live")
    assert browser.run("document.querySelector('.who').textContent") == "local"
    browser.run("document.getElementById('sign-out').click()")
    browser.wait_for("document.getElementById('token')", "it is signed out")
    browser.call("Page.navigate", url="about:blank")
    browser.call("Page.navigate", url=link)
    browser.wait_for(
        "document.getElementById('problem')?.textContent.includes('fnhost console')", "it says why not"
    )


def test_where_a_sign_in_leads_to_is_a_page_of_this_host(shared_host: RunningHost) -> None:
    ours, others = ["/console/flow", "/"], ["//elsewhere.example", "https://elsewhere.example/console/", "x"]
    for wanted, leads in [*((each, each) for each in ours), *((each, "/") for each in others)]:
        page = httpx.get(f"{shared_host.url}/console/sign-in", params={"next": wanted})
        assert f'data-next="{leads}"' in page.text
