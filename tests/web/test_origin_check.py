"""Names in `Host` and pages in `Origin`: who gets through, on both ways through the server."""

import pytest

from conf.address import Address
from conf.models import Config
from conf.web import Web
from host.web.origin_check import OriginCheck
from runtime.events import Answer, Event
from tests.host.fronts import Front, post, with_front
from triggers.asgi import Scope

LOOPBACK, EVERYWHERE = Address("127.0.0.1", 5888), Address("0.0.0.0", 5888)
LISTED = Web(hosts=("gateway.local", "other.local:5888"), origins=("https://console.example",))


def echo(event: Event) -> Answer:
    return Answer(event.body, revision="f@1")


def scope_of(*headers: tuple[bytes, bytes], method: str = "POST", path: str = "/invoke/f") -> Scope:
    return {"method": method, "path": path, "http_version": "1.1", "headers": list(headers)}


def status(origin_check: OriginCheck, scope: Scope) -> int:
    refusal = origin_check.refusal(scope)
    return refusal.status if refusal else 200


@pytest.mark.parametrize("path", ["/invoke/f", "/api/functions", "/livez", "/"])
@pytest.mark.parametrize(
    ("host", "web", "listen", "expected"),
    [
        (b"127.0.0.1:5888", Web(), LOOPBACK, 200),
        (b"LOCALHOST", Web(), LOOPBACK, 200),
        (b"[::1]:5888", Web(), LOOPBACK, 200),
        (b"127.8.8.8:1", Web(), LOOPBACK, 200),
        (b"evil.example", Web(), LOOPBACK, 403),
        (b"evil.example:5888", Web(), LOOPBACK, 403),
        (b"localhost.evil.example", Web(), LOOPBACK, 403),
        (b"localhost@evil.example", Web(), LOOPBACK, 403),
        (b"", Web(), LOOPBACK, 403),
        (b"10.0.0.7", Web(), LOOPBACK, 403),
        (b"gateway.local", LISTED, LOOPBACK, 200),
        (b"Gateway.Local:9", LISTED, LOOPBACK, 200),
        (b"other.local:5888", LISTED, LOOPBACK, 200),
        (b"other.local:5889", LISTED, LOOPBACK, 403),
        (b"anything.example", Web(), EVERYWHERE, 200),
        (b"anything.example", LISTED, EVERYWHERE, 403),
        (b"gateway.local", LISTED, EVERYWHERE, 200),
        (b"10.0.0.7:5888", LISTED, EVERYWHERE, 200),
    ],
)
def test_only_names_of_the_host_get_through(
    host: bytes, web: Web, listen: Address, expected: int, path: str
) -> None:
    assert status(OriginCheck(web, listen), scope_of((b"host", host), method="GET", path=path)) == expected


def test_a_request_names_one_host_unless_it_is_of_http_1_0() -> None:
    origin_check = OriginCheck(Web(), LOOPBACK)
    assert status(origin_check, scope_of()) == 400
    assert status(origin_check, scope_of((b"host", b"localhost"), (b"host", b"localhost"))) == 400
    assert status(origin_check, {**scope_of(), "http_version": "1.0"}) == 200


@pytest.mark.parametrize(
    ("origin", "method", "path", "expected"),
    [
        (b"http://localhost:5888", "POST", "/invoke/f", 200),
        (b"https://localhost:5888", "DELETE", "/api/functions/f", 200),
        (b"https://console.example", "POST", "/invoke/f", 200),
        (b"https://console.example", "DELETE", "/api/functions/f", 200),
        (b"https://console.example.evil.example", "POST", "/invoke/f", 403),
        (b"http://console.example", "POST", "/invoke/f", 403),
        (b"http://localhost", "POST", "/invoke/f", 403),
        (b"https://evil.example", "POST", "/invoke/f", 403),
        (b"https://evil.example", "GET", "/invoke/f", 403),
        (b"https://evil.example", "DELETE", "/api/functions/f", 403),
        (b"https://evil.example", "GET", "/api/functions", 200),
        (b"null", "POST", "/api/functions", 403),
    ],
)
def test_pages_of_others_change_nothing(origin: bytes, method: str, path: str, expected: int) -> None:
    headers = (b"host", b"localhost:5888"), (b"origin", origin)
    assert status(OriginCheck(LISTED, LOOPBACK), scope_of(*headers, method=method, path=path)) == expected


def test_a_head_that_is_refused_is_never_learnt_and_the_refusal_has_what_every_answer_has() -> None:
    async def scenario(front: Front) -> None:
        request = post(b"1").replace(b"localhost", b"evil.example")
        for _ in range(4):
            caller = await front.connect()
            answer = await caller.ask(request)
            assert answer.startswith(b"HTTP/1.1 403 ") and b"x-content-type-options: nosniff" in answer
            assert b"server:" not in answer and b'"errorType": "ForeignHost"' in answer
            assert await caller.rest() == b""
        assert (front.events, front.trigger.parsed) == ([], 0)

    with_front(scenario, echo)


def test_a_name_that_the_config_takes_away_is_gone_for_known_heads_too() -> None:
    async def scenario(front: Front) -> None:
        caller = await front.connect()
        request = post(b"1").replace(b"localhost", b"gateway.local")
        for _ in range(3):
            assert (await caller.ask(request)).startswith(b"HTTP/1.1 200 ")
        assert front.trigger.parsed == 2
        front.origin_check.apply(Web())
        front.heads.forget()
        assert (await caller.ask(request)).startswith(b"HTTP/1.1 403 ")

    with_front(scenario, echo, Config(web=LISTED))


def test_a_listed_page_is_asked_in_and_may_read_the_answer_and_no_other() -> None:
    async def scenario(front: Front) -> None:
        caller = await front.connect()
        page = b"Origin: https://console.example"
        question = b"Access-Control-Request-Method: POST"
        asked = post(b"", page, question).replace(b"POST /", b"OPTIONS /")
        answer = await caller.ask(asked)
        assert answer.startswith(b"HTTP/1.1 204 ")
        assert b"access-control-allow-origin: https://console.example\r\n" in answer
        assert b"access-control-allow-methods: " in answer
        for _ in range(3):
            answer = await caller.ask(post(b"1", page))
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b"access-control-allow-origin: https://console.example\r\n" in answer
            assert b"vary: Origin\r\n" in answer
        assert front.trigger.parsed == 3, "heads with an origin are not learnt"
        assert b"access-control" not in await caller.ask(post(b"1"))
        stranger = asked.replace(b"console.example", b"evil.example")
        answer = await caller.ask(stranger)
        assert answer.startswith(b"HTTP/1.1 405 ") and b"access-control" not in answer

    with_front(scenario, echo, Config(web=LISTED))
