"""How many connections there may be, and who goes when there are more."""

import contextlib
import socket

import pytest

from conf.limits import Limits
from conf.models import Config
from host.web.bounds import Bounds, bounds_of
from host.web.crowd import Crowd
from runtime.events import Answer, Event
from tests.host.fronts import Front, post, until, with_front


def echo(event: Event) -> Answer:
    return Answer(event.body, revision="f@1")


class Stub:
    """One connection, without a socket."""

    def __init__(self, peer: str, idle_since: float = 0.0, idle: bool = True, in_head: bool = False) -> None:
        self.peer = peer
        self.in_head = in_head
        self.idle_since = idle_since
        self.idle = idle
        self.gone = False

    def is_idle(self) -> bool:
        return self.idle

    def is_in_head(self) -> bool:
        return self.in_head

    def look(self, now: float) -> None:
        self.looked_at = now

    def hang_up(self) -> None:
        self.gone = True


def crowd_of(connections: int = 4, per_peer: int = 2) -> Crowd:
    return Crowd(Bounds(connections, per_peer, 1.0, 1.0, 1.0), lambda: 0.0)


def test_who_was_idle_longest_makes_room_for_a_newcomer() -> None:
    crowd = crowd_of()
    members = [Stub("127.0.0.1", idle_since) for idle_since in (3.0, 1.0, 2.0, 4.0)]
    for member in members:
        crowd.enter(member)
    newcomers = [Stub("127.0.0.1", 9.0) for _ in range(2)]
    for newcomer in newcomers:
        crowd.enter(newcomer)
    assert [member.gone for member in (*members, *newcomers)] == [False, True, True, False, False, False]
    assert len(crowd.members) == 4


def test_who_works_stays_and_a_newcomer_goes_where_all_work() -> None:
    crowd = crowd_of()
    members = [Stub("127.0.0.1", idle=False) for _ in range(4)]
    for member in members:
        crowd.enter(member)
    newcomer = Stub("127.0.0.1")
    crowd.enter(newcomer)
    assert newcomer.gone and not any(member.gone for member in members)


def test_who_has_sent_a_part_of_a_head_makes_room_where_nobody_is_idle() -> None:
    crowd = crowd_of()
    members = [Stub("127.0.0.1", since, idle=False, in_head=True) for since in (2.0, 1.0)]
    members += [Stub("127.0.0.1", 9.0), Stub("127.0.0.1", 0.0, idle=False)]
    for member in members:
        crowd.enter(member)
    newcomers = [Stub("127.0.0.1", 9.0, idle=False) for _ in range(4)]
    for newcomer in newcomers:
        crowd.enter(newcomer)
    assert [member.gone for member in members] == [True, True, True, False]
    assert [newcomer.gone for newcomer in newcomers] == [False, False, False, True]


def test_who_was_found_idle_and_works_again_stays() -> None:
    crowd = crowd_of()
    members = [Stub("127.0.0.1", idle_since) for idle_since in (1.0, 2.0, 3.0, 4.0)]
    for member in members:
        crowd.enter(member)
    crowd.enter(Stub("127.0.0.1", 9.0))
    members[1].idle = False
    crowd.enter(Stub("127.0.0.1", 9.0))
    assert [member.gone for member in members] == [True, False, True, False]


@pytest.mark.parametrize(
    ("peers", "gone"),
    [
        (["10.0.0.1"] * 3, [False, False, True]),
        (["10.0.0.1", "10.0.0.2", "10.0.0.1"], [False] * 3),
        (["127.0.0.1"] * 3, [False] * 3),
        (["2001:db8::1", "2001:db8::2", "2001:db8::3"], [False, False, True]),
        (["2001:db8::1", "2001:db8::2", "2001:db8:0:1::3"], [False] * 3),
        (["::ffff:10.0.0.1", "10.0.0.1", "::ffff:10.0.0.1"], [False, False, True]),
        (["::1", "::ffff:127.0.0.1"] * 2, [False] * 4),
    ],
)
def test_one_address_has_so_many_connections_beyond_loopback(peers: list[str], gone: list[bool]) -> None:
    crowd = crowd_of()
    members = [Stub(peer) for peer in peers]
    for member in members:
        crowd.enter(member)
    assert [member.gone for member in members] == gone


def test_who_has_left_is_counted_no_more() -> None:
    crowd = crowd_of()
    for _ in range(10):
        member = Stub("10.0.0.1")
        crowd.enter(member)
        assert not member.gone
        crowd.leave(member)
    assert not crowd.members


def test_descriptors_bound_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda which: (1024, 1024))
    assert bounds_of(Limits()).connections == 512
    monkeypatch.setattr("resource.getrlimit", lambda which: (1 << 20, 1 << 20))
    assert bounds_of(Limits()).connections == 4096


@pytest.mark.parametrize("sent", [b"", b"G"], ids=["nothing", "a byte"])
def test_a_newcomer_is_answered_while_callers_that_ask_nothing_hold_every_place(sent: bytes) -> None:
    async def scenario(front: Front) -> None:
        port = int(front.web.address.rpartition(":")[2])
        crowd = front.web._server.grounds.crowd
        holders = [socket.create_connection(("127.0.0.1", port)) for _ in range(300)]
        for holder in holders:
            # Some are gone by now.
            with contextlib.suppress(OSError):
                holder.sendall(sent)
        try:
            await until(lambda: sum(crowd.closed.values()) >= 236)
            assert len(crowd.members) == 64
            for _ in range(3):
                caller = await front.connect()
                assert (await caller.ask(post(b"1"))).startswith(b"HTTP/1.1 200 ")
            assert len(crowd.members) <= 64
        finally:
            for holder in holders:
                holder.close()

    with_front(scenario, echo, Config(limits=Limits(connections=64)))
