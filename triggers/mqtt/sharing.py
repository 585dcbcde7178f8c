"""Whether a broker honours shared subscriptions: tried with messages of our own before a rule needs it."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress

from paho.mqtt.client import MQTTMessage
from paho.mqtt.reasoncodes import ReasonCode

from triggers.mqtt.connection import Connection
from triggers.mqtt.faults import NeedsMendingError
from triggers.mqtt.peer import Peer

SELFTEST = "fnhost/selftest/"
MESSAGES = 10
# A broker may be exchanged for another one behind its address.
PROVEN_FOR = 3600.0
PATIENCE = 3.0

Open = Callable[[str, Peer], Awaitable[Connection]]


class SharingError(NeedsMendingError):
    """The broker does not honour shared subscriptions, or does not let us find out."""

    def __init__(self, found: str) -> None:
        remedy = (
            "use a broker that has them and lets us subscribe and publish below "
            f"{SELFTEST.rstrip('/')}, or take `group` from the rule"
        )
        super().__init__(f"the broker does not honour shared subscriptions ({found}); {remedy}")


class Sharing:
    """What is known of one broker; a proof holds for an hour."""

    def __init__(self) -> None:
        self._proven_at: float | None = None
        self._testing = asyncio.Lock()

    async def prove(self, open_: Open) -> None:
        """Return when the broker is proven; `open_` makes clean connections.

        Raises SharingError, or OSError when the broker could not be asked.
        """
        loop = asyncio.get_running_loop()
        async with self._testing:
            if self._proven_at is None or loop.time() - self._proven_at > PROVEN_FOR:
                await _test(open_)
                self._proven_at = loop.time()


async def _test(open_: Open) -> None:
    tally = _Tally()
    async with AsyncExitStack() as stack:
        for _ in range(2):
            member = await open_(f"fnhost-{uuid.uuid4().hex[:12]}", _Member(tally))
            stack.push_async_callback(member.close)
            if not member.limits.shared:
                raise SharingError("it says so itself")
        if not await tally.comes_true(lambda: tally.granted == 4):
            raise TimeoutError("the broker does not answer a subscription")
        _publish(member, tally)
        await tally.comes_true(lambda: tally.ended == 2 and len(tally.heard) == MESSAGES)
    tally.judge()


def _publish(connection: Connection, tally: "_Tally") -> None:
    for number in range(MESSAGES):
        connection.publish(tally.topic, b"%d" % number, (1, False), None)
    connection.publish(tally.end, b"", (1, False), None)


class _Tally:
    """What both members of the group have heard. The end is no shared topic: each of them hears it, last."""

    def __init__(self) -> None:
        self.topic = f"{SELFTEST}{uuid.uuid4().hex}"
        self.end = f"{self.topic}/end"
        self.shared = f"$share/{uuid.uuid4().hex}/{self.topic}"
        self.granted = 0
        self.ended = 0
        self.heard: Counter[bytes] = Counter()
        self.error: Exception | None = None
        self._news = asyncio.Event()

    def note(self, error: Exception | None = None) -> None:
        """Something has changed."""
        self.error = self.error or error
        self._news.set()

    async def comes_true(self, true: Callable[[], bool]) -> bool:
        """Whether news make it so in time; raises the error that one of the members has met."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while not true() and self.error is None:
                    await self._news.wait()
                    self._news.clear()
        if self.error is not None:
            raise self.error
        return true()

    def judge(self) -> None:
        """Raise SharingError unless each message came exactly once."""
        several = sum(count > 1 for count in self.heard.values())
        if several:
            raise SharingError(f"{several} of {MESSAGES} test messages came more than once")
        if len(self.heard) < MESSAGES:
            raise SharingError(f"{len(self.heard)} of {MESSAGES} test messages came")


class _Member(Peer):
    """One of the two that share the test's messages."""

    def __init__(self, tally: _Tally) -> None:
        self._tally = tally
        self._connection: Connection | None = None

    def opened(self, connection: Connection, session_present: bool) -> None:
        self._connection = connection
        connection.subscribe(self._tally.shared, 1)
        connection.subscribe(self._tally.end, 1)

    def subscribed(self, reasons: list[ReasonCode]) -> None:
        refused = [reason for reason in reasons if reason.is_failure]
        self._tally.granted += not refused
        self._tally.note(SharingError(f"refused: {refused[0]}") if refused else None)

    def received(self, message: MQTTMessage) -> None:
        if message.topic == self._tally.end:
            self._tally.ended += 1
        else:
            self._tally.heard[bytes(message.payload)] += 1
        if message.qos and self._connection is not None:
            self._connection.acknowledge(message.mid)
        self._tally.note()

    def confirmed(self, mid: int, reason: ReasonCode) -> None:
        if reason.is_failure:
            self._tally.note(SharingError(f"publishing was refused: {reason}"))

    def closed(self) -> None:
        self._tally.note(ConnectionError("the connection was closed in the test of shared subscriptions"))
