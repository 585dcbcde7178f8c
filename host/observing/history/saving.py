"""The history as records: what a minute has brought to all series, and how an earlier life is read back."""

import json
import logging
import secrets
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any

from host.observing.history.columns import LAYOUTS, SCOPES, SECONDS, Layout, Scope
from host.observing.history.history import History
from host.observing.history.journal import Journal
from host.observing.history.rows import Row
from host.observing.history.series import SAVED, STEPS, Key

logger = logging.getLogger(__name__)

RECORD_OF = 60
"""Seconds that a record has the rows of."""
HEAD = struct.Struct("<I")


@dataclass(frozen=True)
class Record:
    """A minute of one step: `rows` by series, packed as `layouts` say.

    Times are those of the axis of `life`, to which `shift` is added for seconds since the epoch.
    """

    life: str
    shift: int
    layouts: dict[Scope, Any]
    rows: list[tuple[Key, bytes]]


def make_journals(folder: Path) -> dict[int, Journal]:
    """One journal below `folder` for each step that is kept."""
    return {step: Journal(folder / f"{step}s", STEPS[step] // RECORD_OF) for step in SAVED}


class Saving:
    """Writes what is new, and restores what was; methods with `Journal`s run in a thread, one at a time."""

    def __init__(self, history: History, journals: dict[int, Journal]) -> None:
        self._history = history
        self._journals = journals
        self._life = secrets.token_hex(8)

    def collect(self, shift: int) -> dict[int, Record]:
        """What is to be written, by step; it counts as written from now on."""
        layouts = {scope: [LAYOUTS[scope].packed.format, LAYOUTS[scope].names] for scope in SCOPES}
        return {step: Record(self._life, shift, layouts, list(self._history.unsaved(step))) for step in SAVED}

    def write(self, records: dict[int, Record]) -> None:
        """Write them; raises OSError."""
        for step, record in records.items():
            if record.rows:
                self._journals[step].append(encode(record))

    def read(self, step: int) -> list[Record]:
        """What is there; a record that cannot be understood is passed over."""
        return [record for content in self._journals[step].read() if (record := decode(content)) is not None]

    def restore(self, now: int, records: dict[int, list[Record]]) -> None:
        """Take rows of earlier lives in, which are over by `now`."""
        for step, found in records.items():
            for record, offset in place_records(found, now):
                for key, packed in record.rows:
                    rows = self._history.series(key).periods[step].rows
                    for row in _read_rows(LAYOUTS[key.scope], record.layouts[key.scope], packed):
                        moved = (row[0] + offset, *row[1:])
                        if now - STEPS[step] < moved[0] <= now:
                            rows.add(LAYOUTS[key.scope].pack(moved), moved[0])


def place_records(records: Iterable[Record], now: int) -> Iterator[tuple[Record, int]]:
    """Each record with what its times are to be moved by, so that every life ends before the next begins.

    Usually that is what the clock said last in that life. Where the clock was set back since, or has no
    battery, what seems to lie in the future was just before `now`.
    """
    lives: dict[str, list[Record]] = {}
    for record in records:
        if record.rows:
            lives.setdefault(record.life, []).append(record)
    placed: list[tuple[list[Record], int]] = []
    for life in reversed(lives.values()):
        times = [HEAD.unpack_from(rows, at)[0] for rows, at in _ends(life)]
        offset = min(life[-1].shift, now - max(times))
        now = min(times) + offset
        placed.append((life, offset))
    for life, offset in reversed(placed):
        yield from ((record, offset) for record in life)


def _ends(life: list[Record]) -> Iterator[tuple[bytes, int]]:
    """Where the times of the first and the last row of each series stand."""
    for record in life:
        for key, rows in record.rows:
            size = struct.calcsize(record.layouts[key.scope][0])
            yield rows, 0
            yield rows, len(rows) - size


def _read_rows(layout: Layout, told: Any, packed: bytes) -> Iterator[Row]:
    """The rows as they are packed today, whatever columns they had when they were written."""
    form, names = told
    same = form == layout.packed.format and tuple(names) == layout.names
    for row in struct.iter_unpack(form, packed):
        if same:
            yield row
        else:
            known = dict(zip(names, row[1:], strict=True))
            yield (row[0], *(known.get(name, _missing(layout, name)) for name in layout.names))


def _missing(layout: Layout, name: str) -> float:
    return nan if layout.columns[layout.names.index(name)].form == SECONDS else 0


def encode(record: Record) -> bytes:
    """A record's bytes: the length of a JSON head, that head, and the rows one after the other, pressed."""
    head = {
        "life": record.life,
        "shift": record.shift,
        "layouts": record.layouts,
        "series": [[key.scope, key.function, key.instance, len(rows)] for key, rows in record.rows],
    }
    text = json.dumps(head).encode()
    return zlib.compress(HEAD.pack(len(text)) + text + b"".join(rows for _, rows in record.rows))


def decode(content: bytes) -> Record | None:
    """What `encode` made; None for anything else."""
    try:
        plain = zlib.decompress(content)
        size = HEAD.unpack_from(plain)[0]
        head = json.loads(plain[HEAD.size : HEAD.size + size])
        place, rows = HEAD.size + size, []
        for scope, function, instance, length in head["series"]:
            rows.append((Key(scope, function, instance), plain[place : place + length]))
            place += length
        return Record(head["life"], int(head["shift"]), head["layouts"], [pair for pair in rows if pair[1]])
    except (ValueError, KeyError, TypeError, struct.error, zlib.error) as error:
        logger.warning("a record of the history is not understood, and left out: %s", error)
        return None
