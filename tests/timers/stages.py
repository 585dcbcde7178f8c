"""Timers over a real store, with functions that are plain callables and clocks that stand still."""

from typing import NoReturn

from runtime.events import Dispatch
from tests.mqtt.clients import until
from tests.timers.clocks import FakeClock
from triggers.delivery.keeping import Keeping
from triggers.mqtt.link import Identity
from triggers.mqtt.peer import Peer
from triggers.mqtt.publishers import Publishers
from triggers.store.store import DeliveryStore, LetterQuery
from triggers.timers.timer import TimerParts


def no_link(_identity: Identity, _peer: Peer) -> NoReturn:
    raise AssertionError("nothing is published here")


def parts_of(store: DeliveryStore, dispatch: Dispatch, clock: FakeClock) -> TimerParts:
    """What timers without targets work with."""
    keeping = Keeping(store)
    return TimerParts(dispatch, keeping, Publishers(keeping, no_link), clock=clock.clock)


async def reasons(store: DeliveryStore, count: int) -> list[tuple[str, str, str]]:
    """The rule, function and message of the dead letters, once there are so many."""
    await until(lambda: store.letter_count == count, f"there are {count} dead letters")
    letters = await store.letters(LetterQuery(limit=100))
    return [(letter.rule, letter.function, letter.message) for letter in letters]


async def rows(store: DeliveryStore, lane: str) -> list[bytes]:
    """The bodies of the events that are on disk for this lane."""
    await store.submit()
    return [row.body for row in await store.read_events(lane, 0, 100)]
