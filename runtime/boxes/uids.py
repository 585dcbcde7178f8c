"""A user id for each function, out of a block of them that no other host of this machine uses."""

import fcntl
import json
import os
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Container
from pathlib import Path

from runtime.boxes.taken_ids import free_blocks
from runtime.leftovers import has_processes

LOCKS = Path("/run/fnhost")
BOOK = "uids.json"


class NoUidError(Exception):
    """No user id can be had; the message says why."""


class Uids:
    """The block of one state folder; which function has which id is remembered there.

    The first id is nobody's. One that was given back is the last to be given again. Raises NoUidError. The
    methods block, and may be called from any thread.
    """

    def __init__(self, state: Path, uids: range, locks: Path = LOCKS) -> None:
        self._book = state / BOOK
        self._lock = threading.Lock()
        self._boxes: Counter[int] = Counter()
        before, self._given = _read(self._book)
        self._fd, self.block = _claim(state, uids, before, locks)
        if before is not None and before != self.block.start:
            # Another host has the block: all move by as much, and files change hands when they are needed.
            moved = self.block.start - before
            self._given = {name: uid + moved for name, uid in self._given.items()}
        self._last = max(self._given.values(), default=self.block.start)

    def uid(self, function: str) -> int:
        """The function's own id, the same over restarts; raises NoUidError and OSError."""
        with self._lock:
            if function not in self._given:
                self._given[function] = self._free()
                self._write()
            return self._given[function]

    @property
    def given(self) -> dict[str, int]:
        """The ids of functions by name."""
        with self._lock:
            return dict(self._given)

    def give_back(self, function: str) -> None:
        """The function is no more, and has left nothing that its id could open; raises OSError."""
        with self._lock:
            if self._given.pop(function, None) is not None:
                self._write()

    def begin(self, uid: int) -> None:
        """One more box is this user's."""
        with self._lock:
            self._boxes[uid] += 1

    def end(self, uid: int, clean: Callable[[Container[int]], object]) -> None:
        """One box less; after the last one `clean` is called, while none begins."""
        with self._lock:
            self._boxes[uid] -= 1
            if not self._boxes[uid]:
                clean((uid,))

    def close(self) -> None:
        """Let another host have the block."""
        os.close(self._fd)

    def _free(self) -> int:
        taken = set(self._given.values())
        at = self._last + 1 - self.block.start
        turn: list[int] = [*self.block[at:], *self.block[1:at]]
        for uid in turn:
            if uid not in taken and not has_processes((uid,)):
                self._last = uid
                return uid
        raise NoUidError(f"all {len(self.block) - 1} user ids of this host are given to functions")

    def _write(self) -> None:
        staging = self._book.with_suffix(".new")
        staging.write_text(json.dumps({"first": self.block.start, "functions": self._given}))
        staging.chmod(0o600)
        os.replace(staging, self._book)


def _read(book: Path) -> tuple[int | None, dict[str, int]]:
    """The first id of the block, and those of functions; nothing where there is no book, or no sound one."""
    try:
        told = json.loads(book.read_text())
        return int(told["first"]), {str(name): int(uid) for name, uid in told["functions"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None, {}


def _claim(state: Path, uids: range, before: int | None, locks: Path) -> tuple[int, range]:
    """A block that nobody uses, with the lock that keeps it; first of all the one from `before`."""
    folder = _lock_folder(state, locks)
    blocks, taken = free_blocks(uids)
    for block in _in_turn(blocks, state, before):
        fd = os.open(folder / f"uids-{block.start}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if _take(fd, state):
            return fd, block
        os.close(fd)
    others = f" ({taken})" if taken else ""
    raise NoUidError(f"others of this machine use all blocks of `isolation.uids`{others}; widen it")


def _lock_folder(state: Path, locks: Path) -> Path:
    try:
        locks.mkdir(mode=0o700, exist_ok=True)
        return locks if os.access(locks, os.W_OK) else state
    except OSError:
        return state


def _in_turn(blocks: list[range], state: Path, before: int | None) -> list[range]:
    # Where there is no common folder for locks, hosts hardly ever begin at the same block.
    at = zlib.crc32(os.fsencode(state)) % max(1, len(blocks))
    known = [block for block in blocks if block.start == before]
    return [*known, *blocks[at:], *blocks[:at]]


def _take(fd: int, state: Path) -> bool:
    """Lock it, unless it is locked, or another host that is down owns files of its users."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    owner = os.fsdecode(os.pread(fd, 4096, 0))
    if owner not in ("", str(state)) and Path(owner).exists():
        return False
    os.ftruncate(fd, 0)
    os.pwrite(fd, os.fsencode(state), 0)
    return True
