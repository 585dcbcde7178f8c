"""A record of the history: what some seconds have brought to all series, as bytes and back."""

import json
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import nan
from typing import Any

from host.observing.history.columns import LAYOUTS, SECONDS, Layout
from host.observing.history.series import Key

HEAD = struct.Struct("<I")
FORM = re.compile("<I[BIQf]*")
"""How rows may be packed: their time, and then numbers."""


@dataclass(frozen=True)
class Record:
    """What came to one step: `rows` by series, packed as `layouts` say.

    Times are those of the axis of `life`, to which `shift` is added for seconds since the epoch.
    """

    life: str
    shift: int
    layouts: dict[str, Any]
    rows: list[tuple[Key, bytes]]


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


def decode(content: bytes) -> Record:
    """What `encode` made, less series of unknown scopes; raises ValueError for anything else."""
    try:
        plain = zlib.decompress(content)
        size = HEAD.unpack_from(plain)[0]
        head = json.loads(plain[HEAD.size : HEAD.size + size])
        layouts, rows = head["layouts"], list(_series(head, plain[HEAD.size + size :]))
        return Record(str(head["life"]), int(head["shift"]), layouts, rows)
    except (KeyError, TypeError, AttributeError, struct.error, zlib.error) as error:
        raise ValueError(f"it is no record of a history: {error!r}") from error


def _series(head: dict[str, Any], packed: bytes) -> Iterator[tuple[Key, bytes]]:
    sizes = {scope: _row_size(*told) for scope, told in head["layouts"].items() if scope in LAYOUTS}
    place = 0
    for scope, function, instance, length in head["series"]:
        rows = packed[place : place + length]
        place += length
        # A later fnhost may keep series of more than this one knows.
        if scope in LAYOUTS and length:
            if len(rows) != length or length % sizes[scope]:
                raise ValueError(f"rows of a {scope} are cut short")
            yield Key(scope, str(function), str(instance)), rows


def _row_size(form: str, names: list[str]) -> int:
    if not FORM.fullmatch(form) or len(form) != len("<I") + len(names):
        raise ValueError(f"rows packed as {form!r} are not known")
    return struct.calcsize(form)


def as_today(layout: Layout, told: Any, packed: bytes) -> bytes:
    """The rows as they are packed today, whatever columns they had when they were written."""
    form, names = told
    if form == layout.packed.format and tuple(names) == layout.names:
        return packed
    rows = []
    for row in struct.iter_unpack(form, packed):
        known = dict(zip(names, row[1:], strict=True))
        rows.append((row[0], *(known.get(name, _missing(layout, name)) for name in layout.names)))
    return b"".join(map(layout.pack, rows))


def _missing(layout: Layout, name: str) -> float:
    return nan if layout.columns[layout.names.index(name)].form == SECONDS else 0
