"""What an arbiter may say, and when: the package's own code may speak with its voice."""

from runtime.worker.control import Message

BOOT_ORDER = {"boxed": 1, "warned": 2, "unsafe": 3, "failed": 3, "booted": 3}
"""Each is said once at most, and none after one of its own number or a higher one."""


class ForgedWordError(Exception):
    """An arbiter of ours does not say this, or not now."""


class Hearing:
    """Of one life of an arbiter: it is told what the host asked for, and lets the answers to that through."""

    def __init__(self) -> None:
        self._heard = 0
        self._pings = 0
        self._slots: dict[int, bool] = {}

    def note_ping(self) -> None:
        """One was sent."""
        self._pings += 1

    def note_spawn(self, slot: int) -> None:
        """An instance was asked for."""
        self._slots[slot] = False

    def admit(self, message: Message) -> None:
        """Raises ForgedWordError, and KeyError or TypeError for what is no message."""
        word = message["op"]
        if word in BOOT_ORDER:
            if BOOT_ORDER[word] <= self._heard:
                raise ForgedWordError(f"it said {word!r} when that was over")
            self._heard = BOOT_ORDER[word]
        elif word == "pong":
            self._admit_pong()
        elif word in ("spawned", "refused", "exited"):
            self._admit_instance(word, message["slot"])
        else:
            raise ForgedWordError("it said what no arbiter says")

    def _admit_pong(self) -> None:
        if not self._pings:
            raise ForgedWordError("it answered a ping that was never sent")
        self._pings -= 1

    def _admit_instance(self, word: str, slot: int) -> None:
        is_forked = self._slots.get(slot)
        if is_forked is None or (is_forked and word == "spawned"):
            raise ForgedWordError(f"it said {word!r} of an instance of which it was not asked, or not again")
        if word == "spawned":
            self._slots[slot] = True
        else:
            del self._slots[slot]
