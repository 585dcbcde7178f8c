"""A file server on the loopback that can misbehave in every way that a download has to bear."""

import hashlib
import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

PIECE = b"\0" * 65536


@dataclass
class Served:
    """One path: its bytes, and how the server fails at them. Change it at any time.

    `statuses` are answered first, one by one; `cut_after` breaks each answer off after so many bytes, the
    next `cuts` times; `redirect` leads elsewhere; `endless` sends more and more; `gate` holds the body back
    until it is set; without `tag` there is no validator, without `length` no Content-Length.
    """

    content: bytes = b""
    ranges: bool = True
    tag: bool = True
    length: bool = True
    statuses: list[int] = field(default_factory=list)
    cut_after: int = 0
    cuts: int = 0
    redirect: str | None = None
    endless: bool = False
    gate: threading.Event | None = None
    asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def etag(self) -> str:
        """The validator of the content."""
        return f'"{hashlib.sha1(self.content).hexdigest()}"'


class FilesServer:
    """`files` by path; `url` is the server's address without a slash at its end."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.files: dict[str, Served] = {}
        self.closing = threading.Event()

    def add(self, path: str, content: bytes = b"", **how: Any) -> Served:
        """Serve `content` at `path`."""
        self.files[path] = Served(content, **how)
        return self.files[path]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    files: ClassVar[FilesServer]

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer as the path's entry says."""
        self.close_connection = True
        served = self.files.files.get(self.path)
        if served is None:
            return self._say(404)
        served.asked.append({name.lower(): value for name, value in self.headers.items()})
        if served.statuses:
            return self._say(served.statuses.pop(0))
        if served.redirect is not None:
            return self._say(302, {"Location": served.redirect})
        if served.endless:
            return self._send_endlessly()
        if served.tag and self.headers.get("If-None-Match") == served.etag:
            return self._say(304)
        return self._send(served)

    def _say(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self._finish_head({**(headers or {}), "Content-Length": "0"})

    def _finish_head(self, headers: dict[str, str]) -> None:
        for name, value in {**headers, "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, served: Served) -> None:
        offset = self._offset(served)
        body, headers = served.content[offset:], {"ETag": served.etag} if served.tag else {}
        if offset and not body:
            return self._say(416)
        if offset:
            headers["Content-Range"] = f"bytes {offset}-{len(served.content) - 1}/{len(served.content)}"
        if served.length:
            headers["Content-Length"] = str(len(body))
        self.send_response(206 if offset else 200)
        self._finish_head(headers)
        if served.gate is not None:
            _wait(lambda: served.gate is None or served.gate.is_set() or self.files.closing.is_set())
        if served.cuts:
            served.cuts -= 1
            body = body[: served.cut_after]
        self.wfile.write(body)
        return None

    def _offset(self, served: Served) -> int:
        asked = self.headers.get("Range")
        fits = self.headers.get("If-Range") in (None, served.etag)
        return int(asked[len("bytes=") : -1]) if asked and fits and served.ranges else 0

    def _send_endlessly(self) -> None:
        self.send_response(200)
        self._finish_head({})
        while not self.files.closing.is_set():
            self.wfile.write(PIECE)


def _wait(true: Callable[[], bool]) -> None:
    pause = threading.Event()
    while not true():
        pause.wait(0.01)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = False

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is what many tests are about."""


@contextmanager
def files_server() -> Iterator[FilesServer]:
    """A running server; its threads end with the block."""
    handler = type("Handler", (_Handler,), {})
    server = _Server(("127.0.0.1", 0), handler)
    files = FilesServer(server.server_address[1])
    handler.files = files  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield files
    finally:
        files.closing.set()
        server.shutdown()
        thread.join(10)
        server.server_close()
