"""What the MQTT trigger says of itself: its connections, and what waits for functions and for brokers."""

import asyncio
import time
from dataclasses import asdict, dataclass

from triggers.delivery.lane_plan import LaneView
from triggers.mqtt.link import Link
from triggers.mqtt.messages import Counters
from triggers.mqtt.plan import RulePlan
from triggers.mqtt.publisher import Publisher
from triggers.mqtt.status import Status
from triggers.mqtt.subscriber import Subscriber


@dataclass(frozen=True)
class QueueRow:
    """One row of `/queue_size_metrics`: events without an answer, results without a confirmation."""

    sub_process_name: str
    pre_queue: int
    post_queue: int


@dataclass(kw_only=True)
class ConnectionState(Counters):
    """One connection: a subscribing one has its rule's counters, a publishing one the last two.

    `connected` says of a subscribing one that the broker has granted its subscription. `oldest` is for how
    many seconds the first of its `unacknowledged` messages, or of the results that wait, has been here;
    `stored` results are on disk only. `since` is when its link came or went, `next_try` when it is tried
    again, in seconds since the epoch.
    """

    broker: str
    client_id: str
    rule: str | None
    connected: bool
    version: str
    last_error: str | None
    reconnects: int
    since: float = 0.0
    next_try: float | None = None
    published: int = 0
    waiting: int = 0
    stored: int = 0
    unacknowledged: int = 0
    oldest: float = 0.0


@dataclass(frozen=True)
class RuleView:
    """One rule at one moment: what it is to do, its connection, and what waits for each of its functions."""

    plan: RulePlan
    state: ConnectionState
    lanes: tuple[LaneView, ...]


def subscribing(subscriber: Subscriber, link: Link) -> ConnectionState:
    """The connection of a rule's subscription."""
    rule = subscriber.rule
    state = _state(link, rule.plan.name, asdict(rule.counters))
    state.connected = subscriber.subscribed_now
    state.unacknowledged = subscriber.unacknowledged
    state.oldest = round(subscriber.waited(asyncio.get_running_loop().time()), 3)
    return state


def publishing(publisher: Publisher, link: Link) -> ConnectionState:
    """A connection that results go over."""
    state = _state(link, None, {"published": publisher.published, "waiting": len(publisher)})
    state.stored = publisher.stored
    state.oldest = round(publisher.waited(asyncio.get_running_loop().time(), time.time()), 3)
    return state


def telling(status: Status, link: Link) -> ConnectionState:
    """The connection that says whether this host is online."""
    return _state(link, None, {"published": status.published})


def _state(link: Link, rule: str | None, counters: dict[str, int]) -> ConnectionState:
    identity = link.identity
    return ConnectionState(
        broker=identity.broker.plan.name,
        client_id=identity.client_id,
        rule=rule,
        connected=link.connected,
        version="5" if identity.broker.speaks_5 else "3.1.1",
        last_error=link.last_error,
        reconnects=link.reconnects,
        since=round(link.spells.now.since, 3),
        next_try=round(link.next_try, 3) if link.next_try is not None else None,
        **counters,
    )
