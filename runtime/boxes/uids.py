"""A user id for each function, out of a block of them that no other host of this machine uses."""

import fcntl
import json
import os
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

from conf.isolation import BLOCK

LOCKS = Path("/run/fnhost")
BOOK = "uids.json"


class NoUidError(Exception):
    """No user id can be had; the message says why."""


class Uids:
    """The block of one state folder; which function has which id is remembered there.

    The first id is nobody's. Raises NoUidError. The methods block, and may be called from any thread.
    """

    def __init__(self, state: Path, uids: range, locks: Path = LOCKS) -> None:
        self._book = state / BOOK
        self._output = state / "output"
        self._lock = threading.Lock()
        before, self._given = _read(self._book)
        self._fd, self.block = _claim(state, uids, before, locks)
        if before is not None and before != self.block.start:
            # Another host has the block: all move by as much, and files change hands when they are needed.
            moved = self.block.start - before
            self._given = {name: uid + moved for name, uid in self._given.items()}

    def uid(self, function: str) -> int:
        """The function's own id, the same over restarts; raises NoUidError and OSError."""
        with self._lock:
            if function not in self._given:
                self._given[function] = self._free()
                self._write()
            return self._given[function]

    def close(self) -> None:
        """Let another host have the block."""
        os.close(self._fd)

    def _free(self) -> int:
        taken = set(self._given.values())
        for uid in self.block[1:]:
            if uid not in taken:
                return uid
        # A function whose folder is gone was removed, and has left nothing that its id could open.
        for name, uid in list(self._given.items()):
            if not (self._output / name).exists():
                del self._given[name]
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
    for block in _in_turn(state, uids, before):
        fd = os.open(folder / f"uids-{block.start}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if _take(fd, state):
            return fd, block
        os.close(fd)
    raise NoUidError("other hosts of this machine use all blocks of `isolation.uids`; widen it")


def _lock_folder(state: Path, locks: Path) -> Path:
    try:
        locks.mkdir(mode=0o700, exist_ok=True)
        return locks if os.access(locks, os.W_OK) else state
    except OSError:
        return state


def _in_turn(state: Path, uids: range, before: int | None) -> Iterator[range]:
    blocks = [uids[start : start + BLOCK] for start in range(0, len(uids) - BLOCK + 1, BLOCK)]
    # Where there is no common folder for locks, hosts hardly ever begin at the same block.
    at = zlib.crc32(os.fsencode(state)) % len(blocks)
    known = [block for block in blocks if block.start == before]
    return iter([*known, *blocks[at:], *blocks[:at]])


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
