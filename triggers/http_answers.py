"""How an answer, or the reason why there is none, reads in HTTP."""

import json
import re
from functools import lru_cache

from runtime.events import Answer, FunctionRaisedError, InvocationError
from triggers.asgi import Send
from triggers.invocations.wish import Wish
from triggers.refusals import AccessError
from triggers.store.rows import Invocation

INVOCATIONS = "/api/invocations/"
TITLES = {
    400: "The function does not accept this input",
    401: "A token is needed",
    403: "This is not allowed",
    404: "Unknown function",
    405: "Method not allowed",
    409: "The invocation is another's, or has ended",
    413: "The event is too large",
    429: "Too many events",
    500: "The function failed",
    502: "The instance died",
    503: "The function is not available",
    504: "The deadline passed",
    507: "There is no room for the result",
}
NO_BODY = (204, 304)
LARGE = 64 * 1024
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_HEADER_NAME = re.compile(_WORD)
# Half of a surrogate pair is no character, and no encoding says it.
_HEADER_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]*")
FRAMING = {"content-length", "content-type", "transfer-encoding", "connection", "x-request-id"}
PROVENANCE = {"x-function-revision", "x-function-digest"}
# Browsers apply these to all that bears the host's name: its cookies, its stored data, its other pages.
WHOLE_ORIGIN = {
    "alt-svc",
    "clear-site-data",
    "nel",
    "report-to",
    "reporting-endpoints",
    "service-worker-allowed",
    "set-cookie",
    "strict-transport-security",
    "www-authenticate",
    "x-content-type-options",
}
OURS = frozenset(FRAMING | PROVENANCE | WHOLE_ORIGIN)
INERT = frozenset(
    {"application/json", "text/plain", "application/octet-stream", "text/event-stream", "text/csv"}
)
"""Types of which a browser makes no page. Any other is shown as a page of nobody: without scripts, forms and
cookies, unless the function says that its page may have them, which never makes it a page of the host."""
SANDBOX = b"sandbox"
POLICY = "content-security-policy"
# Without a comma: browsers take what follows one for another type.
_MEDIA_TYPE = re.compile(
    rf"""({_WORD}/{_WORD})(?:[ \t]*;[ \t]*{_WORD}=(?:{_WORD}|"[^",\\]*"))*[ \t]*""", re.ASCII
)

Headers = list[tuple[bytes, bytes]]


class HostFailedError(InvocationError):
    """Something in the host raised what is none of the reasons an event may have no answer for."""


def encode_plain(answer: Answer, request_id: str) -> bytes | None:
    """The header lines of a plain and small answer, which is sent in one write; None for any other."""
    body = answer.body
    if body is None or len(body) >= LARGE or answer.headers or answer.status != 200 or answer.stream:
        return None
    told = _told_of(answer.revision, answer.digest, answer.content_type)
    if told is None:
        return None
    size = len(body), answer.queued * 1000, answer.seconds * 1000
    # In one go: this is paid per event.
    return b"x-request-id: %b\r\n%bcontent-length: %d\r\nserver-timing: queue;dur=%.3f, run;dur=%.3f\r\n" % (
        request_id.encode(),
        told,
        *size,
    )


@lru_cache(256)
def _told_of(revision: str, digest: str, content_type: str) -> bytes | None:
    if not _HEADER_VALUE.fullmatch(content_type):
        return None
    kind = _check_content_type(content_type)
    told = b"x-function-revision: %b\r\nx-function-digest: %b\r\ncontent-type: %b\r\n" % (
        _quote(revision),
        _tell_digest(digest),
        kind,
    )
    return told if _is_inert(content_type) else b"%b%b: %b\r\n" % (told, POLICY.encode(), SANDBOX)


async def send_accepted(send: Send, invocation: Invocation, wish: Wish) -> None:
    """Answer with 202: the event is on disk, and this is where its answer will be."""
    place = INVOCATIONS + invocation.id
    told = {
        "id": invocation.id,
        "function": invocation.function,
        "state": invocation.state,
        "location": place,
    }
    body = json.dumps(told, ensure_ascii=False).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"location", place.encode()),
        (b"x-request-id", invocation.id.encode()),
    ]
    if wish.preferred:
        headers.append((b"preference-applied", b"respond-async"))
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_answer(send: Send, answer: Answer, request_id: str) -> None:
    """Answer with what the function returned."""
    status, headers, body = encode_answer(answer)
    headers.append((b"x-request-id", request_id.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def encode_answer(answer: Answer) -> tuple[int, Headers, bytes]:
    """Status, headers and body of a function's answer; raises FunctionRaisedError for one HTTP cannot say."""
    body = b"" if answer.body is None else answer.body
    status = 204 if answer.body is None else answer.status
    headers = encode_headers(answer, status)
    if status in NO_BODY:
        body = b""
    else:
        headers.append((b"content-type", _check_content_type(answer.content_type)))
        headers.append((b"content-length", b"%d" % len(body)))
    return status, headers, body


def encode_stream(answer: Answer, content_type: str) -> Headers:
    """The headers of a streamed answer; raises FunctionRaisedError as `encode_answer` does."""
    headers = encode_headers(answer, answer.status)
    return [*headers, (b"content-type", _check_content_type(content_type))]


def encode_headers(answer: Answer, status: int) -> Headers:
    """What an answer says beside its body; raises FunctionRaisedError for what HTTP cannot say."""
    told = [*encode_provenance(answer), *_check_response(answer, status)]
    if _is_inert(answer.content_type) or _confines_itself(answer):
        return told
    return [*told, (POLICY.encode(), SANDBOX)]


def encode_provenance(outcome: Answer | InvocationError) -> Headers:
    """What answered, and how long it took (Server-Timing: https://www.w3.org/TR/server-timing/).

    Empty for an event that never came to a function; of a streamed answer the end is not known yet.
    """
    if not outcome.revision:
        return []
    timing = b"queue;dur=%.3f" % (outcome.queued * 1000)
    if outcome.seconds:
        timing += b", run;dur=%.3f" % (outcome.seconds * 1000)
    told = [(b"x-function-revision", _quote(outcome.revision)), (b"server-timing", timing)]
    return [*told, (b"x-function-digest", _tell_digest(outcome.digest))] if outcome.digest else told


def _tell_digest(digest: str) -> bytes:
    return b"sha256:%b" % digest.encode()


@lru_cache(256)
def _is_inert(content_type: str) -> bool:
    found = _MEDIA_TYPE.fullmatch(content_type)
    return found is not None and found[1].lower() in INERT


def _confines_itself(answer: Answer) -> bool:
    """Whether the function's own policy has a sandbox, and leaves its page outside of the host's origin."""
    said = [value for name, value in answer.headers.items() if name.lower() == POLICY and value.isascii()]
    # A value with commas is several policies, of which browsers obey all.
    return any(_has_sandbox(policy) for value in said for policy in value.lower().split(","))


def _has_sandbox(policy: str) -> bool:
    directives = [directive.split() for directive in policy.split(";")]
    # Of several with one name browsers obey the first.
    flags = next((words[1:] for words in directives if words[:1] == [SANDBOX.decode()]), None)
    return flags is not None and "allow-same-origin" not in flags


def _check_response(answer: Answer, status: int) -> Headers:
    if not 200 <= status <= 599:
        raise _bad_response(f"status {status} is not between 200 and 599")
    checked = []
    for name, value in answer.headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise _bad_response(f"the header {name[:40]!r} has a character that HTTP does not allow")
        if name.lower() not in OURS:
            checked.append((name.lower().encode(), value.encode("utf-8")))
    return checked


def _check_content_type(content_type: str) -> bytes:
    if not _HEADER_VALUE.fullmatch(content_type):
        raise _bad_response("its content type has a character that HTTP does not allow")
    return content_type.encode("latin-1", "replace")


def _bad_response(why: str) -> FunctionRaisedError:
    return FunctionRaisedError("ResponseError", f"the Response cannot be sent: {why}", [])


def _quote(revision: str) -> bytes:
    # Header values are Latin-1; names of functions may be Chinese.
    return revision.encode("ascii", "backslashreplace")


def problem(error: InvocationError, request_id: str) -> dict[str, object]:
    """The body of an answer that is none, after RFC 9457."""
    told: dict[str, object] = {
        "type": "about:blank",
        "title": TITLES.get(error.status, "The invocation failed"),
        "status": error.status,
        "detail": str(error),
        "requestId": request_id,
        "errorType": type(error).__name__.removesuffix("Error"),
        "errorMessage": str(error),
    }
    if isinstance(error, FunctionRaisedError):
        told |= {"errorType": error.error_type, "errorMessage": error.message, "stackTrace": error.stack}
    elif isinstance(error, HostFailedError):
        told["title"] = "The host failed"
    return told


def encode_problem(error: InvocationError, request_id: str) -> bytes:
    """`problem` as JSON, in one line."""
    return json.dumps(problem(error, request_id), ensure_ascii=False).encode("utf-8", "replace")


async def send_problem(send: Send, error: InvocationError, request_id: str) -> None:
    """Answer with `application/problem+json`."""
    body = encode_problem(error, request_id)
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", request_id.encode()),
        *encode_provenance(error),
    ]
    if error.retry_after is not None:
        headers.append((b"retry-after", b"%d" % max(1, round(error.retry_after))))
    if isinstance(error, AccessError):
        headers.append((b"www-authenticate", error.challenge.encode("latin-1")))
    if error.status == 405:
        headers.append((b"allow", b"POST"))
    if error.status == 413:
        # The rest of the body is not read: this connection cannot be used again.
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
