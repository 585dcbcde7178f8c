"""Headers of answers: what a browser may make of them."""

import pytest

from runtime.events import Answer
from tests.host.fronts import post, with_front
from tests.hosts import RunningHost


def test_every_answer_of_the_api_says_what_browsers_may_not(shared_host: RunningHost) -> None:
    for path in ("/", "/livez", "/readyz", "/api/functions", "/api/functions/none", "/nowhere"):
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
