"""Records all that comes out, in the order in which it comes, through any restart of the broker."""

import asyncio
import json
import re

from tests.torture.ledger import Ledger, Result
from tests.torture.packets import PUBLISH, Message, Packet, puback, read_message, subscribe
from tests.torture.session import Session

TOPICS = "out/#"
ERRORS = "out/errors"
_EVENT = re.compile(r"event (\d+)")


class Recorder:
    """Subscribes with a session of its own, and knows a message that its broker delivers twice."""

    def __init__(self, port: int, ledger: Ledger) -> None:
        self.ready = asyncio.Event()
        self.sessions_lost = 0
        self._ledger = ledger
        self._session = Session(port, "torture-recorder", self)
        self._known = False
        self._seen: dict[int, tuple[str, bytes]] = {}
        self._order = 0

    def start(self) -> None:
        """Begin to connect; `ready` is set when the broker has answered the subscription."""
        self._session.start()

    async def stop(self) -> None:
        """Hang up."""
        await self._session.stop()

    def opened(self, session_present: bool) -> None:
        """Subscribe; a session that is lost would make the whole run worthless, so it is counted."""
        self.sessions_lost += self._known and not session_present
        self._known = True
        if not session_present:
            self._seen.clear()
        self._session.send(subscribe(TOPICS))

    def received(self, packet: Packet) -> None:
        """Write down, then acknowledge."""
        if packet.kind != PUBLISH:
            self.ready.set()
            return
        message = read_message(packet)
        seen = message.topic, message.payload
        # The same id with the DUP flag: our own acknowledgement was lost, not the host's doing.
        if not (message.again and self._seen.get(message.mid) == seen):
            self._seen[message.mid] = seen
            self._record(message)
        self._session.send(puback(message.mid))

    def _record(self, message: Message) -> None:
        if message.topic == ERRORS:
            told = _EVENT.search(json.loads(message.payload).get("errorMessage", ""))
            if told is not None:
                self._ledger.take_failure(int(told[1]))
            return
        try:
            number = int(json.loads(message.payload)["number"])
        except (ValueError, KeyError, TypeError):
            self._ledger.strays.append(message.payload)
            return
        self._order += 1
        now = asyncio.get_running_loop().time()
        self._ledger.take_result(number, Result(now, self._order, message.payload, message.request_id))
