"""What is kept of heads: what the parser read in those very bytes, and no more than there is room for."""

import asyncio

import pytest

from host.web.known_heads import MOST_BYTES, KnownHeads, cost_of
from runtime.events import Answer, Event
from triggers.asgi import Scope
from triggers.http import Checks, HttpTrigger
from triggers.invocations.wish import Wish
from triggers.store.rows import Invocation

HEAD = b"POST /invoke/f?x=1 HTTP/1.1\r\nX-Number:  7 \r\nContent-Length: 5\r\n\r\n"


def heads() -> KnownHeads:
    def dispatch(target: str, event: Event) -> "asyncio.Future[Answer]":
        raise AssertionError("nothing is dispatched")

    async def accept(target: str, event: Event, wish: Wish) -> Invocation:
        raise AssertionError("nothing is kept")

    return KnownHeads(HttpTrigger(dispatch, 1 << 20, accept, Checks()), lambda scope: True)


def scope_of(**changes: object) -> Scope:
    headers = [(b"x-number", b"7 "), (b"content-length", b"5")]
    return {
        "method": "POST",
        "path": "/invoke/f",
        "raw_path": b"/invoke/f",
        "query_string": b"x=1",
        "http_version": "1.1",
        "headers": headers,
        **changes,
    }


def learn(known: KnownHeads, head: bytes, scope: Scope) -> bool:
    """Meet it twice; whether it is known then."""
    for _ in range(2):
        assert known.find(head) is None
        known.learn(head, scope)
    return known.find(head) is not None


def test_a_head_is_known_when_it_was_met_twice() -> None:
    known = heads()
    assert learn(known, HEAD, scope_of())
    caller = known.find(HEAD)
    assert caller is not None
    assert (caller.target, caller.length) == ("f", 5)


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "PUT"},
        {"path": "/invoke/g", "raw_path": b"/invoke/g"},
        {"query_string": b""},
        {"query_string": b"x=2"},
        {"http_version": "1.0"},
        {"headers": [(b"x-number", b"7"), (b"content-length", b"6")]},
        {"headers": [(b"x-number", b"8"), (b"content-length", b"5")]},
        {"headers": [(b"content-length", b"5"), (b"x-number", b"7")]},
        {"headers": [(b"x-number", b"7"), (b"x-length", b"5")]},
        {"headers": [(b"content-length", b"5")]},
        {"headers": [(b"x-number", b"7"), (b"content-length", b"5"), (b"a", b"b")]},
    ],
    ids=str,
)
def test_what_the_parser_read_elsewhere_is_not_learned(changes: dict[str, object]) -> None:
    assert not learn(heads(), HEAD, scope_of(**changes))


def _numbered(number: int) -> tuple[bytes, Scope]:
    head = HEAD.replace(b"7", b"%d" % number)
    return head, scope_of(headers=[(b"x-number", b"%d" % number), (b"content-length", b"5")])


def test_heads_take_no_more_room_than_they_may_and_those_in_use_stay() -> None:
    known, used = heads(), _numbered(0)
    assert learn(known, *used)
    caller = known.find(used[0])
    assert caller is not None
    many = 2 * MOST_BYTES // cost_of(used[0], caller)
    for number in range(1, many):
        assert learn(known, *_numbered(number))
        assert known.find(used[0]) is not None, "it is in use all the time"
    left = [each for number in range(many) if (each := known.find(_numbered(number)[0])) is not None]
    assert many // 8 < len(left) <= many // 2
    assert known.size <= MOST_BYTES


def test_as_many_heads_as_a_site_has_devices_are_known_at_once() -> None:
    known = heads()
    for _ in range(2):
        for number in range(1500):
            known.learn(*_numbered(number))
    # Python's hashes differ from run to run: 1040 on average, with a standard deviation of some 25.
    assert sum(known.find(_numbered(number)[0]) is not None for number in range(1500)) > 800
