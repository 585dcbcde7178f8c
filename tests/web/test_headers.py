"""Headers of answers: what a browser may make of them."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from conf.models import Config
from host.web.front_door import API_POLICY, FrontDoor
from runtime.events import Answer
from tests.host.fronts import Front, post, with_front
from tests.hosts import RunningHost
from triggers.asgi import Receive, Scope, Send
from triggers.http_answers import encode_headers


def test_every_answer_of_the_api_says_what_browsers_may_not(shared_host: RunningHost) -> None:
    for path in ("/livez", "/readyz", "/api/functions", "/api/functions/none", "/nowhere"):
        headers = shared_host.client.get(f"{shared_host.url}{path}").headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert "camera=()" in headers["permissions-policy"]
        assert not {"server", "strict-transport-security"} & set(headers)


OWN = {"Content-Security-Policy": "sandbox allow-scripts"}
LOOSE = {"Content-Security-Policy": "sandbox allow-scripts allow-same-origin"}
POLICY = {"Content-Security-Policy": "default-src *"}
FORGED = {"X-Content-Type-Options": "no", "Strict-Transport-Security": "max-age=0"}
NAMED = "script-src * 'unsafe-inline'; report-uri /sandbox"
SECOND = "default-src *, sandbox allow-forms"
FIRST = "sandbox allow-same-origin; sandbox"
WHOLE = {"Set-Cookie": "fnhost_session=x", "CLEAR-SITE-DATA": '"*"', "Www-Authenticate": "Basic", "NEL": "{}"}


@pytest.mark.parametrize(
    ("kind", "headers", "policies"),
    [
        ("application/json", {}, []),
        ("Text/Plain; charset=utf-8", {}, []),
        ("text/html", {}, [b"sandbox"]),
        ("image/svg+xml", {}, [b"sandbox"]),
        ("text/html", OWN, [b"sandbox allow-scripts"]),
        ("text/html", LOOSE, [b"sandbox allow-scripts allow-same-origin", b"sandbox"]),
        ("text/html", POLICY, [b"default-src *", b"sandbox"]),
        ("text/html", FORGED, [b"sandbox"]),
        ("application/json;a=b,text/html", {}, [b"sandbox"]),
        ("application/json;text/html", {}, [b"sandbox"]),
        ("text/html", {"Content-Security-Policy": NAMED}, [NAMED.encode(), b"sandbox"]),
        ("text/html", {"Content-Security-Policy": SECOND}, [SECOND.encode()]),
        ("text/html", {"Content-Security-Policy": FIRST}, [FIRST.encode(), b"sandbox"]),
    ],
)
def test_a_page_that_a_function_makes_is_never_a_page_of_the_host(
    kind: str, headers: dict[str, str], policies: list[bytes]
) -> None:
    async def scenario(front: object) -> None:
        caller = await front.connect()  # type: ignore[attr-defined]
        answers = [await caller.ask(post(b"1")) for _ in range(3)]
        assert answers == answers[:1] * 3
        lines = answers[0].split(b"\r\n")
        mark = b"content-security-policy: "
        assert [line.removeprefix(mark) for line in lines if line.startswith(mark)] == policies
        assert lines.count(b"x-content-type-options: nosniff") == 1
        assert not any(b"transport-security" in line or line[-4:] == b": no" for line in lines)

    with_front(scenario, lambda event: Answer(b"<p>", kind, 200, headers, revision="f@1"))


def test_what_browsers_apply_to_the_whole_host_is_not_a_functions_to_say() -> None:
    headers = encode_headers(Answer(b"1", headers={**WHOLE, "X-Own": "stays"}, revision="f@1"), 200)
    told = [(b"x-function-revision", b"f@1"), (b"server-timing", b"queue;dur=0.000")]
    assert headers == [*told, (b"x-own", b"stays")]


def test_a_result_that_the_api_hands_out_has_the_policy_of_the_api_beside_its_own() -> None:
    async def api(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-security-policy", b"sandbox allow-scripts")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def scenario() -> list[MutableMapping[str, Any]]:
        sent: list[MutableMapping[str, Any]] = []

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        front = Front(None, Config())
        door = FrontDoor(front.trigger, api, front.origin_check)
        scope = {"path": "/api/invocations/1/result", "method": "GET", "headers": [(b"host", b"localhost")]}
        await door({"type": "http", "http_version": "1.1", **scope}, _nothing, send)
        return sent

    (start,) = asyncio.run(scenario())
    policies = [value for name, value in start["headers"] if name == b"content-security-policy"]
    assert policies == [b"sandbox allow-scripts", API_POLICY[1]]


async def _nothing() -> MutableMapping[str, Any]:
    raise AssertionError("nobody reads the body")
