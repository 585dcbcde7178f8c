"""Requests that the web port itself answers, before anything else looks at them."""

import json
from dataclasses import dataclass

from runtime.events import new_id
from triggers.asgi import Send

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Refusal:
    """Why a request goes no further; `kind` names it for programs."""

    status: int
    kind: str
    title: str
    detail: str

    def body(self, request_id: str) -> bytes:
        """After RFC 9457, as for invocations."""
        told = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "requestId": request_id,
            "errorType": self.kind,
            "errorMessage": self.detail,
        }
        return json.dumps(told).encode()

    def whole(self) -> tuple[Headers, bytes]:
        """Headers and body of an answer that ends its connection: the rest of the request is not read."""
        request_id = new_id()
        body = self.body(request_id)
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", b"%d" % len(body)),
            (b"x-request-id", request_id.encode()),
            (b"connection", b"close"),
        ]
        return headers, body

    async def send(self, send: Send) -> None:
        """As the answer of an application."""
        headers, body = self.whole()
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


NO_HTTP = Refusal(400, "NoHttp", "The request is no HTTP", "what was sent cannot be read as HTTP/1.1")
LONG_URL = Refusal(414, "LongUrl", "The URL is too long", "a URL may have 8 KiB at most")
LARGE_HEAD = Refusal(
    431, "LargeHead", "The head is too large", "the headers of a request may be 100, and have 32 KiB, at most"
)
MANY_AT_ONCE = Refusal(
    400, "ManyAtOnce", "Too many requests at once", "100 requests may wait on a connection at most"
)
SLOW_HEAD = Refusal(
    408, "SlowHead", "The request took too long", "its head was not complete within `limits.header_time`"
)
SLOW_BODY = Refusal(
    408,
    "SlowBody",
    "The request took too long",
    "its body came at less than 1 KiB/s, or not within `limits.body_time`",
)
NO_HOST = Refusal(400, "NoHost", "The host is not named", "a request of HTTP/1.1 has one `Host` header")
FOREIGN_HOST = Refusal(
    403,
    "ForeignHost",
    "Not this host's name",
    "the host does not answer to the name in `Host`; `web.hosts` of its config lists those it has",
)
FOREIGN_ORIGIN = Refusal(
    403,
    "ForeignOrigin",
    "Not from this page",
    "the page that calls is of an origin that may not; `web.origins` of the config lists those that may",
)
