"""Which pictures are taken, and how one is."""

import base64
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote

from host.console.site import NAVIGATION
from tests.browser import Browser
from tests.console.console import go
from tests.console.judging import settle
from tests.hosts import RunningHost

FUNCTION = f"/console/functions/{quote('bearing')}"
TABS = ("try", "live", "metrics", "logs", "revisions", "why", "environment")
TALLEST = 2600
SECONDS_TO_SEE, LIVE_SECONDS = 1.5, 45.0


@dataclass(frozen=True)
class Shot:
    """A page in a window of this size; a picture is as high as what is on the page, up to `TALLEST`."""

    name: str
    path: str
    width: int = 1280
    height: int = 860
    theme: str = "light"
    language: str = "en"


def shots() -> Iterator[Shot]:
    """Each page and each tab: light, dark, in Chinese, narrow, and on a wall."""
    pages = [Shot(name, "/" if name == "overview" else f"/console/{name}") for name in NAVIGATION]
    tabs = [Shot(f"function-{tab}", f"{FUNCTION}?tab={tab}") for tab in TABS]
    yield from [*pages, *tabs]
    for shot in [*pages, *tabs]:
        yield replace(shot, name=f"{shot.name}-dark", theme="dark")
        yield replace(shot, name=f"{shot.name}-zh", language="zh-CN")
        yield replace(shot, name=f"{shot.name}-320", width=320, height=700)
        yield replace(shot, name=f"{shot.name}-4k", width=3840, height=2160)


def take(browser: Browser, host: RunningHost, shot: Shot) -> bytes:
    """The picture as a PNG."""
    browser.resize(shot.width, shot.height)
    theme = {"name": "fnhost_theme", "value": shot.theme, "url": host.url, "sameSite": "Strict"}
    browser.call("Network.setCookie", **theme)
    go(browser, host, shot.path, shot.language)
    settle(browser)
    prepare(browser, shot)
    height = browser.run("document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": shot.width, "height": max(shot.height, min(height, TALLEST)), "scale": 1}
    told = browser.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
    return base64.b64decode(told["data"])


def prepare(browser: Browser, shot: Shot) -> None:
    """What a person does first, so that there is something to see; figures come each second."""
    time.sleep(LIVE_SECONDS if shot.name == "function-live" else SECONDS_TO_SEE)
    browser.wait_for(
        "[...document.querySelectorAll('.chart')].every((each) => each.querySelector('canvas'))", "drawn"
    )
