"""The order of acknowledgement: what was received first is acknowledged first (MQTT-4.6.0-2)."""

import asyncio
from collections import deque
from collections.abc import Callable

from runtime.events import Timeline

Mark = Callable[[tuple[int, ...]], "asyncio.Future[None]"]


class Slot:
    """One received message that is to be acknowledged. `rows` on disk say that it is not acknowledged yet.

    `timelines` want to know when it is.
    """

    __slots__ = ("mid", "rows", "settled", "timelines", "window")

    def __init__(self, mid: int, window: "Window") -> None:
        self.mid = mid
        self.window = window
        self.settled = False
        self.rows: list[int] = []
        self.timelines: tuple[Timeline, ...] = ()

    def settle(self) -> None:
        """The message is dealt with; it is acknowledged once all received before it are."""
        self.settled = True
        self.window.release()


class Window:
    """The unacknowledged messages of one connection, in the order of receipt.

    A window belongs to a single connection: after `void` nothing of it is acknowledged any more, because the
    broker may have given the id to another message, which a late acknowledgement would destroy. For the same
    reason `mark` has it committed that the rows of a message do not tell it from others any more, before it
    is acknowledged.
    """

    def __init__(self, acknowledge: Callable[[int], None], mark: Mark | None = None) -> None:
        self._acknowledge: Callable[[int], None] | None = acknowledge
        self._mark = mark
        self._marking = False
        self._slots: deque[Slot] = deque()

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def is_stuck(self) -> bool:
        """Whether the oldest message is not dealt with, so that no acknowledgement can leave."""
        return bool(self._slots) and not self._slots[0].settled

    def admit(self, mid: int) -> Slot:
        """Take the next message in the order of receipt."""
        slot = Slot(mid, self)
        self._slots.append(slot)
        return slot

    def release(self) -> None:
        """Acknowledge the settled messages that no unsettled one stands before."""
        slots = self._slots
        while slots and slots[0].settled and self._acknowledge is not None:
            if slots[0].rows and self._mark is not None:
                self._mark_all(self._mark)
                return
            slot = slots.popleft()
            self._acknowledge(slot.mid)
            for timeline in slot.timelines:
                timeline.mark("acknowledged")

    def void(self) -> None:
        """The connection is gone, and with it the meaning of its message ids."""
        self._acknowledge = None
        self._slots.clear()

    def _mark_all(self, mark: Mark) -> None:
        """Have the rows of all that may be acknowledged marked at once; `release` goes on from there."""
        if self._marking:
            return
        self._marking = True
        marked = []
        for slot in self._slots:
            if not slot.settled:
                break
            marked.append((slot.rows, tuple(slot.rows)))
        future = mark(tuple(row for _, rows in marked for row in rows))
        future.add_done_callback(lambda _: self._marked(marked))

    def _marked(self, marked: list[tuple[list[int], tuple[int, ...]]]) -> None:
        self._marking = False
        for rows, told in marked:
            rows[:] = [row for row in rows if row not in told]
        self.release()
