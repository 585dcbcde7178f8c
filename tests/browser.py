"""A real browser without a window, driven by its DevTools protocol over a pipe."""

import base64
import getpass
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 60.0
TAKE_PIPES = """
import os, sys
orders, answers = map(os.dup, map(int, sys.argv[1:3]))
os.dup2(orders, 3)
os.dup2(answers, 4)
os.set_inheritable(3, True)
os.set_inheritable(4, True)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""A browser reads its orders from descriptor 3, and answers on 4."""


class Browser:
    """One page of a headless chromium; `complaints` has what its console says is wrong.

    Once its network is enabled, `received` are the bytes of answers that are whole, as they came over it, and
    `streamed` the bytes of all answers before they were compressed.
    """

    def __init__(self, program: str, folder: Path) -> None:
        to_browser, self._to = os.pipe()
        self._from, from_browser = os.pipe()
        words = [program, "--headless=new", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe"]
        words += [f"--user-data-dir={folder}", "--window-size=1280,900", "--disable-dev-shm-usage"]
        words += ["--no-sandbox"] if getpass.getuser() == "root" else []
        command = [
            sys.executable,
            "-c",
            TAKE_PIPES,
            str(to_browser),
            str(from_browser),
            *words,
            "about:blank",
        ]
        with (folder / "browser.log").open("wb") as log:
            self._process = subprocess.Popen(
                command, pass_fds=(to_browser, from_browser), stdout=log, stderr=log
            )
        os.close(to_browser)
        os.close(from_browser)
        self._read = b""
        self._calls = 0
        self._session: str | None = None
        self.complaints: list[str] = []
        self.received = 0
        self.streamed = 0

    def open(self) -> None:
        """Have a page to be driven."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, may_fail: bool = False, /, **params: Any) -> dict[str, Any]:
        """One command of the protocol; fails with what the browser has against it, unless it may."""
        self._calls += 1
        message: dict[str, Any] = {"id": self._calls, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            told = self._next()
            if told.get("id") == self._calls:
                assert may_fail or "error" not in told, told
                result: dict[str, Any] = told.get("result", {})
                return result
            self._note(told)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            part = os.read(self._from, 1 << 20)
            assert part, "the browser has ended"
            self._read += part
        message, _, self._read = self._read.partition(b"\0")
        told: dict[str, Any] = json.loads(message)
        return told

    def _note(self, told: dict[str, Any]) -> None:
        # What it calls verbose is advice.
        if told.get("method") == "Log.entryAdded" and told["params"]["entry"]["level"] != "verbose":
            self.complaints.append(f"{told['params']['entry']['text']} {told['params']['entry'].get('url')}")
        elif told.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(told["params"]["exceptionDetails"]))
        elif told.get("method") == "Network.loadingFinished":
            self.received += int(told["params"]["encodedDataLength"])
        elif told.get("method") == "Network.dataReceived":
            self.streamed += int(told["params"]["dataLength"])

    def run(self, script: str) -> Any:
        """What an expression of JavaScript gives, in the page."""
        told = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def wait_for(self, script: str, what: str) -> None:
        """Until an expression is true; fails saying that `what` did not happen."""
        deadline = time.monotonic() + PATIENCE
        while not self._is_true(script):
            assert time.monotonic() < deadline, f"not {what}: {self.complaints} {self._shown()}"
            time.sleep(0.02)

    def _is_true(self, script: str) -> bool:
        """Whether it is so now; while one page gives way to another, nothing is."""
        told = self.call("Runtime.evaluate", True, expression=f"!!({script})", returnByValue=True)
        return told.get("result", {}).get("value") is True

    def _shown(self) -> str:
        return str(self.run("document.body?.innerText ?? ''"))

    def press(self, key: str) -> None:
        """A key, as a person presses it."""
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        code = {"Enter": 13, "Tab": 9}.get(key, 0)
        named = {"key": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **named)
        self.call("Input.dispatchKeyEvent", type="keyUp", **named)

    def resize(self, width: int, height: int = 900) -> None:
        """A window of this size, in CSS pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def type(self, text: str) -> None:
        """Text into what has the focus."""
        self.call("Input.insertText", text=text)

    def picture(self) -> bytes:
        """A PNG of what is seen."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def close(self) -> None:
        """End it."""
        os.close(self._to)
        os.close(self._from)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)


@contextmanager
def browsing(folder: Path) -> Iterator[Browser]:
    """A browser with a profile of its own; the test is skipped where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs a chromium on the PATH: apt-get install chromium")
    browser = Browser(program, folder)
    try:
        browser.open()
        yield browser
    finally:
        browser.close()
