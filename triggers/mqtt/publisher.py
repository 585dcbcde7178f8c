"""One publishing connection: results wait in order, are sent while it is up, and again until confirmed."""

import asyncio
import logging
import sqlite3
from functools import partial
from itertools import count

from paho.mqtt.reasoncodes import ReasonCode

from triggers.delivery.backlog import Backlog
from triggers.delivery.work import Place
from triggers.mqtt.connack import Limits
from triggers.mqtt.connection import Connection
from triggers.mqtt.messages import Outgoing
from triggers.mqtt.outbox import PAGE, REFUSED, UNWANTED, Outbox
from triggers.mqtt.peer import Peer
from triggers.mqtt.properties import Packed
from triggers.store.failpoints import Failpoints

logger = logging.getLogger(__name__)

DROPPED = "dropped: too many results wait for the broker"
HEADER = 16
UNREAD_DELAY = 1.0
"""Seconds before results that could not be read from disk are read again."""
SUSPICIOUS, MOST_IN_VAIN = 3, 8
"""Connections in a row that ended before anything was confirmed: to send singly, to give up what is sent."""
WAITING, SENT = 0.2, 1.0
"""Seconds after which a result that waits, or was sent and not confirmed, goes to the outbox."""


class Publisher(Peer):
    """Sends what it is given in that order. paho's own queue is never used: it has no bound and no end."""

    def __init__(self, outbox: Outbox | None = None, failpoints: Failpoints | None = None) -> None:
        self.published = 0
        self.outbox = outbox
        self._numbers = count()
        self._failpoints = failpoints or Failpoints()
        self._waiting: Backlog[Outgoing] = Backlog()
        self._loading: asyncio.Task[None] | None = None
        self._sent: dict[int, Outgoing] = {}
        self._connection: Connection | None = None
        self._heard_at = 0.0
        self._in_vain = 0

    def __len__(self) -> int:
        """Results that wait to be sent or to be confirmed; those on disk are counted roughly."""
        return len(self._waiting) + len(self._sent) + self.stored

    @property
    def stored(self) -> int:
        """Roughly how many results are on disk only."""
        return self.outbox.count if self.outbox is not None else 0

    def waited(self, now: float, wall: float) -> float:
        """For how many seconds the oldest result has not been confirmed.

        `now` is the event loop's time, `wall` in seconds since the epoch.
        """
        oldest = next(iter(self._sent.values()), None) or self._waiting.oldest_sure
        if oldest is not None and oldest.born:
            return now - oldest.born
        since = self.outbox.since if self.outbox is not None and self.outbox.count else 0.0
        since = oldest.created if oldest is not None else since
        return max(0.0, wall - since) if since else 0.0

    def send(self, outgoing: Outgoing) -> None:
        """Publish as soon as may be; `outgoing` tells its end."""
        outgoing.seq = self.outbox.next_seq() if self.outbox is not None else next(self._numbers)
        outgoing.born = asyncio.get_running_loop().time()
        self._wait(outgoing)
        self.flush()

    def opened(self, connection: Connection, session_present: bool) -> None:
        """Send again what was not confirmed, then what has come since."""
        self._connection = connection
        self.flush()

    def confirmed(self, mid: int, reason: ReasonCode) -> None:
        """The broker took it, or said why it would not."""
        self._failpoints.reach("result.confirmed")
        self._heard_at = asyncio.get_running_loop().time()
        self._in_vain = 0
        outgoing = self._sent.pop(mid, None)
        if outgoing is not None:
            self._end(outgoing, f"the broker would not take it: {reason}" if reason.is_failure else None)
        self.flush()

    def ticked(self, now: float) -> None:
        """A broker that confirms nothing for too long gets a new connection; a slow link has its time."""
        oldest = next(iter(self._sent.values()), None)
        if oldest is None or self._connection is None:
            return
        if self._connection.writing:
            self._heard_at = now
        if now - max(oldest.sent_at, self._heard_at) > oldest.timeout:
            self._connection.abort(f"no confirmation of a result within {oldest.timeout:g} s")

    def closed(self) -> None:
        """What was sent and not confirmed goes first next time, under its old number."""
        self._connection = None
        unconfirmed = list(self._sent.values())
        self._sent.clear()
        self._in_vain += bool(unconfirmed)
        if self._in_vain >= MOST_IN_VAIN and len(unconfirmed) == 1:
            self._in_vain = 0
            self._end(unconfirmed.pop(), "the broker ends the connection whenever it is sent")
        for outgoing in unconfirmed:
            self._wait(outgoing)

    # -- in the outbox

    def keep(self, now: float, waiting: float = WAITING, sent: float = SENT) -> "list[asyncio.Future[None]]":
        """Put on disk what waits for more than `waiting` seconds, or was sent more than `sent` seconds ago.

        Returns what is done when all of it stands there.
        """
        if self.outbox is None:
            return []
        oldest = self._waiting.oldest_sure
        kept = [each for each in self._sent.values() if now - each.born > sent]
        if oldest is not None and now - oldest.born > waiting:
            # With what was sent before them: after a crash it must not come after these.
            kept = [*self._sent.values(), *self._waiting.sure()]
        written = list(self.outbox.write([each for each in kept if _is_kept(each)]))
        if written:
            written[-1].add_done_callback(partial(self._let_go, self.outbox))
        return written

    def wake(self) -> None:
        """Rows were added to this target's part of the outbox."""
        if self.outbox is not None:
            self.outbox.look()
        self.flush()

    def _let_go(self, outbox: Outbox, _written: "asyncio.Future[None]") -> None:
        """Of what stands on disk, keep a page in memory."""
        stored = [each for each in self._waiting.sure() if each.place is Place.STORED]
        left = stored if outbox.first is not None else stored[PAGE:]
        self._waiting.discard({each.seq for each in left})
        for outgoing in left:
            outbox.let_go(outgoing)

    def _load(self, outbox: Outbox) -> None:
        if self._loading is None:
            self._loading = asyncio.get_running_loop().create_task(self._load_page(outbox))

    async def _load_page(self, outbox: Outbox) -> None:
        loaded: list[Outgoing] = []
        try:
            loaded = await outbox.load()
        except (sqlite3.Error, OSError) as error:
            logger.warning("the results for %s cannot be read: %s", outbox.target, error)
            await asyncio.sleep(UNREAD_DELAY)
        finally:
            self._loading = None
        for outgoing in loaded:
            self._waiting.put(outgoing.seq, outgoing, sure=True)
        self.flush()

    # -- when the config has changed

    def hand_over(self, other: "Publisher") -> None:
        """Give another publisher, in order, what this one has not got confirmed."""
        if self.outbox is not None and other.outbox is not None:
            self.outbox.move(other.outbox)
        for outgoing in self._take_all():
            if outgoing.place is Place.MEMORY:
                other.send(outgoing)
        other.flush()

    async def give_up(self, reason: str) -> None:
        """Nobody will ever publish what is left: it becomes dead letters. Raises sqlite3.Error."""
        if self._loading is not None:
            await asyncio.wait([self._loading])
        left = self._take_all()
        for outgoing in left:
            self._end(outgoing, reason, UNWANTED)
        given_up = len(left)
        while self.outbox is not None and self.outbox.first is not None:
            page = await self.outbox.load()
            for outgoing in page:
                self.outbox.bury(outgoing, reason, UNWANTED)
            given_up += len(page)
        if given_up:
            logger.warning(
                "mqtt: results that become dead letters: %d; %s",
                given_up,
                reason,
                extra={"event": "dead_letters", "count": given_up},
            )

    def _take_all(self) -> list[Outgoing]:
        unconfirmed = list(self._sent.values())
        self._sent.clear()
        while self._waiting:
            unconfirmed.append(self._waiting.take())
        return unconfirmed

    # -- to the broker

    def _wait(self, outgoing: Outgoing) -> None:
        victim = self._waiting.put(outgoing.seq, outgoing, sure=outgoing.sure)
        if victim is not None:
            victim.tell(DROPPED)

    def flush(self) -> None:
        """Send what waits, as far as the connection takes it."""
        connection = self._connection
        while connection is not None and connection.alive and self._waiting:
            if self._is_behind():
                break
            outgoing = self._waiting.take()
            if not self._fits(outgoing, connection.limits):
                self._end(outgoing, "the result is larger than the broker takes")
                continue
            try:
                taken = self._publish(connection, outgoing)
            except ValueError as error:
                self._end(outgoing, f"it cannot be published: {error}")
                continue
            if not taken:
                self._wait(outgoing)
                return
        if self._next_on_disk is not None and self.outbox and connection is not None and connection.alive:
            self._load(self.outbox)

    @property
    def _next_on_disk(self) -> int | None:
        return self.outbox.first if self.outbox is not None else None

    def _is_behind(self) -> bool:
        """Whether what waits in memory stands behind rows that are on disk only."""
        first, lowest = self._next_on_disk, self._waiting.lowest
        return first is not None and lowest is not None and lowest > first

    def _publish(self, connection: Connection, outgoing: Outgoing) -> bool:
        limits = connection.limits
        # After connections that ended with nothing confirmed, one at a time shows which message does that.
        room = 1 if self._in_vain >= SUSPICIOUS else limits.room(outgoing.qos)
        if len(self._sent) >= room:
            return False
        flags = min(outgoing.qos, limits.qos), outgoing.retain and limits.retain
        properties = Packed(outgoing.properties) if outgoing.properties else None
        mid = connection.publish(outgoing.topic, outgoing.payload, flags, properties)
        if mid is None:
            return False
        outgoing.sent_at = asyncio.get_running_loop().time()
        self._sent[mid] = outgoing
        self._failpoints.reach("result.sent")
        return True

    def _fits(self, outgoing: Outgoing, limits: Limits) -> bool:
        size = len(outgoing.payload) + 4 * len(outgoing.topic) + len(outgoing.properties) + HEADER
        return size <= limits.packet

    def _end(self, outgoing: Outgoing, error: str | None, error_type: str = REFUSED) -> None:
        self.published += error is None
        if self.outbox is None or outgoing.place is Place.MEMORY:
            outgoing.tell(error)
        else:
            self.outbox.end(outgoing, error, error_type)


def _is_kept(outgoing: Outgoing) -> bool:
    return outgoing.sure and outgoing.place is Place.MEMORY
