"""The order of acknowledgement: what was received first is acknowledged first (MQTT-4.6.0-2)."""

from collections import deque
from collections.abc import Callable


class Slot:
    """One received message that is to be acknowledged."""

    __slots__ = ("mid", "settled", "window")

    def __init__(self, mid: int, window: "Window") -> None:
        self.mid = mid
        self.window = window
        self.settled = False

    def settle(self) -> None:
        """The message is dealt with; it is acknowledged once all received before it are."""
        self.settled = True
        self.window.release()


class Window:
    """The unacknowledged messages of one connection, in the order of receipt.

    A window belongs to a single connection: after `void` nothing of it is acknowledged any more, because the
    broker may have given the id to another message, which a late acknowledgement would destroy.
    """

    def __init__(self, acknowledge: Callable[[int], None]) -> None:
        self._acknowledge: Callable[[int], None] | None = acknowledge
        self._slots: deque[Slot] = deque()

    def __len__(self) -> int:
        return len(self._slots)

    def admit(self, mid: int) -> Slot:
        """Take the next message in the order of receipt."""
        slot = Slot(mid, self)
        self._slots.append(slot)
        return slot

    def release(self) -> None:
        """Acknowledge the settled messages that no unsettled one stands before."""
        slots = self._slots
        while slots and slots[0].settled and self._acknowledge is not None:
            self._acknowledge(slots.popleft().mid)

    def void(self) -> None:
        """The connection is gone, and with it the meaning of its message ids."""
        self._acknowledge = None
        self._slots.clear()
