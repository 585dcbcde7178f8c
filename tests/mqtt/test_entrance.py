"""What is looked at before a message is read, so that none costs more than its functions would take."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from conf.bind import Bind
from tests.mqtt.clients import play, rule_plan
from tests.store.open_store import opened
from triggers.delivery.keeping import Keeping
from triggers.mqtt.endings import EndingParts, Endings, Sink
from triggers.mqtt.entrance import LONGEST_REFUSED, SMALL, Entrance, EntranceParts
from triggers.mqtt.messages import Delivery, Failure
from triggers.mqtt.plan import Care, ReadLimits
from triggers.mqtt.takers import Takers

BIND: dict[str, object] = {"from": "topic:2"}
READ = ReadLimits(size=2 * SMALL, depth=10)
DEEP = b'{"t":' * 11 + b"1" + b"}" * 11


class Door:
    """An entrance, and what was refused at it as dead letters; `most` is what the function `echo` takes."""

    def __init__(self, endings: Endings, next_seq: Any, refused: list[Failure]) -> None:
        self.most: int | None = None
        self.refused = refused
        self.counters = endings.counters
        self.entrance = Entrance(EntranceParts(endings, lambda _: self.most, next_seq))

    def use(self, **plan: Any) -> None:
        rule = rule_plan(reading=READ, **plan)
        self.entrance.update(rule, Takers(rule))

    def admits(self, payload: bytes, **more: Any) -> bool:
        """Whether it gets in, read or as something that is not JSON."""
        return self.entrance.admit(Delivery("in/d1", payload, 1, **more), {}, 0.0) is not None

    def why(self) -> list[str]:
        told = [f"{type(each.error).__name__}: {each.error}" for each in self.refused]
        self.refused.clear()
        return told


@asynccontextmanager
async def door(**plan: Any) -> AsyncIterator[Door]:
    async with opened() as store:
        refused: list[Failure] = []
        keeping = Keeping(store)
        parts = EndingParts(refused.append, store, keeping.failpoints)
        made = Door(Endings("r1", cast(Sink, None), parts), store.next_seq, refused)
        made.use(**plan)
        yield made


def large(size: int) -> bytes:
    return b'{"pad":"%s"}' % (b"x" * (size - 10))


def test_what_is_larger_than_its_functions_take_is_refused_unread() -> None:
    async def scene() -> None:
        async with door(bind=Bind.model_validate(BIND)) as under:
            assert under.admits(large(READ.size))
            assert not under.admits(large(READ.size + 1))
            [failure] = under.refused
            assert failure.event.body == large(READ.size + 1)[:LONGEST_REFUSED]
            assert under.why() == [
                f"TooLargeError: the functions of the rule take {READ.size} bytes at most (`max_event`), "
                f"not {READ.size + 1}"
            ]
            assert under.counters.refused_size == 1
            under.most = READ.size + 1
            assert under.admits(large(READ.size + 1))
            under.most = 1
            assert under.admits(large(SMALL)) and not under.admits(large(SMALL + 1))

    play(scene())


def test_what_is_deeper_than_functions_take_is_refused_unread() -> None:
    async def scene() -> None:
        async with door(bind=Bind.model_validate(BIND)) as under:
            assert under.admits(DEEP[5:-1])
            assert not under.admits(DEEP)
            assert not under.admits(b"\xef\xbb\xbf \n" + DEEP)
            assert (
                under.why()
                == ["InputRejectedError: the event is JSON nested more than 10 deep (`limits.json_depth`)"]
                * 2
            )
            # What is no JSON may have as many brackets as it likes.
            assert under.admits(b"\x01" + b"[" * 100)

    play(scene())


def test_a_device_that_sends_too_often_is_not_read_and_what_was_refused_counts_for_its_rate() -> None:
    async def scene() -> None:
        bind = Bind.model_validate({**BIND, "rate": {"count": 2, "interval": "1h"}})
        async with door(bind=bind) as under:
            other = json.dumps({"deviceInfo": {"deviceName": "d2"}}).encode()
            sent = (other, DEEP, b"{}", other, large(READ.size + 1))
            assert not any(under.admits(each) for each in sent)
            counted = under.counters
            assert (counted.refused_claim, counted.refused_size, counted.refused_rate) == (1, 1, 3)

    play(scene())


def test_rules_without_bound_devices_read_within_bounds_too() -> None:
    async def scene() -> None:
        async with door(care=Care(order="device")) as under:
            admitted = under.entrance.admit(Delivery("in/d1", DEEP, 1), {}, 0.0)
            assert admitted is not None and admitted.event is None and admitted.why is not None
            large_one = Delivery("in/d1", large(READ.size + 1), 1)
            admitted = under.entrance.admit(large_one, {}, 0.0)
            assert admitted is not None and admitted.event is None and admitted.why is not None
            under.entrance.bury_unread(large_one, admitted.why, 0.0)
            assert under.refused[0].event.body == large_one.payload[:LONGEST_REFUSED]
            assert under.counters.refused_size == 0

    play(scene())


def test_a_refused_event_has_no_long_user_properties() -> None:
    async def scene() -> None:
        async with door(bind=Bind.model_validate({"from": "property:device"})) as under:
            for value in ("short", "x" * LONGEST_REFUSED):
                assert not under.admits(b"{}", user_properties={"device": "", "more": value})
            assert ["headers" in each.event.meta for each in under.refused] == [True, False]

    play(scene())
