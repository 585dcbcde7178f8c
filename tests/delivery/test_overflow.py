"""Rows that are added while others are read are read as well."""

import asyncio

from tests.mqtt.clients import play
from triggers.delivery.overflow import Overflow
from triggers.delivery.rows import EventRow


def test_a_row_whose_number_is_not_known_is_found_though_it_comes_during_a_reading() -> None:
    disk = [EventRow(seq, "async/echo", f"e{seq}", {}, b"") for seq in (3, 7)]

    async def read(since: int, limit: int) -> list[EventRow]:
        found = [row for row in disk if row.seq >= since][:limit]
        await asyncio.sleep(0)
        return found

    async def scene() -> None:
        overflow = Overflow(read)
        overflow.add(1)
        reading = asyncio.create_task(overflow.load(10))
        await asyncio.sleep(0)
        disk.append(EventRow(9, "async/echo", "e9", {}, b""))
        # Whoever adds knows only that it is behind what was seen.
        overflow.add(1)
        assert [row.seq for row in await reading] == [3, 7]
        assert [row.seq for row in await overflow.load(10)] == [9]
        assert (await overflow.load(10), bool(overflow)) == ([], False)

    play(scene())
