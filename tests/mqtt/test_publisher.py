"""The publisher by itself: what becomes of a message that ends every connection it is sent over."""

import asyncio
from functools import partial
from typing import Any

from triggers.mqtt.connack import Limits
from triggers.mqtt.messages import Outgoing
from triggers.mqtt.publisher import Publisher


class StubConnection:
    """Takes what it is given; `poison` is what a broker would end the connection for."""

    alive = True
    writing = False
    limits = Limits()

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def publish(self, topic: str, payload: bytes, flags: Any, properties: Any) -> int:
        self.sent.append(payload)
        return len(self.sent)


def test_a_message_that_ends_every_connection_is_given_up_and_the_others_go_out() -> None:
    async def scene() -> None:
        publisher, ended = Publisher(), dict[bytes, str | None]()
        for payload in (b"poison", b"1", b"2"):
            publisher.send(Outgoing("t", payload, 1, False, done=partial(ended.__setitem__, payload)))
        for _ in range(20):
            connection = StubConnection()
            publisher.opened(connection, False)  # type: ignore[arg-type]
            if b"poison" in connection.sent:
                publisher.closed()
                continue
            while len(publisher):
                publisher.confirmed(len(connection.sent) - len(publisher) + 1, OK)  # type: ignore[arg-type]
            break
        assert "ends the connection" in str(ended.pop(b"poison"))
        assert ended == {b"1": None, b"2": None}

    asyncio.run(scene())


class _Ok:
    is_failure = False


OK = _Ok()
