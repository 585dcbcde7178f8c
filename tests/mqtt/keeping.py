"""What the tests of delivery ask of a running trigger: what it has on disk, and what became of events."""

from typing import Any

from runtime.events import Event, FunctionRaisedError
from tests.mqtt.clients import (
    Device,
    Functions,
    echo,
    until,
)
from triggers.mqtt.trigger import MqttTrigger
from triggers.store.store import DeliveryStore, LetterQuery

UNLIMITED = ("max_queued_messages 0", "autosave_interval 0")


def numbered(count: int, first: int = 0) -> list[bytes]:
    return [b"%d" % n for n in range(first, first + count)]


def store_of(trigger: MqttTrigger) -> DeliveryStore:
    return trigger._parts.store


async def letters_of(trigger: MqttTrigger) -> list[tuple[str, bytes]]:
    """Function and body of the dead letters, oldest first."""
    store = store_of(trigger)
    await store.submit()
    return [(each.function, each.body) for each in await store.letters(LetterQuery(limit=10_000))][::-1]


async def rest_of(trigger: MqttTrigger) -> tuple[dict[str, int], dict[str, int]]:
    store = store_of(trigger)
    await store.submit()
    return await store.waiting()


async def answered(trigger: MqttTrigger, count: int) -> None:
    await until(lambda: trigger.state()[0].answered == count, f"{count} are answered, or on disk")


def raised(_: Event) -> FunctionRaisedError:
    return FunctionRaisedError("ValueError", "no", [])


def held(**functions: Any) -> Functions:
    made = Functions(**{"echo": echo, **functions})
    made.held.update(functions or {"echo"})
    return made


async def backlog(trigger: MqttTrigger, line: Device, count: int) -> None:
    """So many events, all but those that run on disk."""
    line.say_all("in/r1", numbered(count))
    await until(lambda: trigger.state()[0].received == count, "all have come")
    lane = trigger._subscribers["b1", "r1-in"][0].rule.lanes[0]
    lane.take_over()
    await store_of(trigger).submit()
