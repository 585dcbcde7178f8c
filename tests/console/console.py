"""What tests of the console do again and again in a browser."""

import json

from tests.browser import Browser
from tests.hosts import RunningHost


def sign_in(browser: Browser, host: RunningHost, token: str = "") -> None:
    """Have a session of this token, or of the local one, on the overview."""
    browser.call("Network.clearBrowserCookies")
    browser.call("Page.navigate", url=f"{host.url}/console/sign-in")
    browser.wait_for(
        "document.getElementById('token') && document.readyState === 'complete'", "it asks for a token"
    )
    browser.run("document.getElementById('token').focus()")
    browser.type(token or host.local_token())
    browser.press("Enter")
    browser.wait_for("location.pathname === '/'", "the overview is there")


def go(browser: Browser, host: RunningHost, path: str, language: str = "en") -> None:
    """Open a page in this language, and wait until its scripts have begun."""
    cookie = {"name": "fnhost_language", "value": language, "url": host.url, "sameSite": "Strict"}
    browser.call("Network.setCookie", **cookie)
    browser.call("Page.navigate", url=host.url + path)
    ready = f"location.href.startsWith({json.dumps(host.url)}) && document.readyState === 'complete'"
    browser.wait_for(ready, f"{path} is there")
