"""An HTTP source on loopback that numbers its answers."""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.brokers import free_port

Reply = tuple[int, bytes]


def numbered(number: int) -> Reply:
    """A record and a newline."""
    return 200, b'{"n":%d}\n' % number


class Source:
    """Answers request number `n` (from 0) with `reply(n)`; `verbs` are those of the requests."""

    def __init__(self, reply: Callable[[int], Reply] = numbered) -> None:
        self.reply = reply
        self.verbs: list[str] = []
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/records"
        self._server: ThreadingHTTPServer | None = None
        self._thread: Thread | None = None

    def start(self) -> None:
        """Listen, on the same port each time."""
        source = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                source.verbs.append(self.command)
                status, body = source.reply(len(source.verbs) - 1)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer  # noqa: N815 - so they are called

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        """Be gone."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = self._thread = None
