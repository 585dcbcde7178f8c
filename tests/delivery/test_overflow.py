"""Rows that are added while others are read are read as well."""

import asyncio
from collections.abc import Iterable

from tests.mqtt.clients import play
from triggers.delivery.overflow import Overflow
from triggers.store.page import Page
from triggers.store.rows import EventRow


class Disk:
    """Rows, of which a reading sees those that are there when it begins."""

    def __init__(self, seqs: Iterable[int]) -> None:
        self.seqs = list(seqs)

    def __call__(self, since: int, limit: int) -> "asyncio.Future[Page[EventRow]]":
        found = [seq for seq in sorted(self.seqs) if seq >= since][:limit]
        future: asyncio.Future[Page[EventRow]] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(
            future.set_result, Page(EventRow(seq, "async/echo", f"e{seq}", {}, b"") for seq in found)
        )
        return future


async def load(overflow: Overflow[EventRow], limit: int = 10) -> list[int]:
    return [row.seq for row in await overflow.load(limit)]


def test_pages_come_in_order_and_none_twice() -> None:
    async def scene() -> None:
        overflow = Overflow(Disk(range(1, 26)))
        overflow.add(25)
        overflow.add(1)
        assert [await load(overflow) for _ in range(3)] == [
            list(range(1, 11)),
            list(range(11, 21)),
            list(range(21, 26)),
        ]
        assert await load(overflow) == [] and not overflow and overflow.count == 0

    play(scene())


def test_a_row_whose_number_is_not_known_is_found_though_it_comes_during_a_reading() -> None:
    async def scene() -> None:
        disk = Disk((3, 7))
        overflow = Overflow(disk)
        overflow.add(1)
        reading = asyncio.ensure_future(load(overflow))
        await asyncio.sleep(0)
        disk.seqs.append(9)
        # Whoever adds knows only that it is behind what was seen.
        overflow.add(8)
        assert await reading == [3, 7]
        assert await load(overflow) == [9]
        assert (await load(overflow), bool(overflow)) == ([], False)

    play(scene())


def test_a_row_that_comes_before_the_page_that_is_being_read_is_found() -> None:
    async def scene() -> None:
        disk = Disk(range(20, 40))
        overflow = Overflow(disk)
        overflow.add(20)
        reading = asyncio.ensure_future(load(overflow))
        await asyncio.sleep(0)
        disk.seqs.append(5)
        overflow.add(5)
        assert await reading == list(range(20, 30))
        assert (await load(overflow))[0] == 5 and overflow

    play(scene())
