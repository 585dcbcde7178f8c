"""What earlier lives of the host have left of the history, read back in the background."""

import asyncio
import logging
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from host.observing.history.columns import LAYOUTS
from host.observing.history.history import History
from host.observing.history.journal import Journal
from host.observing.history.record import HEAD, Record, as_today, decode
from host.observing.history.rows import Rows
from host.observing.history.series import STEPS, Key
from host.observing.slices import Slices

logger = logging.getLogger(__name__)

Past = dict[Key, Rows]


class AbandonedError(Exception):
    """The host stops, and does not wait for what it has not read yet."""


@dataclass(slots=True)
class Life:
    """A life of the host, from its `first` row to its `last` by its own axis, and its `shift` at the end."""

    shift: int
    first: int
    last: int

    def note(self, record: Record) -> None:
        """A record of it, after those before."""
        self.shift = record.shift
        times = list(_ends(record))
        self.first, self.last = min(self.first, *times), max(self.last, *times)


class Restoring:
    """Reads journals in a thread that takes half of a core at most, and puts their rows before new ones."""

    def __init__(self, history: History, journals: dict[int, Journal]) -> None:
        self._history = history
        self._journals = journals
        self._stopping = threading.Event()
        self._rested = 0.0
        self.is_over = False

    async def run(self, now: int) -> None:
        """Restore what was before `now` (of the axis); what cannot be read is set aside, and said."""
        try:
            for step, journal in self._journals.items():
                past = await asyncio.to_thread(self._read, step, journal, now)
                await self._put(step, past)
        except AbandonedError:
            return
        self.is_over = True

    def abandon(self) -> None:
        """Let `run` end soon."""
        self._stopping.set()

    def _read(self, step: int, journal: Journal, now: int) -> Past:
        self._rested = time.thread_time()
        try:
            return read_past(journal, step, now, self._rest)
        except AbandonedError:
            raise
        except OSError as error:
            logger.warning("history begins anew, since what was kept cannot be read: %s", error)
        except Exception:
            # The past is for diagnosis: it never keeps a host from its work, whatever we overlooked.
            logger.exception(
                "history begins anew, by an error of ours; files in %s are set aside", journal.folder
            )
            with suppress(OSError):
                journal.set_aside()
        return {}

    def _rest(self) -> None:
        """For as long as it worked: invocations need the processor, too."""
        if self._stopping.wait(time.thread_time() - self._rested):
            raise AbandonedError
        self._rested = time.thread_time()

    async def _put(self, step: int, past: Past) -> None:
        slices = Slices()
        for key in sorted(past, key=lambda key: past[key].last, reverse=True):
            self._history.restore(key, step, past[key])
            await slices.pause()


def read_past(journal: Journal, step: int, now: int, rest: Callable[[], None]) -> Past:
    """The rows of earlier lives by their series; `rest` is called after each record."""
    unknown: list[ValueError] = []
    # The first row of this life begins with its period, before `now`.
    offsets = place_lives(list_lives(read_records(journal, rest, unknown)), now // step * step)
    if unknown:
        logger.warning(
            "%d records of the history in %s are not understood, and left out: %s",
            *(len(unknown), journal.folder, unknown[0]),
        )
    past: Past = {}
    for record in read_records(journal, rest, unknown):
        for key, packed in record.rows:
            layout = LAYOUTS[key.scope]
            if key not in past:
                past[key] = Rows(layout, step, STEPS[step])
            today = as_today(layout, record.layouts[key.scope], packed)
            _add_moved(past[key], today, (offsets[record.life], now - STEPS[step], now))
    for rows in past.values():
        rows.close()
    return past


def read_records(journal: Journal, rest: Callable[[], None], unknown: list[ValueError]) -> Iterator[Record]:
    """One after the other; why others cannot be understood is added to `unknown`."""
    for content in journal.read():
        try:
            record = decode(content)
        except ValueError as error:
            unknown.append(error)
            continue
        if record.rows:
            yield record
        rest()


def list_lives(records: Iterable[Record]) -> dict[str, Life]:
    """All lives, in their order."""
    lives: dict[str, Life] = {}
    for record in records:
        if record.life not in lives:
            lives[record.life] = Life(record.shift, *[next(_ends(record))] * 2)
        lives[record.life].note(record)
    return lives


def place_lives(lives: dict[str, Life], now: int) -> dict[str, int]:
    """What times of each life are to be moved by, so that it ends before the next begins, or before `now`.

    Usually that is what the clock said last in that life. Where the clock was set back since, or has no
    battery, what seems to lie in the future was just before `now`.
    """
    offsets: dict[str, int] = {}
    for name, life in reversed(lives.items()):
        offsets[name] = min(life.shift, now - life.last)
        now = life.first + offsets[name]
    return offsets


def _ends(record: Record) -> Iterator[int]:
    """The times of the first and the last row of each series."""
    for key, rows in record.rows:
        size = struct.calcsize(record.layouts[key.scope][0])
        yield HEAD.unpack_from(rows)[0]
        yield HEAD.unpack_from(rows, len(rows) - size)[0]


def _add_moved(rows: Rows, packed: bytes, move: tuple[int, int, int]) -> None:
    """Add those whose time lies in the kept span: only their time is packed anew."""
    offset, begin, end = move
    for row in rows.split(packed):
        at = HEAD.unpack_from(row)[0] + offset
        if max(begin, 0) < at <= end:
            rows.add(HEAD.pack(at) + row[HEAD.size :], at)
